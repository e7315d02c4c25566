import assert from 'node:assert/strict';
import test from 'node:test';
import { Realtime } from '../src/index.js';
import { rest, World } from './world.js';

test('a client connects and says so', async (t) => {
  const w = new World(t);
  const client = w.connect();
  assert.equal(client.state, 'connecting');
  await rest();
  assert.equal(w.socket.url, 'wss://example.com/rt');
  w.socket.greet({ connection: 'c7', user: 'ann', heartbeat: 25_000 });
  assert.equal(client.state, 'open');
  assert.equal(client.transport, 'websocket');
  assert.equal(client.user, 'ann');
  assert.equal(client.connection, 'c7');
  assert.deepEqual(
    w.states.map(({ state, previous, transport }) => [previous, state, transport]),
    [
      ['closed', 'connecting', 'websocket'],
      ['connecting', 'open', 'websocket'],
    ],
  );
});

test('a client that was closed stays closed until it is connected again', async (t) => {
  const w = new World(t);
  const client = await w.open();
  client.close();
  assert.deepEqual(w.socket.closed, { code: 1000 });
  assert.equal(w.status.state, 'closed');
  assert.equal(w.status.reason?.code, 1000);
  await w.pass(600_000);
  assert.equal(w.sockets.length, 1);
  client.connect();
  await rest();
  assert.equal(w.sockets.length, 2);
  w.socket.greet();
  assert.equal(client.state, 'open');
});

test('connecting or closing twice does nothing more', async (t) => {
  const w = new World(t);
  const client = await w.open();
  client.connect();
  await rest();
  assert.equal(w.sockets.length, 1);
  client.close();
  client.close();
  assert.equal(w.states.filter(({ state }) => state === 'closed').length, 1);
});

test('a client closed while it connects opens nothing', async (t) => {
  const w = new World(t);
  const client = w.connect();
  client.close();
  await rest();
  assert.equal(w.sockets.length, 0);
  assert.equal(client.state, 'closed');
});

test('closing in a listener is heeded', async (t) => {
  for (const state of ['connecting', 'open', 'reconnecting']) {
    await t.test(state, async (t) => {
      const w = new World(t);
      const client = new Realtime('https://example.com/rt', w.options());
      client.on('state', (status) => status.state === state && client.close());
      const subscription = client.subscribe('a');
      client.connect();
      await rest();
      w.sockets[0]?.greet();
      w.sockets[0]?.drop();
      await w.pass(60_000);
      assert.equal(client.state, 'closed');
      assert.equal(subscription.state, 'unsubscribed');
      assert.equal(w.sockets.length, state === 'connecting' ? 0 : 1);
    });
  }
});

test('closing when a subscription goes down is heeded', async (t) => {
  const w = new World(t);
  const client = await w.open();
  const subscription = client.subscribe('a');
  w.socket.subscribed();
  subscription.on('state', ({ state }) => state === 'subscribing' && client.close());
  w.socket.drop();
  await w.pass(60_000);
  assert.equal(client.state, 'closed');
  assert.equal(w.sockets.length, 1);
});

test('a client is closed once, whoever closes it meanwhile', async (t) => {
  const w = new World(t);
  const client = await w.open();
  const subscription = client.subscribe('a');
  w.socket.subscribed();
  subscription.on('state', () => client.close());
  client.close();
  assert.deepEqual(
    w.states.map(({ state }) => state),
    ['connecting', 'open', 'closed'],
  );
});

test('a client may be connected again by who hears that it is closed', async (t) => {
  const w = new World(t);
  const client = await w.open();
  client.on('state', ({ state }) => state === 'closed' && client.connect());
  client.close();
  await rest();
  w.socket.greet();
  assert.equal(client.state, 'open');
  assert.equal(w.sockets.length, 2);
});

test('nothing is heard of a transport that was given up', async (t) => {
  const w = new World(t);
  const client = await w.open();
  const old = w.socket;
  client.subscribe('a');
  client.close();
  old.say({ type: 'connected' });
  old.drop();
  assert.equal(client.state, 'closed');
});

test('frames that are no envelopes are ignored', async (t) => {
  const w = new World(t);
  const client = await w.open();
  for (const data of ['', 'no json', '1', 'null', '[]', '{"payload":{}}', '{"type":1}', '{"type":"unheard-of"}'])
    w.socket.raw(data);
  assert.equal(client.state, 'open');
});

test('a listener that throws keeps nothing from going on', async (t) => {
  const w = new World(t);
  const uncaught: unknown[] = [];
  t.mock.method(globalThis, 'queueMicrotask', (then: () => void) => {
    try {
      then();
    } catch (error) {
      uncaught.push(error);
    }
  });
  const client = new Realtime('https://example.com/rt', w.options());
  const error = new Error('of the page');
  client.on('state', () => {
    throw error;
  });
  client.connect();
  await rest();
  w.socket.greet();
  assert.equal(client.state, 'open');
  assert.deepEqual(uncaught, [error, error]);
});

test('listeners are taken off', async (t) => {
  const w = new World(t);
  const client = w.connect();
  let heard = 0;
  const listener = (): void => void heard++;
  const off = client.on('state', listener);
  await rest();
  w.socket.greet();
  off();
  client.close();
  client.on('state', listener);
  client.off('state', listener);
  client.connect();
  assert.equal(heard, 1);
});

test('errors that belong to no command are told', async (t) => {
  const w = new World(t);
  const client = await w.open();
  const errors: unknown[] = [];
  client.on('error', ({ code, message }) => errors.push([code, message]));
  w.socket.say({ type: 'error', payload: { code: 'INVALID_JSON', message: 'not JSON' } });
  assert.deepEqual(errors, [['INVALID_JSON', 'not JSON']]);
});
