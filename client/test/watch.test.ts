import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { withWatch, type Watch, type WatchOptions, type Watches } from '../src/watch.js';
import type { Options, Realtime } from '../src/index.js';
import { rest, World } from './world.js';

/** A client with an open WebSocket, and a watch whose stream is open. */
async function watched(t: TestContext, names: string | string[], options: WatchOptions = {}, client: Options = {}) {
  const w = new World(t);
  const c = await opened(w, client);
  const watch = c.watch<any>(names, options);
  await rest();
  w.stream.greet();
  await rest();
  return { w, c, watch, seen: record(watch) };
}

/** A client whose WebSocket is open, and whose silence is no fault. */
async function opened(w: World, options: Options = {}): Promise<Realtime & Watches> {
  const client = withWatch(w.connect(options));
  await rest();
  w.socket.greet({ connection: 's1', heartbeat: 0 });
  await rest();
  return client;
}

/** The events of a watch, in order. */
function record(watch: Watch<any>): unknown[] {
  const seen: unknown[] = [];
  watch.on('message', ({ channel, content }) => seen.push(`${channel}: ${content}`));
  watch.on('gap', (gap) => seen.push(gap));
  watch.on('unsubscribed', ({ channel, pattern, error }) => seen.push(['gone', channel ?? pattern, error.code]));
  watch.on('state', ({ state, error }) => seen.push(error ? [state, error.code] : state));
  return seen;
}

const streams = (w: World) => w.requests.filter((request) => request.isStream);
const query = (w: World) => [...w.stream.url.searchParams].map(([name, value]) => `${name}=${value}`);

test('a watch asks for channels, patterns and a filter on a stream of its own', async (t) => {
  const { w, watch, seen } = await watched(t, ['orders:*', 'news'], { filter: 'tags.total > 100', history: 5 });
  assert.deepEqual(query(w), ['pattern=orders:*', 'channel=news', 'filter=tags.total > 100', 'history=5']);
  assert.equal(watch.state, 'open');
  w.stream.say({ type: 'message', payload: { channel: 'orders:1', content: 'a' } });
  w.stream.say({ type: 'message', payload: { channel: 'news', content: 'b', offset: 4 } }, 'n4');
  await rest();
  assert.deepEqual(seen, ['orders:1: a', 'news: b']);
  assert.equal(w.socket.all('subscribe').length, 0);
});

test('a watch waits for the connection of the client, and has its token', async (t) => {
  const w = new World(t);
  const client = withWatch(w.connect({ token: 'secret' }));
  const watch = client.watch('orders:*');
  await rest();
  assert.deepEqual([streams(w).length, watch.state], [0, 'waiting']);
  w.socket.greet().answer('authenticate', 'authenticated', { user: 'ann' });
  await rest();
  assert.equal(w.stream.headers['authorization'], 'Bearer secret');
});

test('a stream that ends goes on from its cursor after a pause', async (t) => {
  const { w, seen } = await watched(t, 'news');
  w.stream.say({ type: 'message', payload: { channel: 'news', content: 'b', offset: 4 } }, 'n4');
  await rest();
  w.stream.end();
  await rest();
  assert.equal(streams(w).length, 1);
  await w.pass(500);
  assert.equal(w.stream.url.searchParams.get('lastEventID'), 'n4');
  w.stream.greet().say({ type: 'gap', payload: { channel: 'news', epoch: 'e', offset: 9 } }, 'n9');
  await rest();
  assert.deepEqual(seen, ['news: b', ['waiting', 1006], 'open', { channel: 'news', position: { epoch: 'e', offset: 9 } }]);
});

test('pauses grow until a stream has lasted', async (t) => {
  const { w } = await watched(t, 'news');
  const pauses = [];
  for (let i = 0; i < 3; i++) {
    w.stream.end();
    const [before, began] = [streams(w).length, Date.now()];
    while (streams(w).length === before) await w.pass(100);
    pauses.push(Date.now() - began);
    w.stream.greet();
  }
  assert.deepEqual(pauses, [500, 1000, 2000]);
  await w.pass(20_000);
  w.stream.write(': beat\n\n');
  await w.pass(11_000);
  w.stream.end();
  await w.pass(500);
  assert.equal(streams(w).length, 5);
});

test('a gap of a pattern names the pattern', async (t) => {
  const { w, seen } = await watched(t, 'orders:*');
  w.stream.say({ type: 'gap', payload: { pattern: 'orders:*' } }, '~');
  await rest();
  assert.deepEqual(seen, [{ pattern: 'orders:*', position: undefined }]);
});

test('a silent stream is given up', async (t) => {
  const { w, watch } = await watched(t, 'news', {}, { timeout: 10_000 });
  await w.pass(30_000);
  w.stream.write(': beat\n\n');
  await w.pass(34_000);
  assert.equal(watch.state, 'open');
  await w.pass(2_000);
  assert.equal(streams(w)[0]!.aborted, true);
  assert.equal(streams(w).length, 2);
});

test('a rejection ends the watch, a passing one does not', async (t) => {
  const w = new World(t);
  const client = await opened(w);
  const watch = client.watch('orders:*', { filter: 'tags.(' });
  const seen = record(watch);
  await rest();
  w.stream.problem(503, 'UNAVAILABLE', { 'retry-after': '1' });
  await w.pass(3000);
  assert.equal(streams(w).length, 2);
  w.stream.problem(400, 'INVALID_MESSAGE');
  await w.pass(60_000);
  assert.deepEqual(seen, [['closed', 'INVALID_MESSAGE']]);
  assert.equal(streams(w).length, 2);
});

test('a name that the server takes away leaves the others', async (t) => {
  const { w, watch, seen } = await watched(t, ['orders:*', 'news']);
  w.stream.say({ type: 'unsubscribed', payload: { pattern: 'orders:*', code: 'FORBIDDEN', message: 'no' } });
  await rest();
  w.stream.end();
  await w.pass(500);
  assert.deepEqual(query(w), ['channel=news']);
  w.stream.greet().say({ type: 'unsubscribed', payload: { channel: 'news', code: 'FORBIDDEN', message: 'no' } });
  await rest();
  assert.deepEqual(seen.at(-1), ['closed', 'FORBIDDEN']);
  assert.equal(watch.state, 'closed');
});

test('a pattern whose channels another block has now is asked for again', async (t) => {
  const { w, seen } = await watched(t, 'orders:*');
  w.stream.say({ type: 'unsubscribed', payload: { pattern: 'orders:*', code: 'UNAVAILABLE', message: 'again' } });
  await w.pass(500);
  assert.deepEqual(query(w), ['pattern=orders:*']);
  assert.equal(streams(w).length, 2);
  assert.deepEqual(seen, [['waiting', 'UNAVAILABLE']]);
});

test('what the server says at the end decides whether the watch goes on', async (t) => {
  const { w, watch, seen } = await watched(t, 'news');
  w.stream.say({ type: 'close', payload: { code: 4502, reason: 'reload', reconnect: true } }).end();
  await w.pass(500);
  w.stream.greet().say({ type: 'close', payload: { code: 4403, reason: 'kicked', reconnect: false } }).end();
  await w.pass(60_000);
  assert.deepEqual(seen, [['waiting', 4502], 'open', ['closed', 4403]]);
  assert.equal(watch.state, 'closed');
  assert.equal(streams(w).length, 2);
});

test('a watch ends with its close, and pauses with that of the client', async (t) => {
  const { w, c, watch, seen } = await watched(t, 'news');
  c.close();
  await rest();
  assert.equal(w.stream.aborted, true);
  c.connect();
  await rest();
  w.socket.greet({ connection: 's2', heartbeat: 0 });
  await rest();
  w.stream.greet();
  await rest();
  watch.close();
  await w.pass(60_000);
  assert.deepEqual([seen, streams(w).length], [['waiting', 'open', 'closed'], 2]);
});
