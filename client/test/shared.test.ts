import assert from 'node:assert/strict';
import test from 'node:test';
import type { Options, Subscription } from '../src/index.js';
import { shared } from '../src/shared.js';
import { SharedWorld } from './sharedworld.js';
import { rest } from './world.js';

/** Notes what a subscription brings. */
function seen(subscription: Subscription<any, any>): unknown[] {
  const list: unknown[] = [];
  subscription.on('message', ({ content }) => list.push(content));
  subscription.on('gap', () => list.push('gap'));
  return list;
}

const message = (offset: number, channel = 'a') => ({ type: 'message', payload: { channel, offset, content: offset } });

test('tabs use one connection, and subscribe once', async (t) => {
  const w = new SharedWorld(t);
  const one = await w.first();
  const two = await w.tab();
  assert.equal(w.sockets.length, 1);
  assert.deepEqual([one.state, two.state, two.connection], ['open', 'open', 'c1']);
  const [a, b] = [one.subscribe('a'), two.subscribe('a')];
  const lists = [seen(a), seen(b)];
  await rest();
  w.socket.subscribed();
  await rest();
  assert.deepEqual([a.state, b.state], ['subscribed', 'subscribed']);
  assert.equal(w.socket.all('subscribe').length, 1);
  w.socket.say({ type: 'message', payload: { channel: 'a', content: 'hi' } });
  await rest();
  assert.deepEqual(lists, [['hi'], ['hi']]);
  a.unsubscribe();
  await rest();
  assert.equal(w.socket.all('unsubscribe').length, 0);
  b.unsubscribe();
  await rest();
  assert.equal(w.socket.all('unsubscribe').length, 1);
});

test('other groups and clients with a token have connections of their own', async (t) => {
  const w = new SharedWorld(t);
  await w.first();
  await w.tab({ group: 'bob' });
  await w.tab({ token: 't' });
  assert.equal(w.sockets.length, 3);
  // @ts-expect-error Nobody would know whose tabs these are.
  assert.throws(() => shared({ timeout: 1000 }), /token or a group/);
  shared({ group: '' }) satisfies Options;
});

test('each tab gets the answers to its own commands', async (t) => {
  const w = new SharedWorld(t);
  const [one, two] = [await w.first(), await w.tab()];
  const acks = [one.publish('a', 1), two.publish('a', 2), one.history('a')];
  await rest();
  const [first, second] = w.socket.all('message');
  assert.notEqual(first!.id, second!.id);
  w.socket.say({ type: 'ack', id: second!.id!, payload: { channel: 'a', offset: 2 } });
  w.socket.say({ type: 'error', id: first!.id!, payload: { code: 'FORBIDDEN', message: 'no' } });
  w.socket.answer('history', 'history', { channel: 'a', messages: [{ offset: 1, content: 'x' }] });
  const [a, b, c] = await Promise.allSettled(acks);
  assert.equal(a!.status, 'rejected');
  assert.equal((b as PromiseFulfilledResult<any>).value.offset, 2);
  assert.equal((c as PromiseFulfilledResult<any>).value.messages[0].content, 'x');
});

test('a tab that comes later starts with its own part of the history', async (t) => {
  const w = new SharedWorld(t);
  const one = await w.first();
  const two = await w.tab();
  const first = seen(one.subscribe('a'));
  await rest();
  w.socket.subscribed({ epoch: 'e', offset: 7 });
  await rest();
  const later = two.subscribe('a', { history: 2 });
  const second = seen(later);
  await rest();
  assert.deepEqual(w.socket.last('history').payload, { limit: 2, channel: 'a' });
  w.socket.say(message(8)).say(message(9));
  w.socket.answer('history', 'history', {
    channel: 'a', epoch: 'e', offset: 8, messages: [{ offset: 7, content: 7 }, { offset: 8, content: 8 }],
  });
  await rest();
  assert.deepEqual([first, second], [[8, 9], [7, 8, 9]]);
  assert.deepEqual(later.position, { epoch: 'e', offset: 9 });
  assert.equal(w.socket.all('subscribe').length, 1);
});

test('a tab that comes later recovers what it has missed, or learns that it cannot', async (t) => {
  const w = new SharedWorld(t);
  const one = await w.first();
  one.subscribe('a');
  await rest();
  w.socket.subscribed({ epoch: 'e', offset: 7 });
  await rest();
  const current = seen((await w.tab()).subscribe('a', { recover: { epoch: 'e', offset: 7 } }));
  const recovered = seen((await w.tab()).subscribe('a', { recover: { epoch: 'e', offset: 5 } }));
  await rest();
  assert.deepEqual(w.socket.last('history').payload, { since: { epoch: 'e', offset: 5 }, limit: 1000, channel: 'a' });
  w.socket.answer('history', 'history', { channel: 'a', epoch: 'e', offset: 7, messages: [{ offset: 6, content: 6 }, { offset: 7, content: 7 }] });
  await rest();
  const lost = seen((await w.tab()).subscribe('a', { recover: { epoch: 'e', offset: 1 } }));
  await rest();
  w.socket.answer('history', 'history', { channel: 'a', epoch: 'e', offset: 7, lost: true, messages: [{ offset: 7, content: 7 }] });
  const forbidden = seen((await w.tab()).subscribe('a', { recover: { epoch: 'e', offset: 2 } }));
  await rest();
  w.socket.answer('history', 'error', { code: 'FORBIDDEN', message: '' });
  w.socket.say(message(8));
  await rest();
  assert.deepEqual([current, recovered, lost, forbidden], [[8], [6, 7, 8], ['gap', 8], ['gap', 8]]);
});

test('what the server says about a channel reaches all its tabs', async (t) => {
  const w = new SharedWorld(t);
  const [one, two] = [await w.first(), await w.tab()];
  const [a, b, c] = [one.subscribe('a'), two.subscribe('a'), two.subscribe('c')];
  await rest();
  for (const { id, payload } of w.socket.all('subscribe'))
    w.socket.say({ type: 'subscribed', id: id!, payload: { channel: payload.channel!, epoch: 'e', offset: 1 } });
  const lists = [seen(a), seen(b)];
  w.socket.say({ type: 'gap', payload: { channel: 'a', epoch: 'f', offset: 3 } }).say(message(4));
  await rest();
  assert.deepEqual(lists, [['gap', 4], ['gap', 4]]);
  w.socket.say({ type: 'unsubscribed', payload: { channel: 'a', code: 'FORBIDDEN', message: '' } });
  await rest();
  assert.deepEqual([a.state, b.state, c.state], ['unsubscribed', 'unsubscribed', 'subscribed']);
  one.subscribe('a');
  await rest();
  assert.equal(w.socket.all('subscribe').length, 3, 'a new subscription of the server');
});

test('a rejected subscription is tried for each tab that wants it', async (t) => {
  const w = new SharedWorld(t);
  const [one, two] = [await w.first(), await w.tab()];
  const [a, b] = [one.subscribe('a', { history: 5 }), two.subscribe('a')];
  await rest();
  w.socket.answer('subscribe', 'error', { code: 'FORBIDDEN', message: '' });
  await rest();
  w.socket.subscribed();
  await rest();
  assert.deepEqual([a.state, b.state], ['unsubscribed', 'subscribed']);
});

test('when the connection ends, all tabs connect again by one', async (t) => {
  const w = new SharedWorld(t);
  const [one, two] = [await w.first(), await w.tab()];
  const lists = [seen(one.subscribe('a')), seen(two.subscribe('a'))];
  await rest();
  w.socket.subscribed({ epoch: 'e', offset: 1 });
  await rest();
  w.socket.drop(1006);
  await rest();
  assert.deepEqual([one.state, two.state], ['reconnecting', 'reconnecting']);
  await w.pass(1000);
  assert.equal(w.sockets.length, 2);
  w.socket.greet();
  await rest();
  assert.deepEqual(w.socket.last('subscribe').payload, { channel: 'a', recover: { epoch: 'e', offset: 1 } });
  w.socket.subscribed({ epoch: 'e', offset: 2, recovered: true, messages: [{ offset: 2, content: 2 }] });
  await rest();
  w.socket.answer('history', 'history', { channel: 'a', epoch: 'e', offset: 2, messages: [{ offset: 2, content: 2 }] });
  await rest();
  assert.deepEqual(lists, [[2], [2]]);
});

test('a message of one tab does not overtake another one of it', async (t) => {
  const w = new SharedWorld(t);
  const [one, two] = [await w.first(), await w.tab()];
  w.socket.drop(1006);
  await rest();
  const acks = [one.publish('a', 1), two.publish('a', 'x'), one.publish('a', 2)];
  await w.pass(1000);
  w.socket.greet();
  await rest();
  const sent = (): unknown[] => w.socket.all('message').map(({ payload }) => [payload['content'], payload['after']]);
  assert.deepEqual(sent(), [[1, undefined], [2, true], ['x', undefined]], 'each tab sends what waited as one');
  const [first, second, third] = w.socket.all('message');
  w.socket.say({ type: 'error', id: first!.id!, payload: { code: 'RATE_LIMITED', message: '', retryAfter: 100 } });
  w.socket.say({ type: 'error', id: second!.id!, payload: { code: 'RATE_LIMITED', message: '', retryAfter: 100 } });
  w.socket.say({ type: 'ack', id: third!.id!, payload: { channel: 'a' } });
  await w.pass(200);
  assert.deepEqual(sent().at(-1), [1, undefined]);
  w.socket.answer('message', 'ack', { channel: 'a' });
  await w.pass(2000);
  w.socket.answer('message', 'ack', { channel: 'a' });
  await Promise.all(acks);
});

test('a page that is gone without a word leaves after a while, and at once with one', async (t) => {
  const w = new SharedWorld(t);
  const [one, two] = [await w.first(), await w.tab()];
  one.subscribe('a');
  two.subscribe('b');
  await rest();
  for (const { id, payload } of w.socket.all('subscribe')) w.socket.say({ type: 'subscribed', id: id!, payload: { channel: payload.channel! } });
  await rest();
  await w.crash(two);
  const three = await w.tab();
  const back = three.subscribe('b');
  await rest();
  assert.equal(back.state, 'subscribed', 'the page was loaded again');
  await w.crash(three);
  await w.pass(9000);
  assert.equal(w.socket.all('unsubscribe').length, 0);
  await w.pass(1000);
  assert.deepEqual(w.socket.all('unsubscribe').map(({ payload }) => payload.channel), ['b']);
  one.close();
  await rest();
  assert.deepEqual(w.socket.closed, { code: 1000 });
});

test('a page that does not answer is given up', async (t) => {
  const w = new SharedWorld(t);
  await w.first({}, 0);
  const silent = await w.tab();
  silent.subscribe('a');
  await rest();
  w.socket.subscribed();
  await rest();
  w.freeze(silent);
  await w.pass(100_000);
  assert.deepEqual(w.socket.all('unsubscribe').map(({ payload }) => payload.channel), ['a']);
});

test('a silent server is found by the pings of one tab, and left by all', async (t) => {
  const w = new SharedWorld(t);
  const [one, two] = [await w.first(), await w.tab()];
  await w.pass(25_000);
  assert.equal(w.socket.all('ping').length, 1);
  w.socket.say({ type: 'pong' });
  await rest();
  await w.pass(25_000);
  assert.equal(w.socket.all('ping').length, 2);
  await w.pass(10_000);
  assert.notEqual(one.state, 'open');
  assert.notEqual(two.state, 'open');
  assert.ok(w.sockets[0]!.closed);
  await w.pass(1000);
  assert.equal(w.sockets.length, 2);
});

for (const broken of ['at once', 'later', 'silent'] as const)
  test(`without the worker, which fails ${broken}, a client has a connection of its own`, async (t) => {
    const w = new SharedWorld(t);
    w.broken = broken;
    const one = await w.tab();
    await w.pass(3000);
    w.socket.greet();
    await rest();
    assert.equal(one.state, 'open');
    one.subscribe('a');
    await rest();
    assert.equal(w.socket.all('subscribe').length, 1);
    w.socket.drop(1006);
    await w.pass(1000);
    assert.equal(w.sockets.length, 2, 'it does not ask for the worker again');
    one.close();
    assert.deepEqual(w.socket.closed, { code: 1000 });
  });

test('a filter needs a connection of its own where others have the channel', async (t) => {
  const w = new SharedWorld(t);
  const [one, two] = [await w.first(), await w.tab()];
  one.subscribe('a');
  await rest();
  w.socket.subscribed();
  await rest();
  two.subscribe('a', { filter: 'tags.x == 1' });
  await rest();
  assert.deepEqual([one.state, two.state], ['open', 'reconnecting']);
  await w.pass(1000);
  w.socket.greet();
  await rest();
  assert.equal(w.sockets.length, 2);
  assert.equal(w.socket.last('subscribe').payload['filter'], 'tags.x == 1');
  assert.equal(w.sockets[0]!.closed, undefined);
});
