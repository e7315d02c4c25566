// Watches channels and patterns of a real server, with the client as it is served. The Go test
// integration/watch_test.go runs it:
//
//   node --experimental-websocket watch.mjs <address>
import assert from 'node:assert/strict';
import { connect } from '../dist/watch.js';

const address = process.argv[2];

/** The next event of a name. */
const next = (emitter, name) => new Promise((resolve) => { const off = emitter.on(name, (event) => (off(), resolve(event))); });

for (const transport of ['websocket', 'sse']) {
  const client = connect(`http://${address}/realtime`, { transport });
  client.on('error', ({ error }) => assert.fail(error));
  const orders = client.watch(['orders:*', 'news'], { filter: 'tags.total > 100' });
  await next(orders, 'state');
  assert.equal(orders.state, 'open');

  const got = [];
  orders.on('message', ({ channel, content, tags }) => got.push([channel, content, tags.total]));
  const last = new Promise((resolve) => orders.on('message', ({ content }) => content === 'last' && resolve()));
  await client.publish('orders:1', 'small', { tags: { total: 3 } });
  await client.publish('orders:2', 'large', { tags: { total: 300 } });
  await client.publish('news', 'large news', { tags: { total: 200 } });
  await client.publish('news', 'small news', { tags: { total: 2 } });
  await client.publish('news', 'last', { tags: { total: 101 } });
  await last;
  // There is no order between channels.
  got.sort();
  assert.deepEqual(got, [['news', 'large news', 200], ['news', 'last', 101], ['orders:2', 'large', 300]]);

  // A client that was away gets what it missed of the channel, and a gap for the pattern.
  client.close();
  assert.equal(orders.state, 'waiting');
  const gap = next(orders, 'gap');
  const missed = next(orders, 'message');
  await publish('news', 'while away', { total: 500 });
  client.connect();
  assert.deepEqual(await gap, { pattern: 'orders:*', position: undefined });
  assert.equal((await missed).content, 'while away');

  const old = client.watch('news', { history: 1, filter: 'content == "while away"' });
  assert.equal((await next(old, 'message')).content, 'while away');

  const [wrong, forbidden] = [client.watch('news', { filter: 'tags.(' }), client.watch('*')];
  const ends = await Promise.all([next(wrong, 'state'), next(forbidden, 'state')]);
  assert.deepEqual(ends.map(({ state, error }) => [state, error.code]), [['closed', 'INVALID_MESSAGE'], ['closed', 'FORBIDDEN']]);
  client.close();
}

async function publish(channel, content, tags) {
  const body = JSON.stringify({ content, tags });
  const response = await fetch(`http://${address}/realtime/channels/${channel}/messages`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  assert.equal(response.status, 200);
}
