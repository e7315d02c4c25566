import assert from 'node:assert/strict';
import test from 'node:test';
import { Realtime } from '../src/documents.js';
import { rest, World } from './world.js';

test('two parts of a page do not end the subscription of each other', async (t) => {
  const w = new World(t);
  await w.open();
  const [one, two] = [w.client.subscribe('a'), w.client.subscribe('a')];
  assert.equal(one, two);
  w.socket.subscribed();
  one.unsubscribe();
  assert.equal(two.state, 'subscribed');
  assert.equal(w.socket.all('unsubscribe').length, 0);
  const three = w.client.subscribe('a');
  two.unsubscribe();
  three.unsubscribe();
  assert.equal(w.socket.all('unsubscribe').length, 1);
  assert.notEqual(w.client.subscribe('a'), one);
});

test('a subscription that the server ended is not counted any more', async (t) => {
  const w = new World(t);
  await w.open();
  const old = w.client.subscribe('a');
  w.client.subscribe('a');
  w.socket.subscribed().say({ type: 'unsubscribed', payload: { channel: 'a', code: 'FORBIDDEN', message: '' } });
  const now = w.client.subscribe('a');
  assert.notEqual(now, old);
  old.unsubscribe();
  old.unsubscribe();
  assert.equal(w.client.subscribe('a'), now);
});

test('a document ends with the last part of the page that has it', async (t) => {
  const w = new World(t);
  w.Client = Realtime;
  const client = (await w.open()) as Realtime;
  const [one, two] = [client.document('a'), client.document('a')];
  w.socket.subscribed({ document: { epoch: 'e', version: 1, state: { n: 1 } } });
  one.close();
  assert.equal(two.status, 'synced');
  const saved = two.update({ n: 2 });
  assert.equal(two.pending, 1);
  two.close();
  assert.equal(two.status, 'closed');
  assert.equal(await saved, false, 'given up');
});

test('listeners by the name of the event', async (t) => {
  const w = new World(t);
  await w.open();
  const a = w.client.subscribe<{ text: string }, { typing: { on: boolean }; said: { text: string } }>('a');
  const seen: unknown[] = [];
  a.on('message', ({ event, content }) => seen.push(['message', event, content.text]));
  a.on('event:typing', ({ content, sender }) => seen.push(['typing', sender, content.on satisfies boolean]));
  const off = a.on('event:said', ({ content }) => seen.push(['said', content.text satisfies string]));
  w.socket.subscribed();
  const say = (event: string | undefined, content: object): void =>
    void w.socket.say({ type: 'message', payload: { channel: 'a', sender: 'ann', content, ...(event !== undefined && { event }) } });
  say('said', { text: 'hi' });
  say('typing', { on: true });
  off();
  say('said', { text: 'bye' });
  say('', { text: 'empty' });
  say(undefined, { text: 'none' });
  assert.deepEqual(seen, [
    ['message', 'said', 'hi'],
    ['said', 'hi'],
    ['message', 'typing', undefined],
    ['typing', 'ann', true],
    ['message', 'said', 'bye'],
    ['message', '', 'empty'],
    ['message', undefined, 'none'],
  ]);
  // @ts-expect-error: the map has no such event
  a.on('event:other', () => {});
  const free = w.client.subscribe('b');
  free.on('event:anything', ({ content }) => content satisfies unknown);
});

test('a listener for one event', async (t) => {
  const w = new World(t);
  await w.open();
  const a = w.client.subscribe<number>('a');
  const seen: unknown[] = [];
  a.once('message', ({ content }) => seen.push(`one ${content}`));
  a.once('message', () => assert.fail('taken back'))();
  w.socket.subscribed();
  for (const content of [1, 2]) w.socket.say({ type: 'message', payload: { channel: 'a', content } });
  assert.deepEqual(seen, ['one 1']);
  await rest();
});
