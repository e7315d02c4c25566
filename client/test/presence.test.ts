import assert from 'node:assert/strict';
import test from 'node:test';
import type { Presence } from '../src/index.js';
import { applyDiff, applySnapshot, type Change, type Members } from '../src/members.js';
import { World } from './world.js';

function names({ members, events }: Change): unknown {
  return [[...members.keys()].join(' '), events.map(({ name, member }) => `${name} ${member.id}`).join(', ')];
}

const nobody: Members = new Map();
const both = applySnapshot(nobody, { users: ['ann', 'bob'], info: { bob: { status: 'away', desk: 4 } } }).members;

test('a snapshot says who is there, and how', () => {
  assert.deepEqual(
    [...both.values()],
    [
      { id: 'ann', status: 'online', info: {} },
      { id: 'bob', status: 'away', info: { desk: 4 } },
    ],
  );
});

test('a later snapshot tells only what changed', () => {
  const info = { bob: { status: 'away', desk: 4 } };
  const cases: [object, string, string][] = [
    [{ users: ['ann', 'bob'], info }, 'ann bob', ''],
    [{ users: ['bob', 'ann'], info }, 'bob ann', ''],
    [{ users: ['ann', 'bob'] }, 'ann bob', 'update bob'],
    [{ users: ['bob', 'cat'], info }, 'bob cat', 'leave ann, enter cat'],
    [{ users: [] }, '', 'leave ann, leave bob'],
    [{ users: ['bob'], info, more: true }, 'bob', ''],
  ];
  for (const [snapshot, members, events] of cases)
    assert.deepEqual(names(applySnapshot(both, snapshot)), [members, events]);
});

test('diffs change members', () => {
  const cases: [object, string, string][] = [
    [{ entered: ['cat'] }, 'ann bob cat', 'enter cat'],
    [{ left: ['ann'] }, 'bob', 'leave ann'],
    [{ left: ['ann'], entered: ['ann'] }, 'bob ann', 'leave ann, enter ann'],
    [{ updated: ['ann'], info: { ann: { status: 'away' } } }, 'ann bob', 'update ann'],
    [{ updated: ['bob'] }, 'ann bob', 'update bob'],
    [{ updated: ['dan'], info: { dan: { status: 'away' } } }, 'ann bob dan', 'update dan'],
    [{ entered: ['ann'] }, 'ann bob', ''],
    [{ left: ['zoe'] }, 'ann bob', ''],
    [{}, 'ann bob', ''],
  ];
  for (const [diff, members, events] of cases) assert.deepEqual(names(applyDiff(both, diff)), [members, events]);
  assert.equal(both.size, 2, 'the members before are left alone');
});

test('names like those of objects are names', () => {
  for (const id of ['__proto__', 'constructor', 'toString']) {
    assert.deepEqual(applySnapshot(nobody, { users: [id], info: {} }).members.get(id), {
      id,
      status: 'online',
      info: {},
    });
  }
});

async function present(w: World): Promise<[Presence, string[], () => void]> {
  await w.open();
  const subscription = w.client.subscribe('a', { status: 'busy' });
  const { presence } = subscription;
  const seen: string[] = [];
  for (const name of ['enter', 'leave', 'update'] as const)
    presence.on(name, ({ id, status }) => seen.push(`${name} ${id} ${status}`));
  presence.on('sync', (members) => seen.push(`sync ${[...members.keys()]} ${presence.count}`));
  return [presence, seen, () => subscription.unsubscribe()];
}

test('diffs that come before the snapshot wait for it', async (t) => {
  const w = new World(t);
  const [presence, seen] = await present(w);
  assert.equal(w.socket.last('subscribe').payload['status'], 'busy');
  w.socket.subscribed();
  w.socket.say({ type: 'presence', payload: { channel: 'a', entered: ['cat'], count: 3 } });
  assert.deepEqual(seen, []);
  w.socket.say({ type: 'presence', payload: { channel: 'a', users: ['ann', 'bob'], count: 2 } });
  w.socket.say({
    type: 'presence',
    payload: { channel: 'a', left: ['ann'], updated: ['bob'], info: { bob: { status: 'away' } }, count: 2 },
  });
  assert.deepEqual(seen, [
    'enter ann online',
    'enter bob online',
    'enter cat online',
    'sync ann,bob,cat 3',
    'leave ann online',
    'update bob away',
  ]);
  assert.deepEqual([...presence.members.keys()], ['bob', 'cat']);
});

test('a diff that a snapshot has overtaken changes nothing', async (t) => {
  const w = new World(t);
  const [presence, seen] = await present(w);
  const say = (payload: object) => w.socket.say({ type: 'presence', payload: { channel: 'a', ...payload } });
  w.socket.subscribed();
  say({ left: ['bob'], count: 1, seq: 6 });
  say({ users: ['ann', 'bob'], count: 2, seq: 7 });
  say({ entered: ['bob'], count: 2, seq: 7 });
  say({ left: ['bob'], count: 1, seq: 5 });
  say({ entered: ['cat'], count: 3, seq: 8 });
  assert.deepEqual(seen, ['enter ann online', 'enter bob online', 'sync ann,bob 2', 'enter cat online']);
  assert.equal(presence.count, 3);
  assert.equal(w.socket.all('presence').length, 0);
});

test('a diff that is missing is noticed', async (t) => {
  const w = new World(t);
  const [, seen] = await present(w);
  const say = (payload: object) => w.socket.say({ type: 'presence', payload: { channel: 'a', ...payload } });
  w.socket.subscribed();
  say({ users: ['ann'], count: 1, seq: 7 });
  say({ entered: ['cat'], count: 3, seq: 9 });
  say({ entered: ['dan'], count: 4, seq: 10 });
  assert.deepEqual(
    w.socket.all('presence').map(({ payload }) => payload),
    [{ channel: 'a' }],
  );
  seen.length = 0;
  w.socket.answer('presence', 'presence', { channel: 'a', users: ['ann', 'bob', 'cat', 'dan'], count: 4, seq: 10 });
  assert.deepEqual(seen, ['enter bob online', 'sync ann,bob,cat,dan 4']);
});

test('frames are numbered anew on every connection', async (t) => {
  const w = new World(t);
  const [presence] = await present(w);
  w.socket.subscribed().say({ type: 'presence', payload: { channel: 'a', users: ['ann'], count: 1, seq: 90 } });
  w.socket.drop();
  await w.retry();
  w.socket.greet().subscribed();
  w.socket.say({ type: 'presence', payload: { channel: 'a', users: ['ann'], count: 1, seq: 3 } });
  w.socket.say({ type: 'presence', payload: { channel: 'a', left: ['ann'], count: 0, seq: 4 } });
  assert.equal(presence.members.size, 0);
});

test('the count of a large room is not that of the known members', async (t) => {
  const w = new World(t);
  const [presence] = await present(w);
  w.socket.subscribed().say({ type: 'presence', payload: { channel: 'a', users: ['ann'], more: true, count: 10_000 } });
  assert.equal(presence.count, 10_000);
  assert.equal(presence.members.size, 1);
});

test('after a reconnect the members are compared', async (t) => {
  const w = new World(t);
  const [presence, seen] = await present(w);
  w.socket.subscribed().say({ type: 'presence', payload: { channel: 'a', users: ['ann', 'bob'], count: 2 } });
  w.socket.drop();
  assert.equal(presence.members.size, 2, 'the last that is known');
  await w.retry();
  w.socket.greet().subscribed();
  seen.length = 0;
  w.socket.say({ type: 'presence', payload: { channel: 'a', left: ['bob'], count: 1 } });
  w.socket.say({ type: 'presence', payload: { channel: 'a', users: ['bob', 'cat'], count: 2 } });
  assert.deepEqual(seen, ['leave ann online', 'enter cat online', 'leave bob online', 'sync cat 1']);
});

test('the own appearance is told now and after every reconnect', async (t) => {
  const w = new World(t);
  const [presence] = await present(w);
  w.socket.subscribed();
  presence.update({ status: 'away' });
  assert.deepEqual(w.socket.last('presence').payload, { channel: 'a', status: 'away' });
  w.socket.drop();
  presence.update({ info: { desk: 4 } });
  await w.retry();
  w.socket.greet();
  const { status, info } = w.socket.last('subscribe').payload;
  assert.deepEqual({ status, info }, { status: 'away', info: { desk: 4 } });
  assert.equal(w.socket.all('presence').length, 0);
});

test('an appearance that changes while the subscription is made is told behind it', async (t) => {
  const w = new World(t);
  const [presence, , leave] = await present(w);
  presence.update({ status: 'away' });
  assert.deepEqual(
    w.socket.sent.map(({ type, payload }) => [type, payload['status']]),
    [
      ['subscribe', 'busy'],
      ['presence', 'away'],
    ],
  );
  w.socket.subscribed();
  leave();
  presence.update({ status: 'online' });
  assert.equal(w.socket.all('presence').length, 1);
});

test('an appearance that changes while a refused subscription waits goes with the next try', async (t) => {
  const w = new World(t);
  const [presence] = await present(w);
  w.socket.answer('subscribe', 'error', { code: 'UNAVAILABLE', message: '', retryAfter: 10 });
  presence.update({ status: 'away' });
  assert.equal(w.socket.all('presence').length, 0);
  await w.pass(30_000);
  assert.equal(w.socket.last('subscribe').payload['status'], 'away');
});

test('an appearance that is refused is told', async (t) => {
  const w = new World(t);
  const [presence] = await present(w);
  const errors: unknown[] = [];
  w.client.on('error', ({ code }) => errors.push(code));
  w.socket.subscribed();
  presence.update({ info: { long: 'story' } });
  w.socket.answer('presence', 'error', { code: 'INVALID_MESSAGE', message: 'too long' });
  presence.update({ status: 'away' });
  w.socket.answer('presence', 'ack', { channel: 'a' });
  assert.deepEqual(errors, ['INVALID_MESSAGE']);
});

test('a channel that was left has no members', async (t) => {
  const w = new World(t);
  const [presence, , leave] = await present(w);
  w.socket.subscribed().say({ type: 'presence', payload: { channel: 'a', users: ['ann'], count: 1 } });
  leave();
  assert.equal(presence.members.size, 0);
  assert.equal(presence.count, 0);
});
