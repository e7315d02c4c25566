import assert from 'node:assert/strict';
import test from 'node:test';
import { rest, World } from './world.js';

test('without a network the wait is as long as it gets, and its end is used at once', async (t) => {
  const w = new World(t);
  await w.open();
  w.page.online(false);
  w.socket.drop();
  assert.equal(w.status.reason?.code, 'OFFLINE');
  assert.equal(w.status.retryIn, 30_000);
  await w.pass(20_000);
  assert.equal(w.sockets.length, 1);
  w.page.online(true);
  await rest();
  assert.equal(w.sockets.length, 2);
});

test('a browser that is wrong about the network keeps nobody away', async (t) => {
  const w = new World(t);
  w.page.navigator.onLine = false;
  w.connect();
  await rest();
  w.socket.drop();
  await w.retry();
  w.socket.greet();
  assert.equal(w.client.state, 'open');
});

test('failures without a network do not make a WebSocket blocked', async (t) => {
  const w = new World(t);
  w.page.navigator.onLine = false;
  w.connect();
  await rest();
  for (let i = 0; i < 4; i++) {
    w.socket.drop();
    await w.retry();
  }
  assert.equal(w.sockets.length, 5);
});

test('going offline or online makes the client look after its connection', async (t) => {
  for (const online of [false, true]) {
    const w = new World(t);
    await w.open();
    w.page.online(online);
    assert.equal(w.socket.all('ping').length, 1);
    w.socket.say({ type: 'pong' });
    await w.pass(20_000);
    assert.equal(w.client.state, 'open');
    w.page.online(online);
    await w.pass(10_000);
    assert.equal(w.status.state, 'reconnecting');
    t.mock.reset();
  }
});

test('a page that is looked at again does not wait', async (t) => {
  const w = new World(t);
  w.random = 1;
  await w.open();
  w.socket.drop();
  w.page.visible(false);
  await rest();
  assert.equal(w.sockets.length, 1);
  w.page.visible(true);
  await rest();
  assert.equal(w.sockets.length, 2);
  w.page.visible(true);
  await rest();
  assert.equal(w.sockets.length, 2, 'the attempt under way is enough');
});

test('a page that is looked at again asks whether the server lives', async (t) => {
  const w = new World(t);
  await w.open();
  w.page.visible(false);
  assert.equal(w.socket.all('ping').length, 0);
  w.page.visible(true);
  assert.equal(w.socket.all('ping').length, 1);
});

test('the back/forward cache gets a page without a connection, and gives it back with one', async (t) => {
  const w = new World(t);
  await w.open();
  const subscription = w.client.subscribe('a');
  w.socket.subscribed({ epoch: 'e', offset: 5 });
  w.page.fire('pagehide', { persisted: true });
  assert.deepEqual(w.socket.closed, { code: undefined }, 'no goodbye');
  assert.equal(w.status.reason?.code, 'SUSPENDED');
  assert.equal(w.status.retryIn, undefined);
  assert.equal(subscription.state, 'subscribing');
  await w.pass(600_000);
  assert.equal(w.sockets.length, 1);
  w.page.fire('pageshow', { persisted: true });
  w.page.visible(true);
  await rest();
  assert.equal(w.sockets.length, 2);
  w.socket.greet();
  assert.deepEqual(w.socket.last('subscribe').payload['recover'], { epoch: 'e', offset: 5 });
});

test('a page that was waiting waits no more in the back/forward cache', async (t) => {
  const w = new World(t);
  await w.open();
  w.socket.drop();
  w.page.fire('pagehide', { persisted: true });
  await w.pass(600_000);
  assert.equal(w.sockets.length, 1);
});

test('a page that is gone for good, or shown for the first time, changes nothing', async (t) => {
  const w = new World(t);
  await w.open();
  w.page.fire('pagehide', { persisted: false });
  w.page.fire('pageshow', { persisted: false });
  await rest();
  assert.equal(w.client.state, 'open');
  assert.equal(w.sockets.length, 1);
});

test('a closed client does not listen to the page', async (t) => {
  const w = new World(t);
  await w.open();
  w.client.close();
  w.page.online(true);
  w.page.visible(true);
  w.page.fire('pageshow', { persisted: true });
  await w.pass(60_000);
  assert.equal(w.sockets.length, 1);
});

test('without a page there is nothing to listen to', async (t) => {
  const w = new World(t);
  await w.open({ page: null });
  assert.equal(w.client.state, 'open');
});
