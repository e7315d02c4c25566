// Shared connections: tabs that leave, and what one tab may take from the others.
import assert from 'node:assert/strict';
import test from 'node:test';
import { SharedWorld } from './sharedworld.js';
import { rest } from './world.js';

const channels = (w: SharedWorld, type: string): unknown[] => w.socket.all(type).map(({ payload }) => payload.channel);

test('a page that is loaded again while a ping has no answer leaves the others alone', async (t) => {
  const w = new SharedWorld(t);
  const [one, two] = [await w.first(), await w.tab()];
  await w.pass(25_000);
  assert.equal(w.socket.all('ping').length, 1);
  await w.crash(two);
  const again = await w.tab();
  w.socket.say({ type: 'pong' });
  await w.pass(11_000);
  assert.deepEqual([one.state, again.state, w.sockets.length], ['open', 'open', 1]);
});

test('the tab with the least patience decides how long a server may be silent', async (t) => {
  const w = new SharedWorld(t);
  const [one, two] = [await w.first(), await w.tab({ timeout: 3000 })];
  await w.pass(25_000);
  assert.equal(w.socket.all('ping').length, 1);
  await w.pass(2000);
  assert.deepEqual([one.state, two.state], ['open', 'open']);
  await w.pass(2000);
  assert.notEqual(one.state, 'open');
  assert.ok(w.sockets[0]!.closed);
});

test('a connection that does not open is given up, although tabs come and go', async (t) => {
  const w = new SharedWorld(t);
  await w.tab();
  await w.pass(6000);
  await w.tab();
  await w.pass(5000);
  assert.ok(w.sockets[0]!.closed);
  assert.equal(w.sockets.length, 2);
  w.socket.greet();
  await w.pass(1000);
  assert.deepEqual(w.tabs.map(({ state }) => state), ['open', 'open']);
});

test('each page that is gone has its own time to come back to the connection', async (t) => {
  const w = new SharedWorld(t);
  await w.crash(await w.first());
  await w.pass(1000);
  const two = await w.tab();
  await w.pass(8000);
  await w.crash(two);
  await w.pass(9000);
  assert.equal(w.socket.closed, undefined);
  await w.pass(1000);
  assert.ok(w.socket.closed);
});

test('a goodbye of one page does not end the wait for another one', async (t) => {
  const w = new SharedWorld(t);
  const [one, two] = [await w.first(), await w.tab()];
  await w.crash(one);
  two.close();
  await w.pass(9000);
  assert.equal(w.socket.closed, undefined);
  assert.equal((await w.tab()).state, 'open');
  w.tabs.at(-1)!.close();
  await rest();
  assert.deepEqual(w.socket.closed, { code: 1000 });
});

test('each page that is gone has its own time to come back to a channel', async (t) => {
  const w = new SharedWorld(t);
  const [one, two, three] = [await w.first(), await w.tab(), await w.tab()];
  const [, , last] = [one, two, three].map((tab) => tab.subscribe('a'));
  await rest();
  w.socket.subscribed();
  await rest();
  await w.crash(one);
  await w.pass(9000);
  await w.crash(two);
  last!.unsubscribe();
  await w.pass(9000);
  assert.deepEqual(channels(w, 'unsubscribe'), [], 'the second one may come back');
  await w.pass(1000);
  assert.deepEqual(channels(w, 'unsubscribe'), ['a']);
});

test('long calls of one tab do not hold up those of another', async (t) => {
  const w = new SharedWorld(t);
  const [one, two] = [await w.first(), await w.tab()];
  const call = (tab: typeof one, method: string): number => tab._command('call', { method, params: null }, () => {}, () => {});
  for (let i = 0; i < 8; i++) call(one, 'long');
  await rest();
  call(two, 'short');
  await rest();
  const sent = (): unknown[] => w.socket.all('call').map(({ payload }) => payload['method']);
  assert.deepEqual(sent(), ['long', 'long', 'long', 'long', 'short']);
  w.socket.answer('call', 'result', { result: 1 });
  w.socket.say({ type: 'result', id: w.socket.all('call')[0]!.id!, payload: { result: 1 } });
  await rest();
  assert.equal(sent().length, 6, 'the next one goes when one is answered');
});
