// What a broken server, or a proxy, says: no number of it makes a storm, and no
// frame of it throws.
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { settle } from '../src/settings.js';
import { waitOf } from '../src/time.js';
import { parse } from '../src/wire.js';
import { rest, World } from './world.js';

const longest = 2 ** 31 - 1;

/** A world whose timers do what those of browsers do: a wait that is too long is none. */
function world(t: TestContext): World {
  const w = new World(t);
  const real = globalThis.setTimeout;
  globalThis.setTimeout = ((run: () => void, wait = 0) => real(run, wait > longest || !(wait > 0) ? 1 : wait)) as typeof setTimeout;
  t.after(() => (globalThis.setTimeout = real));
  return w;
}

test('only what a timer can wait is a wait', () => {
  for (const [given, expected] of [
    [0, 0],
    [1.5, 1.5],
    [longest, longest],
    [3e9, longest],
    [-5, undefined],
    [NaN, undefined],
    [Infinity, undefined],
    ['5', undefined],
    [null, undefined],
    [{}, undefined],
  ] as const)
    assert.equal(waitOf(given), expected, String(given));
});

test('a wait that is longer than a timer can be is still a wait', async (t) => {
  const w = world(t);
  w.connect({ transport: 'sse' }).subscribe('a');
  await rest();
  w.stream.answer(503, 'down for a month', { 'retry-after': '2592000' });
  await rest();
  assert.equal(w.status.retryIn, longest);
  await w.pass(60_000);
  assert.equal(w.requests.length, 1);
});

test('Retry-After may be a date', async (t) => {
  const w = world(t);
  w.connect({ transport: 'sse' }).subscribe('a');
  await rest();
  w.stream.answer(503, '', { 'retry-after': new Date(1_000_000 + 90_000).toUTCString() });
  await rest();
  assert.equal(w.status.retryIn, 90_000);
});

test('a wait that is none leaves the own one', async (t) => {
  for (const value of ['-5', 'soon', '', '0', '1e999']) {
    const w = world(t);
    w.connect({ transport: 'sse' }).subscribe('a');
    await rest();
    w.stream.answer(503, { retryAfter: value }, { 'retry-after': value });
    await rest();
    assert.equal(w.status.retryIn, 500, value);
    w.page.online(true);
    await rest();
    assert.equal(w.requests.length, 2, 'the page does not wait for it');
    t.mock.reset();
  }
});

test('a server that sends everybody away at once gets a pause that grows', async (t) => {
  for (const after of [0, -5, 'x', null, 1e-9]) {
    const w = world(t);
    await w.open();
    for (let i = 0; i < 60; i++) {
      w.socket.say({ type: 'reconnect', payload: { after: after as number } });
      await w.pass(1000);
      if (w.socket.readyState === 0) w.socket.greet();
    }
    assert.ok(w.sockets.length < 10, `${after}: ${w.sockets.length} connections in a minute`);
    t.mock.reset();
  }
});

test('a server that wants its client back next month is not stormed', async (t) => {
  const w = world(t);
  await w.open();
  w.socket.say({ type: 'reconnect', payload: { after: 3e9 } });
  await w.pass(10_000);
  assert.equal(w.sockets.length, 1);
});

test('a stream that ends at once and says a wait that is none is not stormed', async (t) => {
  const w = world(t);
  w.connect({ transport: 'sse' }).subscribe('a');
  await rest();
  w.stream.accept().write('retry: 99999999999\n\n').end();
  await rest();
  assert.equal(w.status.retryIn, longest);
});

test('a heartbeat is at least a second, and has a default', async (t) => {
  for (const [heartbeat, pings] of [
    [1, 10],
    [3e9, 0],
    [-1, 0],
    ['x', 0],
    [0, 0],
  ] as const) {
    const w = world(t);
    w.connect();
    await rest();
    w.socket.greet({ heartbeat: heartbeat as number });
    for (let s = 0; s < 10; s++) {
      await w.pass(1000);
      w.socket.say({ type: 'pong' });
    }
    assert.equal(w.socket.all('ping').length, pings, String(heartbeat));
    assert.equal(w.client.state, 'open');
    t.mock.reset();
  }
});

test('the times of a token are numbers', async (t) => {
  for (const expires of ['soon', null, {}, -1, 1e300]) {
    const w = world(t);
    let asked = 0;
    w.connect({ token: () => `t${++asked}` });
    await rest();
    w.socket.greet().answer('authenticate', 'authenticated', { expires: expires as number });
    await w.pass(20_000);
    assert.ok(asked <= 5, `${expires}: asked ${asked} times`);
    t.mock.reset();
  }
});

test('options that are no waits are left out', () => {
  const base = 'https://example.com';
  for (const wait of [NaN, Infinity, -1, '5' as unknown as number]) {
    const { timeout, minDelay, maxDelay } = settle(base, { timeout: wait, minDelay: wait, maxDelay: wait });
    assert.deepEqual([timeout, minDelay, maxDelay], [10_000, 1000, 30_000], String(wait));
  }
});

/** One frame for each field, with values that are not of its type. */
const broken: [type: string, payload: unknown][] = [
  ['message', 5],
  ['message', 'text'],
  ['message', []],
  ['message', { channel: 5 }],
  ['message', { channel: 'a', offset: '7' }],
  ['message', { channel: 'a', anchor: 1 }],
  ['message', { channel: 'a', to: 'ann' }],
  ['gap', { channel: 'a', epoch: 5, offset: 1 }],
  ['presence', { channel: 'a', users: 5 }],
  ['presence', { channel: 'a', users: 'ann' }],
  ['presence', { channel: 'a', users: [1] }],
  ['presence', { channel: 'a', entered: 5 }],
  ['presence', { channel: 'a', left: { length: 1 } }],
  ['presence', { channel: 'a', updated: true }],
  ['presence', { channel: 'a', users: [], info: 5 }],
  ['presence', { channel: 'a', users: [], count: '1' }],
  ['presence', { channel: 'a', entered: ['x'], seq: 'x' }],
  ['subscribed', { channel: 'a', messages: 5 }],
  ['subscribed', { channel: 'a', messages: [5] }],
  ['subscribed', { channel: 'a', messages: [null] }],
  ['subscribed', { channel: 'a', messages: [{ offset: 'x' }] }],
  ['subscribed', { channel: 'a', document: 5 }],
  ['subscribed', { channel: 'a', document: { epoch: 1, version: 'x' } }],
  ['unsubscribed', { channel: 'a', code: {} }],
  ['error', { code: [], message: 'x' }],
  ['error', { code: 'X', message: {} }],
  ['authenticated', { user: 5 }],
];

for (const [type, payload] of broken) {
  test(`a broken ${type} costs that frame: ${JSON.stringify(payload)}`, async (t) => {
    const uncaught: unknown[] = [];
    const w = new World(t);
    await w.open();
    const subscription = w.client.subscribe('a');
    w.socket.subscribed({ epoch: 'e', offset: 1 });
    const seen: unknown[] = [];
    subscription.on('message', ({ content }) => seen.push(content));
    subscription.on('gap', () => seen.push('gap'));
    subscription.presence.on('enter', ({ id }) => seen.push(id));
    w.client.on('error', (error) => seen.push(error.code));
    try {
      w.socket.raw(JSON.stringify({ type, payload }));
      w.socket.raw(JSON.stringify({ type, payload, timestamp: 'now' }));
    } catch (error) {
      uncaught.push(error);
    }
    assert.deepEqual([uncaught, seen], [[], []]);
    w.socket.say({ type: 'message', payload: { channel: 'a', content: 'next', offset: 2 } });
    assert.deepEqual(seen, ['next']);
    assert.equal(w.client.state, 'open');
    assert.equal(subscription.state, 'subscribed');
  });
}

test('a field of the application is the application’s', () => {
  const payload = { channel: 'a', content: null, event: 'x', patch: null, messages: [{ content: 5 }], unknown: [] };
  assert.deepEqual(parse(JSON.stringify({ type: 'message', payload }))?.payload, payload);
  assert.deepEqual(parse('{"type":"x","payload":null}')?.payload, {});
  assert.deepEqual(parse('{"type":"x","payload":{"user":null}}')?.payload, {}, 'null is nothing');
});

test('a broken answer is an error for whoever waits for it', async (t) => {
  const w = new World(t);
  const client = await w.open();
  const page = client.history('a');
  w.socket.answer('history', 'history', { channel: 'a', messages: 5 } as object);
  await assert.rejects(page, { code: 'INTERNAL', message: 'broken history' });
});

test('a broken answer to a request is an error for whoever waits for it', async (t) => {
  const w = new World(t);
  const client = w.connect({ transport: 'sse' });
  client.subscribe('a');
  await rest();
  w.stream.greet();
  await rest();
  for (const answer of [{ messages: 5 }, [], 5, 'x']) {
    const page = client.history('a');
    await rest();
    w.request.answer(200, JSON.stringify(answer));
    await assert.rejects(page, { code: 'INTERNAL' });
  }
  const published = client.publish('a', 1);
  await rest();
  w.request.answer(400, { code: 5, detail: {}, retryAfter: 'x' });
  await assert.rejects(published, { code: 400, retryAfter: undefined });
});

test('a broken error does not make a client that is too fast go on at once', async (t) => {
  const w = world(t);
  const client = await w.open();
  w.socket.drop();
  void client.publish('a', 1).catch(() => {});
  await w.retry();
  w.socket.greet();
  for (let s = 0; s < 30; s++) {
    if (w.socket.all('message').length) w.socket.answer('message', 'error', { code: 'RATE_LIMITED', retryAfter: 'x' as unknown as number });
    await w.pass(1000);
  }
  assert.ok(w.socket.all('message').length <= 12, `${w.socket.all('message').length} tries`);
});
