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

for (const [name, wake] of [
  ['the network is back', (w: World) => w.page.online(true)],
  ['the page is looked at', (w: World) => w.page.visible(true)],
  ['the page is no longer frozen', (w: World) => w.page.document.fire('resume')],
] as const) {
  test(`${name}: an attempt that is stalled is made anew at once`, async (t) => {
    for (const transport of ['websocket', 'sse'] as const) {
      const w = new World(t);
      const attempts = (): number => (transport === 'sse' ? w.requests.length : w.sockets.length);
      w.connect({ transport });
      await w.pass(3000);
      assert.equal(attempts(), 1);
      wake(w);
      await rest();
      assert.equal(attempts(), 2);
      await w.pass(9999);
      assert.equal(w.states.at(-1)?.retryIn, undefined, 'it has all of its time');
      t.mock.reset();
    }
  });

  test(`${name}: an attempt that has just begun gets its chance, and is then made anew`, async (t) => {
    const w = new World(t);
    w.connect();
    await w.pass(300);
    wake(w);
    wake(w);
    await w.pass(699);
    assert.equal(w.sockets.length, 1);
    await w.pass(1);
    assert.equal(w.sockets.length, 2);
    w.socket.greet();
    await w.pass(20_000);
    assert.equal(w.sockets.length, 2);
  });

  test(`${name}: what failed before makes the next waits no longer`, async (t) => {
    const w = new World(t);
    w.random = 1;
    w.connect({ transport: 'websocket' });
    await rest();
    for (let i = 0; i < 6; i++) {
      w.socket.drop();
      await w.retry();
    }
    await w.pass(2000);
    wake(w);
    await rest();
    w.socket.drop();
    assert.equal(w.status.retryIn, 1000);
  });
}

test('a token that does not come is asked for anew, too', async (t) => {
  const w = new World(t);
  let asked = 0;
  w.connect({ token: () => (++asked === 1 ? new Promise<string>(() => {}) : 't') });
  await w.pass(5000);
  w.page.visible(true);
  await rest();
  assert.equal(w.sockets.length, 1);
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
