// The script of the SharedWorker. It runs as long as one of the pages.
import { server } from './sharedserve.js';

const serve = server();
addEventListener('connect', (event) => serve((event as MessageEvent).ports[0]!));
