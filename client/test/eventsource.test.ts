import assert from 'node:assert/strict';
import test from 'node:test';
import type { Options } from '../src/index.js';
import { rest, World } from './world.js';

async function open(w: World, options: Options = {}): Promise<unknown[]> {
  const client = w.connect({ transport: 'sse', EventSource: w.EventSource, ...options });
  const seen: unknown[] = [];
  client.subscribe('a').on('message', ({ content }) => seen.push(content));
  await rest();
  w.sources.at(-1)!.say('connected', { type: 'connected', payload: { heartbeat: 25_000 } });
  w.sources.at(-1)!.say('subscribed', { type: 'subscribed', payload: { channel: 'a', epoch: 'e', offset: 1 } }, 'c1');
  return seen;
}

function said(content: string, offset: number) {
  return { type: 'message', payload: { channel: 'a', content, offset } };
}

test('streams can be read with an EventSource', async (t) => {
  const w = new World(t);
  const seen = await open(w, { token: 'secret', credentials: 'include', events: ['news'] });
  const [source] = w.sources;
  assert.equal(source!.url.href, 'https://example.com/rt?channel=a&token=secret');
  assert.equal(source!.init.withCredentials, true);
  assert.equal(w.client.state, 'open');
  source!.say('message', said('plain', 2), 'c2');
  source!.say('news', said('named', 3), 'c3');
  source!.say('other', said('not heard', 4), 'c4');
  assert.deepEqual(seen, ['plain', 'named']);
  assert.equal(w.requests.length, 0);
});

test('changes of documents are heard from an EventSource', async (t) => {
  const w = new World(t);
  const types: string[] = [];
  await open(w);
  w.client.subscribe('a').on('frame', ({ type }) => types.push(type));
  w.sources[0]!.say('remote-change', { type: 'remote-change', payload: { channel: 'a', serverVersion: 1, patch: {} } });
  assert.deepEqual(types, ['remote-change']);
});

test('a broken EventSource is resumed by the client', async (t) => {
  const w = new World(t);
  await open(w);
  w.sources[0]!.fail();
  assert.equal(w.status.state, 'reconnecting');
  assert.equal(w.sources[0]!.readyState, 2);
  await w.retry();
  assert.equal(w.sources[1]!.url.searchParams.get('lastEventID'), 'c1');
});

test('why an EventSource was refused is asked for', async (t) => {
  const w = new World(t);
  w.connect({ transport: 'sse', EventSource: w.EventSource, token: 'x' }).subscribe('a');
  await rest();
  w.sources[0]!.fail(true);
  w.stream.problem(401, 'UNAUTHORIZED');
  await rest();
  assert.equal(w.status.state, 'closed');
  assert.equal(w.status.reason?.code, 'UNAUTHORIZED');
});

test('an event called error is not an error', async (t) => {
  const w = new World(t);
  await open(w);
  const errors: unknown[] = [];
  w.client.on('error', ({ code }) => errors.push(code));
  w.sources[0]!.say('error', { type: 'error', payload: { code: 'INTERNAL', message: '' } });
  assert.deepEqual(errors, ['INTERNAL']);
  assert.equal(w.client.state, 'open');
});

test('an EventSource hides the heartbeat, so that silence means nothing', async (t) => {
  const w = new World(t);
  await open(w);
  await w.pass(120_000);
  assert.equal(w.client.state, 'open');
});

test('closing closes the EventSource', async (t) => {
  const w = new World(t);
  await open(w);
  w.client.close();
  assert.equal(w.sources[0]!.readyState, 2);
  assert.equal(w.client.state, 'closed');
});
