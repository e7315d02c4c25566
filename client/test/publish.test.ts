import assert from 'node:assert/strict';
import test from 'node:test';
import type { Ack, RealtimeError } from '../src/index.js';
import { rest, World } from './world.js';

/** What becomes of a promise: its value, its error's code, or nothing yet. */
async function outcome(promise: Promise<unknown>): Promise<unknown> {
  let result: unknown = 'pending';
  promise.then(
    (value) => (result = value),
    (error: RealtimeError) => (result = error.code),
  );
  await rest();
  return result;
}

/** Acknowledges every message, also those that only come then, and gives what they were. */
function acknowledge({ socket }: World): unknown[] {
  const contents = [];
  for (let i = 0; i < socket.sent.length; i++) {
    const { type, id, payload } = socket.sent[i]!;
    if (type !== 'message') continue;
    contents.push(payload['content']);
    socket.say({ type: 'ack', id: id!, payload: { channel: payload.channel! } });
  }
  return contents;
}

test('a publish resolves to its ack', async (t) => {
  const w = new World(t);
  await w.open();
  const published = w.client.subscribe('a').publish({ text: 'hi' }, { event: 'said' });
  const { content, event, channel, key } = w.socket.last('message').payload;
  assert.deepEqual({ content, event, channel }, { content: { text: 'hi' }, event: 'said', channel: 'a' });
  assert.match(String(key), /^[!-~]{1,64}$/);
  w.socket.answer('message', 'ack', { channel: 'a', epoch: 'e', offset: 3, duplicate: true });
  assert.deepEqual(await published, { channel: 'a', epoch: 'e', offset: 3, duplicate: true } satisfies Ack);
});

test('a publish to one member says to whom, and is not repeated when nobody is there', async (t) => {
  const w = new World(t);
  await w.open();
  const published = w.client.subscribe('a').publish(1, { to: { user: 'ann', connection: 'c' } });
  assert.deepEqual(w.socket.last('message').payload['to'], { user: 'ann', connection: 'c' });
  w.socket.answer('message', 'error', { code: 'NOT_PRESENT', message: 'the addressee is not in this channel' });
  await assert.rejects(published, { code: 'NOT_PRESENT' });
  assert.equal(w.socket.all('message').length, 1);
});

test('a volatile publish has neither key nor answer, and does not wait for a connection', async (t) => {
  const w = new World(t);
  await w.open();
  assert.deepEqual(await w.client.publish('a', 1, { volatile: true }), { channel: 'a' });
  w.socket.drop(1006);
  assert.deepEqual(await w.client.publish('a', 2, { volatile: true }), { channel: 'a' });
  const sent = w.socket.all('message');
  assert.deepEqual(
    sent.map(({ id, payload }) => ({ id, payload })),
    [{ id: undefined, payload: { channel: 'a', content: 1, volatile: true } }],
  );
});

test('a refused publish rejects with all there is to know', async (t) => {
  const w = new World(t);
  await w.open();
  const published = w.client.publish('a', 1);
  w.socket.answer('message', 'error', { code: 'RATE_LIMITED', message: 'slowly', retryAfter: 8000 });
  await assert.rejects(published, { name: 'RealtimeError', code: 'RATE_LIMITED', message: 'slowly', retryAfter: 8000 });
});

test('a publish waits for the connection', async (t) => {
  const w = new World(t);
  const client = w.connect();
  const published = client.publish('a', 1);
  await rest();
  w.socket.greet();
  w.socket.answer('message', 'ack', { channel: 'a' });
  assert.deepEqual(await published, { channel: 'a' });
});

test('a publish without an answer is repeated with its key, behind the subscriptions and in order', async (t) => {
  const w = new World(t);
  await w.open();
  const subscription = w.client.subscribe('a');
  const published = ['one', 'two'].map((content) => subscription.publish(content));
  const before = w.socket.all('message');
  w.socket.drop();
  published.push(subscription.publish('three'));
  await w.retry();
  w.socket.greet();
  assert.deepEqual(
    w.socket.sent.map(({ type, payload }) => payload['content'] ?? type),
    ['subscribe', 'one', 'two', 'three'],
    'all at once',
  );
  assert.deepEqual(
    w.socket.all('message').map(({ payload }) => payload['after']),
    [undefined, true, true],
  );
  assert.deepEqual(acknowledge(w), ['one', 'two', 'three']);
  await Promise.all(published);
  const after = w.socket.all('message');
  assert.deepEqual(
    after.slice(0, 2).map(({ payload: { after: _, ...payload }, ...command }) => ({ ...command, payload })),
    before,
  );
  assert.equal(new Set(after.map(({ payload }) => payload['key'])).size, 3);
});

test('a page that publishes does not wait for each ack', async (t) => {
  const w = new World(t);
  await w.open();
  const all = Promise.all(Array.from({ length: 40 }, (_, n) => w.client.publish('a', n)));
  assert.equal(w.socket.all('message').length, 16);
  assert.equal(acknowledge(w).length, 40);
  await all;
});

test('late and unknown acks are ignored', async (t) => {
  const w = new World(t);
  await w.open();
  const published = w.client.publish('a', 1);
  const { id } = w.socket.last('message');
  w.socket.say({ type: 'ack', id: id!, payload: { channel: 'a', offset: 1 } });
  w.socket.say({ type: 'ack', id: id!, payload: { channel: 'a', offset: 2 } });
  w.socket.say({ type: 'ack', id: 'unheard-of', payload: {} }).say({ type: 'ack', payload: {} });
  assert.deepEqual(await published, { channel: 'a', offset: 1 });
  assert.equal(w.client.state, 'open');
});

test('an ack after the publish was given up is ignored', async (t) => {
  const w = new World(t);
  await w.open({ buffer: 1, overflow: 'drop-oldest' });
  const published = w.client.publish('a', 1);
  const { id } = w.socket.last('message');
  w.socket.drop();
  const newer = w.client.publish('a', 2);
  assert.equal(await outcome(published), 'BUFFER_FULL');
  await w.retry();
  w.socket.greet().say({ type: 'ack', id: id!, payload: { channel: 'a' } });
  assert.equal(await outcome(newer), 'pending');
});

test('too much at once rejects the newest', async (t) => {
  const w = new World(t);
  const client = w.connect({ buffer: 2 });
  const all = [1, 2, 3, 4].map((n) => outcome(client.publish('a', n)));
  assert.deepEqual(await Promise.all(all), ['pending', 'pending', 'BUFFER_FULL', 'BUFFER_FULL']);
  w.socket.greet();
  assert.deepEqual(acknowledge(w), [1, 2]);
});

test('or the oldest, if the page likes that better', async (t) => {
  const w = new World(t);
  const client = w.connect({ buffer: 2, overflow: 'drop-oldest' });
  const all = [1, 2, 3, 4].map((n) => outcome(client.publish('a', n)));
  assert.deepEqual(await Promise.all(all), ['BUFFER_FULL', 'BUFFER_FULL', 'pending', 'pending']);
  w.socket.greet();
  assert.deepEqual(acknowledge(w), [3, 4]);
});

test('without a buffer only what can be sent at once is taken', async (t) => {
  const w = new World(t);
  const client = w.connect({ buffer: 0 });
  assert.equal(await outcome(client.publish('a', 1)), 'BUFFER_FULL');
  w.socket.greet();
  assert.equal(await outcome(client.publish('a', 2)), 'pending');
});

test('the buffer is a hundred by default', async (t) => {
  const w = new World(t);
  const client = w.connect();
  const all = Array.from({ length: 102 }, (_, n) => outcome(client.publish('a', n)));
  const outcomes = await Promise.all(all);
  assert.deepEqual(outcomes.slice(99), ['pending', 'BUFFER_FULL', 'BUFFER_FULL']);
});

test('a closed client takes nothing and gives everything up', async (t) => {
  const w = new World(t);
  await w.open();
  const sent = outcome(w.client.publish('a', 1));
  w.client.close();
  const late = outcome(w.client.publish('a', 2));
  assert.deepEqual(await Promise.all([sent, late]), ['CLOSED', 'CLOSED']);
  w.client.connect();
  await rest();
  w.socket.greet();
  assert.equal(w.socket.all('message').length, 0);
});

test('content that is no JSON is refused alone', async (t) => {
  const w = new World(t);
  await w.open();
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  assert.equal(await outcome(w.client.publish('a', circle)), 'INVALID_MESSAGE');
  w.socket.drop();
  const waiting = w.client.publish('a', 1n);
  const good = w.client.publish('a', 2);
  await w.retry();
  w.socket.greet();
  assert.equal(await outcome(waiting), 'INVALID_MESSAGE');
  w.socket.answer('message', 'ack', { channel: 'a' });
  await good;
});

test('history is asked for, also once more', async (t) => {
  const w = new World(t);
  await w.open();
  const asked = w.client.subscribe<string>('a').history({ since: { epoch: 'e', offset: 2 }, limit: 2 });
  w.socket.drop();
  await w.retry();
  w.socket.greet();
  assert.deepEqual(w.socket.last('history').payload, { channel: 'a', since: { epoch: 'e', offset: 2 }, limit: 2 });
  w.socket.answer('history', 'history', {
    channel: 'a',
    epoch: 'e',
    offset: 9,
    more: true,
    messages: [{ offset: 3, content: 'x', timestamp: 5 }],
  });
  assert.deepEqual(await asked, {
    messages: [{ channel: 'a', offset: 3, content: 'x', timestamp: 5 }],
    position: { epoch: 'e', offset: 9 },
    lost: false,
    more: true,
  });
  const empty = w.client.history('b');
  w.socket.answer('history', 'history', { channel: 'b', messages: [] });
  assert.deepEqual(await empty, { messages: [], position: undefined, lost: false, more: false });
});

test('a client that is too fast slows down by and by, and a burst counts once', async (t) => {
  const w = new World(t);
  await w.open();
  for (let n = 0; n < 5; n++) w.client.subscribe(`c${n}`);
  const refuse = (): void => {
    for (const { id } of w.socket.sent.splice(0)) {
      w.socket.say({ type: 'error', id: id!, payload: { code: 'RATE_LIMITED', message: '', retryAfter: 30 } });
    }
  };
  refuse();
  for (const pause of [100, 200, 400, 800, 1600, 3200, 5000, 5000]) {
    await w.pass(pause - 1);
    assert.equal(w.socket.all('subscribe').length, 0, `not before ${pause}`);
    await w.pass(1);
    assert.equal(w.socket.all('subscribe').length, 1);
    refuse();
  }
});

test('a client with much to say after an interruption finds the pace of the server', async (t) => {
  const w = new World(t);
  await w.open();
  w.socket.drop();
  const count = 60;
  const all = Promise.all(Array.from({ length: count }, (_, n) => w.client.publish('a', n)));
  w.client.subscribe('b');
  await w.retry();
  // A server that takes ten frames at once and then ten a second, as a token bucket does. A token may come between two
  // frames of one burst: what is after a rejected message is rejected all the same.
  const accepted: unknown[] = [];
  let [tokens, refused, handled, over] = [10, 0, 0, false];
  w.socket.greet();
  for (let s = 0; s < 120 && accepted.length < count; s++) {
    for (; handled < w.socket.sent.length; handled++) {
      const { type, id, payload } = w.socket.sent[handled]!;
      tokens += handled === 12 || handled === 14 ? 1 : 0;
      const behind = type === 'message' && !!payload['after'] && over;
      if (tokens >= 1 && !behind) tokens--;
      else {
        over ||= type === 'message';
        if (!behind) refused++;
        w.socket.say({ type: 'error', id: id!, payload: { code: 'RATE_LIMITED', message: '', retryAfter: 50 } });
        continue;
      }
      if (type === 'message') over = false;
      if (type === 'message') accepted.push(payload['content']);
      w.socket.say({
        type: type === 'message' ? 'ack' : 'subscribed',
        id: id!,
        payload: { channel: payload.channel! },
      });
    }
    await w.pass(100);
    tokens = Math.min(10, tokens + 1);
  }
  await all;
  assert.deepEqual(
    accepted,
    Array.from({ length: count }, (_, n) => n),
    'in order',
  );
  assert.ok(refused <= 20, `${refused} offences would have ended the connection`);
  assert.equal(w.client.subscribe('b').state, 'subscribed');
});
