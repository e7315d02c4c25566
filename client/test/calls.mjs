// Calls of the app over both transports, with the client as it is served. The Go test
// integration/calls_test.go runs it, with an app that answers by the method:
//
//   node --experimental-websocket calls.mjs <address>
import assert from 'node:assert/strict';
import { connect } from '../dist/calls.js';

const address = process.argv[2];
const fails = (code) => (error) => assert.equal(error.code, code) ?? true;

for (const transport of ['websocket', 'sse']) {
  const client = connect(`http://${address}/realtime`, { transport });
  client.on('error', ({ error }) => assert.fail(error));
  assert.deepEqual(await client.call('sum', [1, 2]), { sum: 3 });
  assert.equal(await client.call('nothing'), null);

  const refused = client.call('buy');
  await assert.rejects(refused, (error) => error.code === 'OUT_OF_STOCK' && error.message === 'none left');
  await assert.rejects(client.call('hang', null, { timeout: 100 }), fails(408));
  await assert.rejects(client.call('hang'), fails('UNAVAILABLE')); // the limit of handle_call

  const gone = AbortSignal.timeout(100);
  await assert.rejects(client.call('hang', null, { signal: gone }), (error) => error === gone.reason);
  const before = AbortSignal.abort();
  await assert.rejects(client.call('sum', [1], { signal: before }), (error) => error === before.reason);

  // A call that hangs holds up no other one, and each gets its own answer.
  const slow = client.call('hang').catch((error) => error.code);
  const sums = await Promise.all([...Array(20).keys()].map((n) => client.call('sum', [n, n])));
  assert.deepEqual(sums, [...Array(20).keys()].map((n) => ({ sum: 2 * n })));
  assert.equal(await slow, 'UNAVAILABLE');

  const lost = client.call('hang');
  await new Promise((resolve) => setTimeout(resolve, 50));
  client.close();
  await assert.rejects(lost, (error) => error.code === 'CONNECTION_LOST' || error.code === 'CLOSED');
  await assert.rejects(client.call('sum', [1]), fails('CLOSED'));
}
