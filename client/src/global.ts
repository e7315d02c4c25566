// The whole client for pages without modules, as one script with the global name CaddyRealtime.
import { withCalls, type Calls } from './calls.js';
import { Realtime, type Options } from './documents.js';
import { withWatch, type Watches } from './watch.js';

export * from './documents.js';
export { autoAway } from './away.js';
export { channelStore, connectionStore, documentStore, presenceStore } from './stores.js';
export { withCalls, withWatch };

/** Creates a client with documents, calls and watches, and connects it. */
export function connect(url?: string | URL, options?: Options): Realtime & Calls & Watches {
  return withWatch(withCalls(new Realtime(url, options).connect()));
}
