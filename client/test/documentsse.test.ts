import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { Realtime, type Patch, type SharedDocument } from '../src/documents.js';
import type { Payload } from '../src/wire.js';
import type { FakeRequest } from './fakehttp.js';
import { rest, World } from './world.js';

/** A page whose WebSockets do not get through, with a document. */
class Desk {
  readonly seen: unknown[] = [];
  constructor(
    readonly w: World,
    readonly doc: SharedDocument<any>,
  ) {
    doc.on('change', ({ value }) => this.seen.push(value));
    doc.on('conflict', ({ patch, error }) => this.seen.push(['conflict', patch, error.code]));
    doc.on('rejected', ({ patch, error }) => this.seen.push(['rejected', patch, error.code]));
  }

  /** What was seen since the last call. */
  get news(): unknown[] {
    return this.seen.splice(0);
  }

  /** The requests with changes. */
  get posts(): FakeRequest[] {
    return this.w.requests.filter(({ method }) => method === 'POST');
  }

  async greet(state: unknown, version: number): Promise<void> {
    const payload = { channel: 'd/1', document: { epoch: 'e', version, state } };
    this.w.stream.greet().say({ type: 'subscribed', payload });
    await rest();
  }

  async remote(serverVersion: number, patch: Patch): Promise<void> {
    this.w.stream.say({ type: 'remote-change', payload: { channel: 'd/1', epoch: 'e', serverVersion, patch } });
    await rest();
  }

  /** Answers the newest change, as a server does. */
  async answer(status: number, fields: Payload, post = this.posts.at(-1)!): Promise<void> {
    const { localVersion } = post.body as Payload;
    post.answer(status, { channel: 'd/1', localVersion, epoch: 'e', ...fields });
    await rest();
  }
}

async function desk(t: TestContext, state: unknown = { list: [] }): Promise<Desk> {
  const w = new World(t);
  w.Client = Realtime;
  const d = new Desk(w, (w.connect({ transport: 'sse' }) as Realtime).document('d/1'));
  await rest();
  await d.greet(state, 4);
  assert.equal(d.doc.status, 'synced');
  d.news;
  return d;
}

const append = (value: unknown): Patch => [{ op: 'add', path: '/list/-', value }];

test('over an event stream an update is a request', async (t) => {
  const d = await desk(t);
  const saved = d.doc.update({ title: 'mine' });
  await rest();
  const [post] = d.posts;
  assert.equal(post!.url.href, 'https://example.com/rt/channels/d%2F1/document/changes');
  assert.equal(post!.headers['content-type'], 'application/json');
  const { client, ...sent } = post!.body;
  assert.match(client as string, /^[!-~]{16,64}$/, 'long enough to count beyond this connection');
  assert.deepEqual(sent, { channel: 'd/1', localVersion: 1, epoch: 'e', baseVersion: 4, patch: { title: 'mine' } });
  await d.answer(200, { serverVersion: 5 });
  assert.equal(await saved, true);
  assert.equal(d.doc.status, 'synced');
  await d.remote(5, { title: 'mine' });
  await d.remote(6, { title: 'theirs' });
  assert.deepEqual(d.news, [{ list: [], title: 'mine' }, { list: [], title: 'theirs' }]);
});

test('the own change is made once, if the stream brings it before the answer', async (t) => {
  const d = await desk(t);
  const saved = d.doc.update(append('mine'));
  await rest();
  await d.remote(5, append('theirs'));
  await d.remote(6, append('mine'));
  await d.remote(7, append('more'));
  assert.deepEqual(d.doc.value, { list: ['mine'] }, 'until it is known, nothing is shown twice');
  await d.answer(200, { serverVersion: 6 });
  assert.equal(await saved, true);
  assert.deepEqual(d.doc.value, { list: ['theirs', 'mine', 'more'] });
});

test('the answer may come ahead of changes before it', async (t) => {
  const d = await desk(t);
  const saved = d.doc.update(append('mine'));
  await rest();
  await d.remote(5, append('a'));
  await d.answer(200, { serverVersion: 8 });
  assert.deepEqual(d.doc.value, { list: ['a', 'mine'] }, 'what is not the own is shown');
  d.doc.update({ title: 'next' });
  await d.remote(6, append('b'));
  assert.deepEqual([d.doc.status, d.posts.length], ['saving', 1]);
  await d.remote(7, append('c'));
  assert.equal(await saved, true);
  await d.remote(8, append('mine'));
  await d.remote(9, append('d'));
  assert.deepEqual(d.doc.value, { list: ['a', 'b', 'c', 'mine'], title: 'next' });
  const { baseVersion, localVersion, patch } = d.posts[1]!.body;
  assert.deepEqual([baseVersion, localVersion, patch], [8, 2, { title: 'next' }]);
  await d.answer(200, { serverVersion: 10 });
  assert.deepEqual([d.doc.value, d.doc.status], [{ list: ['a', 'b', 'c', 'mine', 'd'], title: 'next' }, 'synced']);
  assert.equal(d.w.requests.filter(({ isStream }) => isStream).length, 1, 'nothing was read anew');
});

test('a gap behind an answer that is ahead reads the document anew', async (t) => {
  const d = await desk(t);
  const saved = d.doc.update(append('mine'));
  await rest();
  await d.answer(200, { serverVersion: 6 });
  const first = d.w.stream;
  first.say({ type: 'gap', payload: { channel: 'd/1' } });
  await d.w.pass(20);
  assert.notEqual(d.w.stream, first);
  await d.greet({ list: ['theirs', 'mine'] }, 6);
  assert.equal(d.posts.length, 2);
  await d.answer(200, { serverVersion: 6, duplicate: true });
  assert.equal(await saved, true);
  assert.deepEqual([d.doc.value, d.doc.status], [{ list: ['theirs', 'mine'] }, 'synced']);
});

test('a refusal comes with the state', async (t) => {
  const d = await desk(t, { title: 'a', n: 0 });
  const fates = [d.doc.update({ title: 'mine' }), d.doc.update({ n: 1 })];
  await rest();
  const about = { serverVersion: 6, serverState: { title: 'theirs', n: 0 } };
  await d.answer(409, { code: 'CONFLICT', message: 'late', ...about });
  assert.deepEqual(d.news.at(-1), ['conflict', { title: 'mine' }, 'CONFLICT']);
  assert.deepEqual(d.posts[1]!.body['baseVersion'], 6);
  await d.answer(422, { code: 'SCHEMA_VIOLATION', message: 'no', ...about });
  assert.deepEqual(d.news.at(-1), ['rejected', { n: 1 }, 'SCHEMA_VIOLATION']);
  await d.remote(5, { title: 'theirs' });
  assert.deepEqual(await Promise.all(fates), [false, false]);
  assert.deepEqual([d.doc.value, d.doc.status], [{ title: 'theirs', n: 0 }, 'synced']);
});

test('what says nothing about the change is waited out, or takes it back', async (t) => {
  const d = await desk(t);
  const saved = d.doc.update({ title: 'mine' });
  await rest();
  d.posts[0]!.fail();
  await d.w.pass(1000);
  d.posts[1]!.answer(502, 'of a proxy');
  await d.w.pass(2000);
  d.posts[2]!.problem(503, 'UNAVAILABLE');
  await d.w.pass(1000);
  d.posts[3]!.answer(429, 'of a proxy');
  await d.w.pass(2000);
  assert.equal(new Set(d.posts.map(({ init }) => init.body)).size, 1);
  await d.answer(200, { serverVersion: 5, duplicate: true });
  assert.equal(await saved, true);
  const refused = d.doc.update({ title: 'more' });
  await rest();
  d.posts.at(-1)!.problem(403, 'FORBIDDEN');
  assert.equal(await refused, false);
  assert.deepEqual([d.news.at(-1), d.doc.value.title], [['rejected', { title: 'more' }, 'FORBIDDEN'], 'mine']);
});

test('a change survives a stream that is opened anew, and the next connection', async (t) => {
  const d = await desk(t);
  const saved = d.doc.update(append('mine'));
  await rest();
  d.w.client.subscribe('other');
  await d.w.pass(20);
  await d.greet({ list: ['mine'] }, 5);
  await d.answer(200, { serverVersion: 5 }, d.posts[0]);
  assert.equal(await saved, true);
  await d.answer(200, { serverVersion: 5, duplicate: true }, d.posts[1]);
  assert.deepEqual([d.doc.value, d.doc.status], [{ list: ['mine'] }, 'synced']);

  const next = d.doc.update(append('next'));
  await rest();
  d.w.stream.end();
  await rest();
  await d.w.retry();
  await d.greet({ list: ['mine', 'theirs'] }, 6);
  const [{ init: first }, { init: second }] = d.posts.slice(-2) as [FakeRequest, FakeRequest];
  assert.equal(second.body, first.body);
  await d.answer(200, { serverVersion: 8 });
  await d.remote(7, append('x'));
  assert.equal(await next, true);
  assert.deepEqual(d.doc.value, { list: ['mine', 'theirs', 'x', 'next'] });
});
