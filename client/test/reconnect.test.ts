import assert from 'node:assert/strict';
import test from 'node:test';
import { backoff, closeDelay, mayReconnect } from '../src/retry.js';
import { CloseCode } from '../src/codes.js';
import { rest, World } from './world.js';

test('the limit of the backoff doubles up to its maximum, and all of it is used', (t) => {
  const random = t.mock.method(Math, 'random', () => 0);
  const limits = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
  for (const [attempt, limit] of limits.entries()) {
    random.mock.mockImplementation(() => 0);
    assert.equal(backoff(attempt, 1000, 30_000), 0);
    random.mock.mockImplementation(() => 0.999);
    assert.equal(backoff(attempt, 1000, 30_000), 0.999 * limit);
  }
  assert.ok(Number.isFinite(backoff(5000, 1000, 30_000)), 'after a long night');
});

test('close codes say whether to come back', () => {
  const back = [1001, 1005, 1006, 1011, 1012, 1013, 1014, 3000, 4500, 4501, 4502, 4999];
  const stay = [1000, 1002, 1003, 1007, 1008, 1009, 1010, 4000, 4400, 4401, 4403, 4499];
  assert.deepEqual(back.filter(mayReconnect), back);
  assert.deepEqual(stay.filter(mayReconnect), []);
});

test('close codes ask for their waits', (t) => {
  for (const [random, ...expected] of [
    [0, 0, 0, 5000],
    [0.999, 4995, 4995, 29_975],
  ] as const) {
    t.mock.method(Math, 'random', () => random);
    assert.deepEqual([1001, 1012, 1013].map(closeDelay), expected);
  }
  assert.deepEqual([1006, 4500].map(closeDelay), [undefined, undefined]);
});

test('a lost connection comes back, waiting longer each time', async (t) => {
  const w = new World(t);
  await w.open();
  w.random = 1;
  w.socket.drop();
  const waits = [];
  for (let i = 0; i < 12; i++) {
    assert.equal(w.client.state, 'reconnecting');
    const wait = await w.retry();
    assert.equal(w.status.retryIn, undefined, 'an attempt is under way');
    assert.ok(w.status.reason, 'and the reason is still known');
    const { transport } = w.status;
    if (transport === 'sse') w.stream.fail();
    else w.socket.drop();
    waits.push(`${transport} ${wait}`);
    await rest();
  }
  // A server that returns during a wait finds a WebSocket first.
  const [first, ...others] = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
  assert.deepEqual(waits, [`websocket ${first}`, ...others.flatMap((wait) => [`websocket ${wait}`, 'sse 0'])].slice(0, 12));
});

test('the limits of the backoff are options', async (t) => {
  const w = new World(t);
  await w.open({ minDelay: 10, maxDelay: 25, transport: 'websocket' });
  w.random = 1;
  const waits = [];
  for (let i = 0; i < 3; i++) {
    w.socket.drop();
    waits.push(await w.retry());
  }
  assert.deepEqual(waits, [10, 20, 25]);
});

test('only a stable connection makes failures forgotten', async (t) => {
  const w = new World(t);
  await w.open();
  w.random = 1;
  for (const [lived, wait] of [
    [1000, 1000],
    [29_000, 2000],
    [30_000, 1000],
    [0, 2000],
  ] as const) {
    // Heard from, so that the heartbeat has nothing to do.
    for (let s = 0; s < lived; s += 1000, await w.pass(1000)) w.socket.say({ type: 'pong' });
    w.socket.drop();
    assert.equal(await w.retry(), wait);
    w.socket.greet();
  }
});

test('close codes lead to the state they mean', async (t) => {
  for (const code of Object.values(CloseCode)) {
    await t.test(String(code), async (t) => {
      const w = new World(t);
      await w.open();
      w.socket.drop(code, 'because');
      assert.equal(w.status.state, mayReconnect(code) ? 'reconnecting' : 'closed');
      assert.equal(w.status.reason?.code, code);
      assert.equal(w.status.reason?.message, 'because');
      await w.pass(120_000);
      assert.equal(w.sockets.length > 1, mayReconnect(code));
    });
  }
});

test('a server with too much to do gets its rest', async (t) => {
  const w = new World(t);
  await w.open();
  w.random = 0;
  w.socket.drop(CloseCode.TRY_LATER);
  assert.equal(w.status.retryIn, 5000);
  w.page.online(true);
  w.page.visible(true);
  await w.pass(4999);
  assert.equal(w.sockets.length, 1, 'the page does not shorten it');
  await w.pass(1);
  assert.equal(w.sockets.length, 2);
});

test('a node that goes says when to come back', async (t) => {
  const w = new World(t);
  await w.open();
  w.socket.say({ type: 'reconnect', payload: { after: 7000, reason: 'server is restarting' } });
  assert.equal(w.client.state, 'open');
  await w.pass(2000);
  w.socket.drop(CloseCode.RESTART);
  assert.equal(w.status.state, 'reconnecting');
  assert.equal(w.status.retryIn, 5000);
  w.page.online(true);
  await w.pass(4999);
  assert.equal(w.sockets.length, 1);
  await w.pass(1);
  assert.equal(w.sockets.length, 2);
  w.socket.greet();
  assert.equal(w.client.state, 'open');
  w.socket.drop();
  assert.equal(await w.retry(), 500, 'it was for that one time');
  assert.equal(w.sockets.length, 3);
});

test('a node that goes and does not close is left', async (t) => {
  const w = new World(t);
  await w.open();
  w.socket.say({ type: 'reconnect', payload: { after: 3000 } });
  await w.pass(2999);
  assert.equal(w.client.state, 'open');
  await w.pass(1);
  assert.ok(w.sockets[0]!.closed);
  assert.equal(w.sockets.length, 2);
  w.socket.greet();
  await w.pass(10_000);
  assert.equal(w.client.state, 'open');
  assert.equal(w.sockets.length, 2);
});

test('an error is the end, with or without what belongs behind it', async (t) => {
  for (const exact of [true, false]) {
    const w = new World(t);
    w.connect();
    await rest();
    w.socket.fail(exact);
    assert.equal(w.status.reason?.code, CloseCode.LOST);
    await w.retry();
    assert.equal(w.sockets.length, 2);
    t.mock.reset();
  }
});

test('an opening that takes too long is given up', async (t) => {
  const w = new World(t);
  w.connect({ timeout: 4000 });
  await w.pass(3999);
  assert.equal(w.client.state, 'connecting');
  await w.pass(1);
  assert.equal(w.status.state, 'reconnecting');
  assert.equal(w.status.reason?.code, CloseCode.LOST);
  assert.ok(w.socket.closed);
});

test('an accepted connection without a greeting is given up, too', async (t) => {
  const w = new World(t);
  w.connect();
  await rest();
  w.socket.readyState = 1;
  w.socket.onopen?.();
  await w.pass(10_000);
  assert.equal(w.status.state, 'reconnecting');
});
