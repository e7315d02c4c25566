// Shared connections: tokens, members and documents.
import assert from 'node:assert/strict';
import test from 'node:test';
import { SharedWorld } from './sharedworld.js';
import { rest } from './world.js';

const authenticated = (user: string, expires?: number) => ({ user, ...(expires !== undefined && { expires }) });

test('the tabs of a user share a connection, and one of them renews the token for all', async (t) => {
  const w = new SharedWorld(t);
  let [count, chance] = [0, 0];
  Object.defineProperty(w, 'random', { get: () => (chance = (chance + 0.3) % 1) });
  const token = (): string => `t${++count}`;
  const one = await w.first({ token }, 0);
  w.socket.answer('authenticate', 'authenticated', authenticated('ann', 1_100_000));
  await rest();
  const two = await w.tab({ token });
  assert.deepEqual(w.socket.last('authenticate').payload, { token: 't2' });
  w.socket.answer('authenticate', 'authenticated', authenticated('ann', 1_101_000));
  await rest();
  assert.deepEqual([one.state, two.state, one.user, two.user], ['open', 'open', 'ann', 'ann']);
  assert.equal(w.sockets.length, 1);
  for (let s = 0; s < 91 && count < 3; s++) await w.pass(1000);
  assert.equal(w.socket.all('authenticate').length, 3, 'one of them renews it');
  w.socket.answer('authenticate', 'authenticated', authenticated('ann', 1_200_000));
  await w.pass(20_000);
  assert.equal(w.socket.all('authenticate').length, 3, 'and the other one does not');
});

test('a token that another tab has sent already is not sent again', async (t) => {
  const w = new SharedWorld(t);
  await w.first({ token: 't' });
  w.socket.answer('authenticate', 'authenticated', authenticated('ann'));
  await rest();
  const two = await w.tab({ token: 't' });
  assert.deepEqual([two.state, two.user, w.socket.all('authenticate').length], ['open', 'ann', 1]);
});

test('a token that expires earlier does not shorten the life of the connection', async (t) => {
  const w = new SharedWorld(t);
  await w.first({ token: 'long' });
  w.socket.answer('authenticate', 'authenticated', authenticated('ann', 9_000_000));
  await rest();
  const two = await w.tab({ token: 'short' });
  w.socket.answer('authenticate', 'authenticated', authenticated('ann', 2_000_000));
  await rest();
  assert.equal(two.state, 'open');
  assert.deepEqual(w.socket.all('authenticate').map(({ payload }) => payload['token']), ['long', 'short', 'long']);
});

test('a tab of another user has a connection of its own', async (t) => {
  const w = new SharedWorld(t);
  const one = await w.first({ token: 'ann' });
  w.socket.answer('authenticate', 'authenticated', authenticated('ann'));
  await rest();
  const two = await w.tab({ token: 'bob' });
  w.socket.answer('authenticate', 'error', { code: 'FORBIDDEN', message: 'another user' });
  await rest();
  assert.equal(w.sockets.length, 2);
  w.socket.greet({ connection: 'c2', heartbeat: 25_000 });
  await rest();
  w.socket.answer('authenticate', 'authenticated', authenticated('bob'));
  await rest();
  assert.deepEqual([one.user, two.user, one.connection, two.connection], ['ann', 'bob', 'c1', 'c2']);
  assert.equal(two.state, 'open');
});

test('a tab that comes later sees the members', async (t) => {
  const w = new SharedWorld(t);
  const [one, two] = [await w.first(), await w.tab()];
  const a = one.subscribe('a').presence;
  await rest();
  w.socket.subscribed().say({ type: 'presence', payload: { channel: 'a', users: ['ann', 'bob'], count: 2, seq: 3 } });
  await rest();
  const b = two.subscribe('a').presence;
  await rest();
  w.socket.say({ type: 'presence', payload: { channel: 'a', left: ['bob'], count: 1, seq: 4 } });
  w.socket.answer('presence', 'error', { code: 'RATE_LIMITED', message: '', retryAfter: 200 });
  await w.pass(200);
  w.socket.answer('presence', 'presence', { channel: 'a', users: ['ann'], count: 1, seq: 4 });
  w.socket.say({ type: 'presence', payload: { channel: 'a', entered: ['cleo'], count: 2, seq: 5 } });
  await rest();
  for (const presence of [a, b]) assert.deepEqual([...presence.members.keys()], ['ann', 'cleo']);
});

test('a user is away when all tabs are, and shows the word of any tab', async (t) => {
  const w = new SharedWorld(t);
  const [one, two] = [await w.first(), await w.tab()];
  const a = one.subscribe('a', { info: { name: 'Ann' } }).presence;
  const b = two.subscribe('a');
  await rest();
  w.socket.subscribed();
  await rest();
  const told = (): unknown[] => w.socket.all('presence').map(({ payload: { channel: _, ...rest } }) => rest);
  assert.deepEqual(told(), []);
  a.update({ status: 'away' });
  await rest();
  assert.deepEqual(told(), [], 'the other one is online');
  b.presence.update({ status: 'away' });
  await rest();
  assert.deepEqual(told(), [{ status: 'away' }]);
  w.socket.answer('presence', 'ack');
  a.update({ status: 'typing', info: { name: 'Anna' } });
  await rest();
  assert.deepEqual(told().slice(1), [{ status: 'typing', info: { name: 'Anna' } }]);
  w.socket.answer('presence', 'ack');
  one.close();
  await rest();
  assert.deepEqual(told().slice(2), [{ status: 'away' }]);
});

const state = (n: number, version = n) => ({ document: { epoch: 'e', version, state: { n } } });

test('the change of one tab is that of another client for the others, and who comes later has it', async (t) => {
  const w = new SharedWorld(t);
  const [one, two, three] = [await w.first(), await w.tab(), await w.tab()];
  const [a, b] = [one.document('d'), two.document('d')];
  await rest();
  w.socket.subscribed(state(1));
  await rest();
  assert.deepEqual([a.value, b.value], [{ n: 1 }, { n: 1 }]);
  const saved = a.update({ x: 'mine' });
  await rest();
  w.socket.answer('change', 'change-accepted', { channel: 'd', localVersion: 1, epoch: 'e', serverVersion: 2 } as object);
  await rest();
  assert.equal(await saved, true);
  w.socket.say({ type: 'remote-change', payload: { channel: 'd', epoch: 'e', serverVersion: 3, patch: { y: 'theirs' } } as object });
  await rest();
  const c = three.document('d');
  await rest();
  for (const document of [a, b, c]) assert.deepEqual([document.value, document.status], [{ n: 1, x: 'mine', y: 'theirs' }, 'synced']);
  assert.equal(w.socket.all('subscribe').length, 1);
});

test('after a gap the document comes from the server, once for all tabs', async (t) => {
  const w = new SharedWorld(t);
  const [one, two] = [await w.first(), await w.tab()];
  const [a, b] = [one.document('d'), two.document('d')];
  await rest();
  w.socket.subscribed(state(1));
  await rest();
  w.socket.say({ type: 'gap', payload: { channel: 'd' } });
  await rest();
  assert.equal(w.socket.all('unsubscribe').length, 1);
  assert.equal(w.socket.all('subscribe').length, 2);
  w.socket.subscribed(state(5));
  await rest();
  for (const document of [a, b]) assert.deepEqual([document.value, document.status], [{ n: 5 }, 'synced']);
  assert.equal(w.socket.all('subscribe').length, 2);
});

test('if the server has a fault then, the worker tries again, and the tabs get what follows', async (t) => {
  const w = new SharedWorld(t);
  const [one, two] = [await w.first(), await w.tab()];
  const [a, b] = [one.document('d'), two.document('d')];
  await rest();
  w.socket.subscribed(state(1));
  await rest();
  w.socket.say({ type: 'gap', payload: { channel: 'd' } });
  await rest();
  w.socket.answer('subscribe', 'error', { code: 'INTERNAL', message: '' });
  await w.pass(1000);
  w.socket.subscribed(state(5));
  await rest();
  w.socket.say({ type: 'remote-change', payload: { channel: 'd', epoch: 'e', serverVersion: 6, patch: { n: 6 } } as object });
  await rest();
  for (const document of [a, b]) assert.deepEqual([document.value, document.status], [{ n: 6 }, 'synced']);
});

test('a missing version makes the worker ask the server', async (t) => {
  const w = new SharedWorld(t);
  const [one, two] = [await w.first(), await w.tab()];
  const a = one.document('d');
  await rest();
  w.socket.subscribed(state(1));
  await rest();
  w.socket.say({ type: 'remote-change', payload: { channel: 'd', epoch: 'e', serverVersion: 3, patch: { n: 3 } } as object });
  const b = two.document('d');
  await rest();
  assert.equal(w.socket.all('subscribe').length, 2);
  w.socket.subscribed(state(3));
  await rest();
  for (const document of [a, b]) assert.deepEqual(document.value, { n: 3 });
});
