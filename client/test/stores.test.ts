import assert from 'node:assert/strict';
import test from 'node:test';
import { Realtime } from '../src/documents.js';
import { channelStore, connectionStore, documentStore, presenceStore, Store } from '../src/stores.js';
import { rest, World } from './world.js';

test('a store opens with the first listener and closes after the last, and not between two', async () => {
  let [opened, closed] = [0, 0];
  let set = (_: number): void => {};
  const { subscribe, getSnapshot } = new Store(0, (give) => {
    opened++;
    set = give;
    give(1);
    return () => closed++;
  });
  assert.equal(getSnapshot(), 0);
  const seen: string[] = [];
  const same = (n: number): void => void seen.push(`same ${n}`);
  const off = [subscribe((n) => seen.push(`one ${n}`)), subscribe(same), subscribe(same)];
  set(2);
  off[1]!();
  set(3);
  off[0]!();
  off[2]!();
  off.push(subscribe(same));
  await rest();
  assert.deepEqual([opened, closed], [1, 0]);
  off[3]!();
  off[3]!();
  await rest();
  assert.deepEqual([opened, closed, getSnapshot()], [1, 1, 3], 'the value stays');
  assert.deepEqual(seen, ['one 1', 'one 1', 'same 1', 'same 1', 'one 2', 'same 2', 'same 2', 'one 3', 'same 3', 'same 3']);
  subscribe(same);
  await rest();
  assert.equal(opened, 2);
});

test('the store of a connection', async (t) => {
  const w = new World(t);
  const client = w.connect();
  const store = connectionStore(client);
  assert.equal(store.getSnapshot().state, 'closed');
  store.subscribe(() => {});
  assert.equal(store.getSnapshot().state, 'connecting');
  const same = store.getSnapshot();
  await rest();
  w.socket.greet({ connection: 'c', user: 'ann' });
  assert.equal(same.state, 'connecting', 'a snapshot does not change');
  assert.equal(store.getSnapshot(), store.getSnapshot());
  assert.deepEqual({ ...store.getSnapshot() }, { state: 'open', transport: 'websocket', user: 'ann', reason: undefined, retryIn: undefined });
  w.socket.drop();
  assert.equal(store.getSnapshot().reason?.code, 1006);
  assert.ok(store.getSnapshot().retryIn! > 0);
});

test('the store of a channel keeps the newest messages, and ends the subscription with its last listener', async (t) => {
  const w = new World(t);
  const client = await w.open();
  const store = channelStore<number>(client, 'a', { history: 2, keep: 3 });
  assert.equal(w.socket.all('subscribe').length, 0);
  const off = store.subscribe(() => {});
  assert.deepEqual(w.socket.last('subscribe').payload, { channel: 'a', history: 2 });
  w.socket.subscribed({ messages: [{ content: 1 }, { content: 2 }] });
  for (const content of [3, 4]) w.socket.say({ type: 'message', payload: { channel: 'a', content } });
  w.socket.say({ type: 'gap', payload: { channel: 'a' } });
  const { messages, state, gaps, subscription } = store.getSnapshot();
  assert.deepEqual([messages.map(({ content }) => content), state, gaps], [[2, 3, 4], 'subscribed', 1]);
  assert.equal(subscription, client.subscribe('a'));
  subscription!.unsubscribe();
  const published = store.publish(5, { event: 'e' });
  w.socket.answer('message', 'ack', { channel: 'a' });
  await published;
  off();
  await rest();
  assert.equal(w.socket.all('unsubscribe').length, 1);
  w.socket.say({ type: 'message', payload: { channel: 'a', content: 6 } });
  assert.equal(store.getSnapshot().messages.length, 3);
});

test('a store of a channel that the page has already starts with the history, too', async (t) => {
  const w = new World(t);
  const client = await w.open();
  client.subscribe('a', { history: 2 });
  w.socket.subscribed({ epoch: 'e', offset: 2, messages: [{ offset: 1, content: 1 }, { offset: 2, content: 2 }] });
  const store = channelStore<number>(client, 'a', { history: 2 });
  const off = store.subscribe(() => {});
  w.socket.say({ type: 'message', payload: { channel: 'a', offset: 3, content: 3 } });
  w.socket.answer('history', 'history', { epoch: 'e', offset: 3, messages: [{ offset: 2, content: 2 }, { offset: 3, content: 3 }] });
  await rest();
  assert.deepEqual(store.getSnapshot().messages.map(({ content }) => content), [2, 3]);
  off();
});

test('the store of a channel says why it ended', async (t) => {
  const w = new World(t);
  const store = channelStore(await w.open(), 'a');
  store.subscribe(() => {});
  w.socket.answer('subscribe', 'error', { code: 'FORBIDDEN', message: 'no' });
  assert.deepEqual([store.getSnapshot().state, store.getSnapshot().error?.code], ['unsubscribed', 'FORBIDDEN']);
});

test('the store of members changes once for each frame', async (t) => {
  const w = new World(t);
  const store = presenceStore(await w.open(), 'a', { status: 'busy' });
  const seen: unknown[] = [];
  store.subscribe(({ members, count }) => seen.push([members.map(({ id }) => id).join(' '), count]));
  assert.equal(w.socket.last('subscribe').payload['status'], 'busy');
  w.socket.subscribed();
  seen.length = 0;
  const say = (payload: object): void => void w.socket.say({ type: 'presence', payload: { channel: 'a', ...payload } });
  say({ users: ['ann', 'bob', 'cat'], count: 3 });
  say({ left: ['ann', 'bob'], count: 1 });
  say({ count: 7 });
  w.socket.say({ type: 'message', payload: { channel: 'a', content: 1 } });
  assert.deepEqual(seen, [['ann bob cat', 3], ['cat', 1], ['cat', 7]]);
  store.update({ status: 'away' });
  assert.equal(w.socket.last('presence').payload['status'], 'away');
});

test('the store of a document', async (t) => {
  const w = new World(t);
  w.Client = Realtime;
  const client = (await w.open()) as Realtime;
  const store = documentStore<{ n: number }>(client, 'a');
  await assert.rejects(store.update({ n: 1 }));
  const off = store.subscribe(() => {});
  assert.equal(store.getSnapshot().status, 'loading');
  await assert.rejects(store.update({ n: 1 }), { code: 'UNAVAILABLE' });
  w.socket.subscribed({ document: { epoch: 'e', version: 1, state: { n: 1 } } });
  assert.deepEqual({ ...store.getSnapshot() }, { value: { n: 1 }, status: 'synced', pending: 0, canUndo: false, error: undefined });
  const { update, undo } = store;
  const saved = update((draft) => void draft.n++);
  assert.deepEqual([store.getSnapshot().value, store.getSnapshot().status, store.getSnapshot().canUndo], [{ n: 2 }, 'saving', true]);
  assert.equal(undo(), true);
  assert.deepEqual(store.getSnapshot().value, { n: 1 });
  off();
  await rest();
  assert.equal(w.socket.all('unsubscribe').length, 1);
  assert.equal(await saved, false);
});
