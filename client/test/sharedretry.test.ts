// Shared connections: what the server rejects for the moment, or finally.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Subscription } from '../src/index.js';
import { SharedWorld } from './sharedworld.js';
import { rest } from './world.js';

const fast = { code: 'RATE_LIMITED', message: '', retryAfter: 100 };
const passing = [fast, { code: 'UNAVAILABLE', message: '' }, { code: 'INTERNAL', message: '' }];

/** Two tabs, of which the first one is subscribed to a channel. */
async function subscribed(t: test.TestContext, answer: object = {}, options: object = {}) {
  const w = new SharedWorld(t);
  const [one, two] = [await w.first({}, 0), await w.tab()];
  const a = one.subscribe('a', options);
  await rest();
  w.socket.subscribed(answer);
  await rest();
  const said = (type: string): unknown[] => w.socket.all(type).map(({ payload: { channel: _, ...payload } }) => payload);
  return { w, one, two, a, said };
}

function seen(subscription: Subscription<any, any>): unknown[] {
  const list: unknown[] = [];
  subscription.on('message', ({ content }) => list.push(content));
  subscription.on('gap', () => list.push('gap'));
  return list;
}

for (const error of passing)
  test(`a status that the server answered with ${error.code} is sent again, and counts once it is accepted`, async (t) => {
    const { w, a, said } = await subscribed(t);
    a.presence.update({ status: 'away' });
    await rest();
    for (let i = 0; i < 3; i++) {
      w.socket.answer('presence', 'error', error);
      await w.pass(5000);
    }
    assert.deepEqual(said('presence'), Array(4).fill({ status: 'away' }));
    w.socket.answer('presence', 'ack');
    await w.pass(60_000);
    assert.equal(said('presence').length, 4);
  });

test('the status that a page leaves behind is shown, although the server was busy', async (t) => {
  const { w, two, a, said } = await subscribed(t);
  two.subscribe('a', { status: 'away' });
  a.presence.update({ status: 'typing' });
  await rest();
  w.socket.answer('presence', 'ack');
  a.unsubscribe();
  await rest();
  w.socket.answer('presence', 'error', fast);
  await w.pass(1000);
  assert.deepEqual(said('presence'), [{ status: 'typing' }, { status: 'away' }, { status: 'away' }]);
});

test('what the server rejects of one tab is not sent for another one', async (t) => {
  const { w, one, two, a, said } = await subscribed(t, {}, { info: { name: 'Ann' } });
  const errors: unknown[] = [];
  one.on('error', ({ code }) => errors.push(code));
  const b = two.subscribe('a');
  a.presence.update({ info: { name: 'too long' } });
  b.presence.update({ status: 'away' });
  a.presence.update({ status: 'away' });
  await rest();
  w.socket.answer('presence', 'error', { code: 'TOO_LARGE', message: '' });
  await rest();
  assert.deepEqual(said('presence'), [{ info: { name: 'too long' } }, { status: 'away' }]);
  assert.deepEqual(errors, ['TOO_LARGE']);
});

test('what a rejected subscription would have shown is not taken for shown', async (t) => {
  const w = new SharedWorld(t);
  const [one, two] = [await w.first(), await w.tab()];
  one.subscribe('a', { info: { name: 'Ann' } });
  const b = two.subscribe('a');
  await rest();
  w.socket.answer('subscribe', 'error', { code: 'FORBIDDEN', message: '' });
  await rest();
  w.socket.subscribed();
  await rest();
  b.presence.update({ info: { name: 'Ann' } });
  await rest();
  assert.deepEqual(w.socket.all('presence').map(({ payload }) => payload['info']), [{ name: 'Ann' }]);
});

test('a status that a tab sets while it subscribes is newer than that of its subscription', async (t) => {
  const w = new SharedWorld(t);
  const [one, two] = [await w.first(), await w.tab()];
  one.subscribe('a', { status: 'away' });
  const b = two.subscribe('a', { status: 'busy' });
  await rest();
  b.presence.update({ status: 'typing' });
  await rest();
  w.socket.subscribed();
  for (let i = 0; i < 3; i++) {
    await rest();
    if (w.socket.all('presence').length > i) w.socket.answer('presence', 'ack');
  }
  assert.equal(w.socket.last('presence').payload['status'], 'typing');
});

test('after the server has ended a subscription, nobody shows what its tabs showed', async (t) => {
  const { w, two } = await subscribed(t, {}, { info: { name: 'Ann' } });
  w.socket.say({ type: 'unsubscribed', payload: { channel: 'a', code: 'FORBIDDEN', message: '' } });
  await rest();
  const b = two.subscribe('a');
  await rest();
  w.socket.subscribed();
  b.presence.update({ info: { name: 'Ann' } });
  await rest();
  assert.deepEqual(w.socket.last('presence').payload['info'], { name: 'Ann' });
});

for (const error of passing)
  test(`a subscription survives ${error.code} where the worker needs a new state of the document`, async (t) => {
    const w = new SharedWorld(t);
    const [one, two] = [await w.first({}, 0), await w.tab()];
    const plain = one.subscribe('d');
    const document = two.document('d');
    await rest();
    w.socket.subscribed({ document: { epoch: 'e', version: 1, state: { n: 1 } } });
    await rest();
    w.socket.say({ type: 'gap', payload: { channel: 'd' } });
    await rest();
    for (let i = 0; i < 3; i++) {
      w.socket.answer('subscribe', 'error', error);
      await w.pass(5000);
    }
    w.socket.subscribed({ document: { epoch: 'e', version: 2, state: { n: 2 } } });
    await rest();
    assert.deepEqual([plain.state, document.status, document.value], ['subscribed', 'synced', { n: 2 }]);
  });

for (const error of passing)
  test(`the history is fetched again after ${error.code}, without a gap`, async (t) => {
    const { w, two, said } = await subscribed(t, { epoch: 'e', offset: 7 });
    const list = seen(two.subscribe('a', { recover: { epoch: 'e', offset: 5 } }));
    await rest();
    for (let i = 0; i < 2; i++) {
      w.socket.answer('history', 'error', error);
      await w.pass(5000);
    }
    assert.equal(said('history').length, 3);
    w.socket.say({ type: 'message', payload: { channel: 'a', offset: 8, content: 8 } });
    w.socket.answer('history', 'history', { channel: 'a', epoch: 'e', offset: 7, messages: [{ offset: 6, content: 6 }, { offset: 7, content: 7 }] });
    await rest();
    assert.deepEqual(list, [6, 7, 8]);
  });

test('a tab does not wait for the history while too many messages arrive', async (t) => {
  const { w, two, said } = await subscribed(t, { epoch: 'e', offset: 0 });
  const list = seen(two.subscribe('a', { recover: { epoch: 'd', offset: 5 } }));
  await rest();
  for (let offset = 1; offset <= 1000; offset++) w.socket.say({ type: 'message', payload: { channel: 'a', offset, content: offset } });
  w.socket.answer('history', 'error', fast);
  await w.pass(5000);
  assert.equal(said('history').length, 1);
  assert.deepEqual([list.length, list[0]], [1001, 'gap']);
});

test('a tab that waits for the history learns that the server has ended the subscription', async (t) => {
  const { w, two } = await subscribed(t, { epoch: 'e', offset: 7 });
  const b = two.subscribe('a', { recover: { epoch: 'e', offset: 5 } });
  await rest();
  w.socket.say({ type: 'unsubscribed', payload: { channel: 'a', code: 'FORBIDDEN', message: '' } });
  await rest();
  assert.equal(b.state, 'unsubscribed');
});

test('a tab that comes later sees the members, although the server could not tell at first', async (t) => {
  const { w, two, said } = await subscribed(t);
  w.socket.say({ type: 'presence', payload: { channel: 'a', users: ['ann'], count: 1, seq: 1 } });
  const { presence } = two.subscribe('a');
  await rest();
  w.socket.answer('presence', 'error', { code: 'UNAVAILABLE', message: '' });
  await w.pass(5000);
  assert.equal(said('presence').length, 2);
  w.socket.answer('presence', 'presence', { channel: 'a', users: ['ann'], count: 1, seq: 1 });
  await rest();
  assert.deepEqual([...presence.members.keys()], ['ann']);
});

test('a rejected unsubscribe is sent again, unless a tab has come', async (t) => {
  const { w, one, two, a, said } = await subscribed(t);
  a.unsubscribe();
  await rest();
  w.socket.answer('unsubscribe', 'error', fast);
  await w.pass(1000);
  assert.equal(said('unsubscribe').length, 2);
  w.socket.answer('unsubscribe', 'error', fast);
  const b = two.subscribe('a');
  await w.pass(60_000);
  assert.equal(said('unsubscribe').length, 2);
  w.socket.answer('subscribe', 'error', { code: 'ALREADY_SUBSCRIBED', message: '' });
  await w.pass(1000);
  assert.deepEqual([said('unsubscribe').length, said('subscribe').length], [3, 3]);
  w.socket.answer('unsubscribe', 'unsubscribed', { channel: 'a' });
  w.socket.subscribed();
  await w.pass(60_000);
  assert.deepEqual([b.state, one.state, said('unsubscribe').length], ['subscribed', 'open', 3]);
});
