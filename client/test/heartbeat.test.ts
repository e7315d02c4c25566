import assert from 'node:assert/strict';
import test from 'node:test';
import { World } from './world.js';

test('a silent server is asked, and given up when it does not answer', async (t) => {
  const w = new World(t);
  await w.open({ timeout: 10_000 });
  await w.pass(24_999);
  assert.equal(w.socket.all('ping').length, 0);
  await w.pass(1);
  assert.equal(w.socket.all('ping').length, 1);
  await w.pass(9999);
  assert.equal(w.client.state, 'open');
  await w.pass(1);
  assert.equal(w.status.state, 'reconnecting');
  assert.equal(w.status.reason?.message, 'the server is silent');
  assert.ok(w.socket.closed);
});

test('any frame is a sign of life', async (t) => {
  for (const frame of ['{"type":"pong","payload":{}}', '{"type":"message","payload":{"channel":"x"}}', 'what?']) {
    const w = new World(t);
    await w.open();
    await w.pass(25_000);
    w.socket.raw(frame);
    await w.pass(24_999);
    assert.equal(w.client.state, 'open');
    assert.equal(w.socket.all('ping').length, 1);
    await w.pass(1);
    assert.equal(w.socket.all('ping').length, 2);
    t.mock.reset();
  }
});

test('asking again and again is not an answer', async (t) => {
  const w = new World(t);
  await w.open();
  for (let s = 0; s < 10; s++) {
    w.page.visible(true);
    await w.pass(1000);
  }
  assert.equal(w.socket.all('ping').length, 1);
  assert.equal(w.status.state, 'reconnecting');
});

test("the interval is the server's", async (t) => {
  const w = new World(t);
  w.connect();
  await w.pass(1);
  w.socket.greet({ heartbeat: 3000 });
  await w.pass(3000);
  assert.equal(w.socket.all('ping').length, 1);
});

test('a closed client asks nobody', async (t) => {
  const w = new World(t);
  await w.open();
  w.client.close();
  await w.pass(100_000);
  assert.equal(w.socket.sent.length, 0);
  assert.equal(w.status.state, 'closed');
});
