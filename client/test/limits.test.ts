import assert from 'node:assert/strict';
import test from 'node:test';
import { rest, World } from './world.js';

test('a publish that waits is given up in time, and then not sent', async (t) => {
  const w = new World(t);
  const client = w.connect();
  const published = assert.rejects(client.publish('a', 1, { timeout: 500 }), { code: 408 });
  const kept = client.publish('a', 2);
  await w.pass(499);
  const history = assert.rejects(client.history('a', { timeout: 1 }), { code: 408 });
  await w.pass(1);
  await Promise.all([published, history]);
  w.socket.greet();
  assert.deepEqual(w.socket.all('message').map(({ payload }) => payload['content']), [2]);
  assert.equal(w.socket.all('history').length, 0);
  assert.deepEqual(Object.keys(w.socket.last('message').payload).sort(), ['channel', 'content', 'key']);
  w.socket.answer('message', 'ack', { channel: 'a' });
  await kept;
});

test('a signal gives a request up with its reason', async (t) => {
  const w = new World(t);
  await w.open();
  const [before, during] = [new AbortController(), new AbortController()];
  before.abort('too late');
  await assert.rejects(w.client.publish('a', 1, { signal: before.signal }), (reason) => reason === 'too late');
  assert.equal(w.socket.all('message').length, 0);
  const published = w.client.publish('a', 2, { signal: during.signal, timeout: 1000 });
  const asked = w.client.subscribe('a').history({ signal: during.signal });
  during.abort('enough');
  await assert.rejects(published, (reason) => reason === 'enough');
  await assert.rejects(asked, (reason) => reason === 'enough');
  assert.deepEqual(w.socket.last('history').payload, { channel: 'a' });
});

test('what was given up is not sent again, and its answer disturbs nobody', async (t) => {
  const w = new World(t);
  await w.open();
  w.client.on('error', ({ code }) => assert.fail(String(code)));
  const abort = new AbortController();
  const outcomes = [1, 2].map((n) => w.client.publish('a', n, { signal: abort.signal }).catch((reason) => reason));
  abort.abort('enough');
  assert.deepEqual(await Promise.all(outcomes), ['enough', 'enough']);
  const [first] = w.socket.all('message');
  w.socket.say({ type: 'error', id: first!.id!, payload: { code: 'RATE_LIMITED', message: '', retryAfter: 1 } });
  await w.pass(1000);
  assert.equal(w.socket.all('message').length, 2);
  w.socket.drop();
  await w.retry();
  w.socket.greet();
  await rest();
  assert.equal(w.socket.all('message').length, 0);
});

test('an answer in time ends the limits', async (t) => {
  const w = new World(t);
  await w.open();
  const abort = new AbortController();
  const published = w.client.publish('a', 1, { signal: abort.signal, timeout: 1000 });
  w.socket.answer('message', 'ack', { channel: 'a', offset: 4 });
  assert.deepEqual(await published, { channel: 'a', offset: 4 });
  abort.abort();
  await w.pass(2000);
  assert.equal(w.client.state, 'open');
});
