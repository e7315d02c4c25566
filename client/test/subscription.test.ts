import assert from 'node:assert/strict';
import test from 'node:test';
import type { Message, Subscription } from '../src/index.js';
import { advance, missed, positionOf, same } from '../src/position.js';
import { rest, World } from './world.js';

/** What the page sees of a subscription: contents, `gap` with its offset, and states. */
function record(subscription: Subscription): unknown[] {
  const seen: unknown[] = [];
  subscription.on('message', ({ content }) => seen.push(content));
  subscription.on('gap', ({ position }) => seen.push(`gap ${position?.offset}`));
  subscription.on('state', ({ state, error }) => seen.push(error ? `${state} ${error.code}` : state));
  return seen;
}

function message(channel: string, offset: number | undefined, anchor?: string) {
  const at = { ...(offset !== undefined && { offset }), ...(anchor && { anchor }) };
  return { type: 'message', timestamp: 5, payload: { channel, content: `m${offset ?? ''}`, ...at } };
}

test('positions advance, and do not go back', () => {
  const at = { epoch: 'e', offset: 4, anchor: 'a' };
  assert.deepEqual(advance(at, { offset: 5, anchor: 'b' }), { epoch: 'e', offset: 5, anchor: 'b' });
  assert.deepEqual(advance(at, { offset: 9 }), { epoch: 'e', offset: 9 });
  assert.equal(advance(at, { offset: 4 }), undefined);
  assert.equal(advance(at, { offset: 1 }), undefined);
  assert.equal(advance(at, {}), at, 'the room keeps no history any more');
  assert.equal(positionOf({ channel: 'a' }), undefined);
});

test('what was missed is what the server says, or else any change', () => {
  const at = { epoch: 'e', offset: 4, anchor: 'a' };
  assert.equal(missed(at, { ...at, recovered: true }), false);
  assert.equal(missed(at, { ...at, recovered: false }), true);
  assert.equal(missed(at, at), false);
  assert.equal(missed(at, { epoch: 'e', offset: 4 }), false);
  assert.equal(missed(at, { ...at, offset: 5 }), true);
  assert.equal(missed(at, { ...at, epoch: 'f' }), true);
  assert.equal(missed(at, { ...at, anchor: 'b' }), true);
  assert.equal(missed(at, {}), true, 'no history any more');
  assert.equal(missed(undefined, {}), true, 'no history at all');
  assert.equal(same(at, undefined), false);
});

test('a subscription delivers what comes after the answer', async (t) => {
  const w = new World(t);
  await w.open();
  const subscription = w.client.subscribe<string>('a');
  const messages: Message<string>[] = [];
  subscription.on('message', (m) => messages.push(m));
  assert.deepEqual(w.socket.last('subscribe').payload, { channel: 'a' });
  // Of an earlier subscription of this connection.
  w.socket.say(message('a', 4)).say({ type: 'gap', payload: { channel: 'a', epoch: 'e', offset: 4 } });
  w.socket.say({ type: 'presence', payload: { channel: 'a', users: ['ann'], count: 1 } });
  assert.equal(subscription.position, undefined);
  assert.equal(subscription.presence.count, 0);
  w.socket.subscribed({ epoch: 'e', offset: 4, anchor: 'x' });
  assert.equal(subscription.state, 'subscribed');
  assert.deepEqual(subscription.position, { epoch: 'e', offset: 4, anchor: 'x' });
  w.socket.say({
    type: 'message',
    timestamp: 7,
    payload: { channel: 'a', content: 'hi', sender: 'ann', event: 'said', offset: 5, anchor: 'y' },
  });
  w.socket.say(message('b', 6));
  assert.deepEqual(messages, [
    { timestamp: 7, channel: 'a', content: 'hi', sender: 'ann', event: 'said', offset: 5, anchor: 'y' },
  ]);
  assert.deepEqual(subscription.position, { epoch: 'e', offset: 5, anchor: 'y' });
});

test('the beginning can be history', async (t) => {
  const w = new World(t);
  await w.open();
  const seen = record(w.client.subscribe('a', { history: 2 }));
  assert.equal(w.socket.last('subscribe').payload['history'], 2);
  w.socket.subscribed({
    epoch: 'e',
    offset: 9,
    messages: [
      { offset: 8, content: 'm8' },
      { offset: 9, content: 'm9', timestamp: 3 },
    ],
  });
  w.socket.say(message('a', 10));
  assert.deepEqual(seen, ['subscribed', 'm8', 'm9', 'm10']);
});

test('history that did not come with the answer is fetched, and keeps its place', async (t) => {
  const w = new World(t);
  await w.open();
  const seen = record(w.client.subscribe('a', { history: 2 }));
  w.socket.subscribed({ epoch: 'e', offset: 9 });
  assert.deepEqual(w.socket.last('history').payload, { channel: 'a', limit: 2 });
  w.socket
    .say(message('a', 10))
    .say({ type: 'gap', payload: { channel: 'a', epoch: 'e', offset: 12 } })
    .say(message('a', 13));
  assert.deepEqual(seen, ['subscribed']);
  const messages = [8, 9, 10].map((offset) => ({ offset, content: `m${offset}` }));
  w.socket.answer('history', 'history', { channel: 'a', epoch: 'e', offset: 10, messages });
  await rest();
  assert.deepEqual(seen, ['subscribed', 'm8', 'm9', 'm10', 'gap 12', 'm13']);
});

test('history that cannot be fetched holds up nothing', async (t) => {
  const w = new World(t);
  await w.open();
  const seen = record(w.client.subscribe('a', { history: 2 }));
  w.socket.subscribed({ epoch: 'e', offset: 9 }).say(message('a', 10));
  w.socket.answer('history', 'error', { code: 'FORBIDDEN', message: '' });
  await rest();
  assert.deepEqual(seen, ['subscribed', 'm10']);
});

test('history that is fetched survives the connection, with nothing twice', async (t) => {
  const w = new World(t);
  await w.open();
  const seen = record(w.client.subscribe('a', { history: 2 }));
  w.socket.subscribed({ epoch: 'e', offset: 9 }).say(message('a', 10));
  w.socket.drop();
  await w.retry();
  w.socket.greet();
  assert.deepEqual(w.socket.last('subscribe').payload, { channel: 'a', recover: { epoch: 'e', offset: 9 } });
  w.socket.subscribed({ epoch: 'e', offset: 10, recovered: true, messages: [{ offset: 10, content: 'm10' }] });
  w.socket.answer('history', 'history', {
    channel: 'a',
    epoch: 'e',
    offset: 10,
    messages: [
      { offset: 9, content: 'm9' },
      { offset: 10, content: 'm10' },
    ],
  });
  await rest();
  w.socket.say(message('a', 11));
  assert.deepEqual(seen, ['subscribed', 'subscribing', 'm9', 'subscribed', 'm10', 'm11']);
});

test('a new connection recovers what was missed, each message once', async (t) => {
  const w = new World(t);
  await w.open();
  const subscription = w.client.subscribe('a');
  const seen = record(subscription);
  w.socket.subscribed({ epoch: 'e', offset: 4 });
  w.socket.say(message('a', 5, 'abc'));
  w.socket.drop();
  assert.equal(subscription.state, 'subscribing');
  await w.retry();
  w.socket.greet();
  assert.deepEqual(w.socket.last('subscribe').payload, {
    channel: 'a',
    recover: { epoch: 'e', offset: 5, anchor: 'abc' },
  });
  const messages = [5, 6, 7].map((offset) => ({ offset, content: `m${offset}` }));
  w.socket.subscribed({ epoch: 'e', offset: 7, recovered: true, messages });
  w.socket.say(message('a', 7)).say(message('a', 8));
  assert.deepEqual(seen, ['subscribed', 'm5', 'subscribing', 'subscribed', 'm6', 'm7', 'm8']);
});

test('what cannot be recovered is told by a gap', async (t) => {
  const w = new World(t);
  await w.open();
  const subscription = w.client.subscribe('a');
  const seen = record(subscription);
  w.socket.subscribed({ epoch: 'e', offset: 4 });
  w.socket.drop();
  await w.retry();
  w.socket.greet().subscribed({ epoch: 'f', offset: 1, recovered: false });
  assert.deepEqual(subscription.position, { epoch: 'f', offset: 1 });
  w.socket.say(message('a', 2));
  assert.deepEqual(seen, ['subscribed', 'subscribing', 'subscribed', 'gap 1', 'm2']);
});

test('a history that went back in time is told by a gap, and its messages are new ones', async (t) => {
  const w = new World(t);
  await w.open();
  const seen = record(w.client.subscribe('a'));
  w.socket.subscribed({ epoch: 'e', offset: 90 });
  w.socket.drop();
  await w.retry();
  w.socket.greet().subscribed({ epoch: 'e', offset: 80, recovered: false });
  w.socket.say(message('a', 81));
  assert.deepEqual(seen.slice(2), ['subscribed', 'gap 80', 'm81']);
});

test('a message to one member arrives with its addresses and does not move the position', async (t) => {
  const w = new World(t);
  await w.open();
  const subscription = w.client.subscribe('a');
  const seen: unknown[] = [];
  subscription.on('message', ({ content, to, from }) => seen.push([content, to, from]));
  w.socket.answer('subscribe', 'subscribed', { channel: 'a', epoch: 'e', offset: 4 });
  const [to, from] = [{ user: 'ann' }, { user: 'bob', connection: 'c' }];
  w.socket.say({ type: 'message', payload: { channel: 'a', content: 1, to, from } });
  w.socket.say({ type: 'message', payload: { channel: 'a', content: 2, offset: 5 } });
  w.socket.say({ type: 'message', payload: { channel: 'a', content: 3, to } });
  assert.deepEqual(seen, [
    [1, to, from],
    [2, undefined, undefined],
    [3, to, undefined],
  ]);
  assert.deepEqual(subscription.position, { epoch: 'e', offset: 5 });
});

test('a gap on a live connection moves the position', async (t) => {
  const w = new World(t);
  await w.open();
  const subscription = w.client.subscribe('a');
  const seen = record(subscription);
  w.socket.subscribed({ epoch: 'e', offset: 4 });
  w.socket.say({ type: 'gap', payload: { channel: 'a', epoch: 'e', offset: 9 } });
  w.socket.say(message('a', 9)).say(message('a', 10));
  w.socket.say({ type: 'gap', payload: { channel: 'a', epoch: 'g', offset: 0 } });
  w.socket.say(message('a', 1));
  assert.deepEqual(seen, ['subscribed', 'gap 9', 'm10', 'gap 0', 'm1']);
  assert.deepEqual(subscription.position, { epoch: 'g', offset: 1 });
});

test('a channel without history has a gap wherever the connection was interrupted', async (t) => {
  const w = new World(t);
  await w.open();
  const seen = record(w.client.subscribe('a'));
  w.socket.subscribed().say(message('a', undefined)).say(message('a', undefined));
  w.socket.say({ type: 'gap', payload: { channel: 'a' } });
  w.socket.drop();
  await w.retry();
  w.socket.greet().subscribed();
  assert.deepEqual(seen, ['subscribed', 'm', 'm', 'gap undefined', 'subscribing', 'subscribed', 'gap undefined']);
});

test('an earlier visit is gone on with', async (t) => {
  const w = new World(t);
  await w.open();
  const recover = { epoch: 'e', offset: 4, anchor: 'x' };
  const seen = record(w.client.subscribe('a', { recover, history: 10 }));
  assert.deepEqual(w.socket.last('subscribe').payload, { channel: 'a', recover });
  w.socket.subscribed({ epoch: 'e', offset: 5, recovered: true, messages: [{ offset: 5, content: 'm5' }] });
  const lost = record(w.client.subscribe('b', { recover }));
  w.socket.subscribed({ epoch: 'f', offset: 5, recovered: false });
  assert.deepEqual(seen, ['subscribed', 'm5']);
  assert.deepEqual(lost, ['subscribed', 'gap 5']);
});

test('a refused subscription ends and says why', async (t) => {
  const w = new World(t);
  await w.open();
  const seen = record(w.client.subscribe('a'));
  const { id } = w.socket.last('subscribe');
  w.socket.say({ type: 'error', id: id!, payload: { code: 'FORBIDDEN', message: 'no' } });
  assert.deepEqual(seen, ['unsubscribed FORBIDDEN']);
  w.socket.drop();
  await w.retry();
  w.socket.greet();
  assert.equal(w.socket.all('subscribe').length, 0);
  assert.equal(w.client.subscribe('a').state, 'subscribing', 'a new one may be tried');
});

test('a subscription refused for now is tried again', async (t) => {
  const w = new World(t);
  await w.open();
  const seen = record(w.client.subscribe('a'));
  w.socket.answer('subscribe', 'error', { code: 'UNAVAILABLE', message: '', retryAfter: 3000 });
  await w.pass(2999);
  assert.equal(w.socket.all('subscribe').length, 1);
  await w.pass(1);
  assert.equal(w.socket.all('subscribe').length, 2);
  w.socket.answer('subscribe', 'error', { code: 'INTERNAL', message: '' });
  await w.pass(2000);
  w.socket.subscribed();
  assert.deepEqual(seen, ['subscribed']);
});

test('trying again ends with the connection', async (t) => {
  const w = new World(t);
  await w.open();
  w.client.subscribe('a');
  w.socket.answer('subscribe', 'error', { code: 'UNAVAILABLE', message: '', retryAfter: 15_000 });
  w.socket.drop();
  await w.retry();
  w.socket.greet().subscribed();
  await w.pass(20_000);
  assert.equal(w.socket.all('subscribe').length, 1);
});

test('the server ends a subscription', async (t) => {
  const w = new World(t);
  await w.open();
  const seen = record(w.client.subscribe('a'));
  w.socket.subscribed();
  w.socket.say({ type: 'unsubscribed', payload: { channel: 'a', code: 'FORBIDDEN', message: 'not any more' } });
  w.socket.say(message('a', 1));
  assert.deepEqual(seen, ['subscribed', 'unsubscribed FORBIDDEN']);
  assert.equal(w.socket.all('unsubscribe').length, 0);
});

test('the page ends a subscription', async (t) => {
  const w = new World(t);
  await w.open();
  const subscription = w.client.subscribe('a');
  const seen = record(subscription);
  w.socket.subscribed();
  subscription.unsubscribe();
  subscription.unsubscribe();
  assert.deepEqual(
    w.socket.all('unsubscribe').map(({ payload }) => payload),
    [{ channel: 'a' }],
  );
  w.socket.say(message('a', 1));
  assert.deepEqual(seen, ['subscribed', 'unsubscribed']);
});

test('a channel can be left and subscribed again at once', async (t) => {
  const w = new World(t);
  await w.open();
  const old = w.client.subscribe('a');
  const first = w.socket.last('subscribe').id!;
  old.unsubscribe();
  const subscription = w.client.subscribe('a');
  assert.notEqual(subscription, old);
  const seen = record(subscription);
  // Late answers to the first subscription.
  w.socket.say({ type: 'subscribed', id: first, payload: { channel: 'a' } }).say(message('a', undefined));
  w.socket.answer('unsubscribe', 'unsubscribed', { channel: 'a' });
  assert.deepEqual(seen, []);
  w.socket.subscribed().say(message('a', undefined));
  assert.deepEqual(seen, ['subscribed', 'm']);
  old.unsubscribe();
  assert.equal(w.client.subscribe('a'), subscription, 'ending the old one again does not end the new one');
});

test('unsubscribing without a connection is remembered', async (t) => {
  const w = new World(t);
  await w.open();
  const subscription = w.client.subscribe('a');
  w.client.subscribe('b');
  w.socket.subscribed();
  w.socket.drop();
  subscription.unsubscribe();
  assert.equal(subscription.state, 'unsubscribed');
  await w.retry();
  w.socket.greet();
  assert.deepEqual(
    w.socket.sent.map(({ type, payload }) => [type, payload.channel]),
    [['subscribe', 'b']],
  );
});

test('there is one subscription for a channel', async (t) => {
  const w = new World(t);
  await w.open();
  assert.equal(w.client.subscribe('a'), w.client.subscribe('a'));
  assert.equal(w.socket.all('subscribe').length, 1);
});

test('subscriptions made early wait for the connection', async (t) => {
  const w = new World(t);
  const client = w.connect();
  client.subscribe('a');
  client.subscribe('b');
  await rest();
  w.socket.greet();
  assert.deepEqual(
    w.socket.sent.map(({ type, payload }) => [type, payload.channel]),
    [
      ['subscribe', 'a'],
      ['subscribe', 'b'],
    ],
  );
});

test('subscriptions of a closed client are revived with it', async (t) => {
  const w = new World(t);
  await w.open();
  const subscription = w.client.subscribe('a');
  const seen = record(subscription);
  w.socket.subscribed({ epoch: 'e', offset: 1 });
  w.socket.drop(4403, 'kicked');
  assert.deepEqual(seen, ['subscribed', 'subscribing', 'unsubscribed 4403']);
  w.client.connect();
  await rest();
  w.socket.greet();
  assert.deepEqual(w.socket.last('subscribe').payload['recover'], { epoch: 'e', offset: 1 });
  w.socket.subscribed({ epoch: 'e', offset: 1, recovered: true });
  assert.equal(subscription.state, 'subscribed');
});

test('leaving in a listener stops a replay', async (t) => {
  const w = new World(t);
  await w.open();
  const subscription = w.client.subscribe('a', { history: 3 });
  const seen = record(subscription);
  subscription.on('message', () => subscription.unsubscribe());
  w.socket.subscribed({
    epoch: 'e',
    offset: 2,
    messages: [
      { offset: 1, content: 'm1' },
      { offset: 2, content: 'm2' },
    ],
  });
  assert.deepEqual(seen, ['subscribed', 'm1', 'unsubscribed']);
});

test('messages can be iterated over', async (t) => {
  const w = new World(t);
  await w.open();
  const subscription = w.client.subscribe<string>('a');
  w.socket.subscribed();
  const seen: string[] = [];
  const loop = (async () => {
    for await (const { content } of subscription) seen.push(content);
    seen.push('end');
  })();
  await rest();
  for (const content of ['one', 'two']) w.socket.say({ type: 'message', payload: { channel: 'a', content } });
  await rest();
  w.socket.say({ type: 'message', payload: { channel: 'a', content: 'three' } });
  subscription.unsubscribe();
  await loop;
  assert.deepEqual(seen, ['one', 'two', 'three', 'end']);
});

test('an iteration that is left stops listening', async (t) => {
  const w = new World(t);
  await w.open();
  const subscription = w.client.subscribe('a');
  w.socket.subscribed();
  const loop = (async () => {
    for await (const { content } of subscription) return content;
    return undefined;
  })();
  await rest();
  w.socket.say({ type: 'message', payload: { channel: 'a', content: 1 } });
  assert.equal(await loop, 1);
});

test('a filter goes with each subscribe, and position moves on without a message', async (t) => {
  const w = new World(t);
  await w.open();
  const subscription = w.client.subscribe('a', { filter: 'tags.team == "red"' });
  const seen = record(subscription);
  assert.deepEqual(w.socket.last('subscribe').payload, { channel: 'a', filter: 'tags.team == "red"' });
  w.socket.subscribed({ epoch: 'e', offset: 1 });
  const message = { channel: 'a', content: 'm2', offset: 2, tags: { team: 'red' } };
  subscription.on('message', ({ tags }) => seen.push(tags));
  w.socket.say({ type: 'message', payload: message });
  w.socket.say({ type: 'position', payload: { channel: 'a', epoch: 'e', offset: 9, anchor: 'x' } });
  assert.deepEqual(seen, ['subscribed', 'm2', { team: 'red' }]);
  assert.deepEqual(subscription.position, { epoch: 'e', offset: 9, anchor: 'x' });
  void subscription.publish(1, { tags: { team: 'blue', level: 2 } });
  assert.deepEqual(w.socket.last('message').payload['tags'], { team: 'blue', level: 2 });
});
