// The requests of a client with an event stream, when they get no answer.
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { Options, Realtime } from '../src/index.js';
import type { FakeRequest } from './fakehttp.js';
import { rest, World } from './world.js';

async function streaming(w: World, options: Options = {}, ...channels: string[]): Promise<Realtime> {
  const client = w.connect({ transport: 'sse', ...options });
  for (const channel of channels) client.subscribe(channel);
  await rest();
  w.stream.greet();
  await rest();
  return client;
}

const posts = (w: World): FakeRequest[] => w.requests.filter(({ method }) => method === 'POST');

/** Lets time pass on a stream that is alive. */
async function live(w: World, ms: number): Promise<void> {
  for (; ms > 0; ms -= 5000) {
    w.stream.write(':\n\n');
    await w.pass(Math.min(ms, 5000));
  }
}

test('a request that hangs does not hold up the next', async (t) => {
  const w = new World(t);
  const client = await streaming(w, {}, 'a');
  void client.publish('a', 1);
  const second = client.publish('a', 2);
  await rest();
  assert.equal(posts(w).length, 1, 'they go in order');
  await w.pass(9999);
  assert.equal(posts(w).length, 1);
  await w.pass(1);
  assert.ok(posts(w)[0]!.aborted);
  const sent = posts(w).find(({ body }) => body['content'] === 2)!;
  assert.ok(sent, 'the second is sent when the first has taken too long');
  sent.answer(200, { offset: 1 });
  assert.equal((await second).offset, 1);
});

test('a request that hangs does not hold up another channel at all', async (t) => {
  const w = new World(t);
  const client = await streaming(w, {}, 'a', 'b');
  void client.publish('a', 1);
  void client.publish('b', 2);
  await rest();
  assert.deepEqual(
    posts(w).map(({ body }) => body['content']),
    [1, 2],
  );
});

test('a request that hangs is repeated with its key, and done once it is answered', async (t) => {
  const w = new World(t);
  const client = await streaming(w, {}, 'a');
  const published = client.publish('a', 1);
  await live(w, 11_000);
  assert.equal(posts(w).length, 2);
  assert.equal(posts(w)[0]!.body['id'], posts(w)[1]!.body['id']);
  posts(w)[1]!.answer(200, { duplicate: true });
  assert.equal((await published).duplicate, true);
});

test('an answer that begins and does not end is none', async (t) => {
  const w = new World(t);
  const client = await streaming(w, {}, 'a');
  const page = client.history('a');
  await rest();
  w.request.accept();
  await live(w, 11_000);
  assert.equal(w.requests.filter(({ isStream }) => !isStream).length, 2);
  w.request.answer(200, { messages: [] });
  assert.deepEqual((await page).messages, []);
});

test('a request that is never answered is given up', async (t) => {
  for (const answer of [() => {}, (request: FakeRequest) => request.answer(502, 'of a proxy')]) {
    const w = new World(t);
    const client = await streaming(w, {}, 'a');
    let code: unknown;
    client.publish('a', 1).catch((error) => (code = error.code));
    for (let s = 0; s < 100 && !code; s += 5) {
      await rest();
      answer(w.request);
      await live(w, 5000);
    }
    assert.ok(code === 408 || code === 502, String(code));
    assert.equal(client.state, 'open');
    t.mock.reset();
  }
});

test('fetch may ignore that it is given up', async (t: TestContext) => {
  const w = new World(t);
  const { fetch } = w.options();
  const client = await streaming(w, { fetch: (url, { signal, ...init }: RequestInit = {}) => fetch!(String(url), init.method ? init : { ...init, signal: signal! }) }, 'a');
  void client.publish('a', 1);
  const second = client.publish('a', 2);
  await w.pass(10_000);
  posts(w).at(-1)!.answer(200, {});
  assert.deepEqual(await second, { channel: 'a' });
});

test('a stream that is opened anew and gets no answer is a lost connection', async (t) => {
  const w = new World(t);
  const client = w.connect({ transport: 'sse' });
  await rest();
  w.stream.problem(400, 'INVALID_CHANNEL'); // there is nothing to stream, and no heartbeat
  await rest();
  client.subscribe('a');
  await w.pass(20);
  await w.pass(9999);
  assert.equal(client.state, 'open');
  await w.pass(1);
  assert.equal(client.state, 'reconnecting');
  assert.equal(w.status.reason?.message, 'no answer in time');
});

test('questions about a refused stream get an answer in time, or none', async (t) => {
  const w = new World(t);
  const client = w.connect({ transport: 'sse' });
  for (const channel of ['a', 'b']) client.subscribe(channel);
  await rest();
  w.stream.problem(403, 'FORBIDDEN');
  await rest();
  await w.pass(10_000);
  assert.notEqual(client.state, 'connecting');
});

test('a token function that hangs is asked again', async (t) => {
  const w = new World(t);
  let asked = 0;
  const token = (): Promise<string> | string => (++asked === 1 ? 't1' : new Promise<string>(() => {}));
  w.connect({ token });
  await rest();
  w.socket.greet().answer('authenticate', 'authenticated', { expires: 1_000_000 + 100_000 });
  const errors: unknown[] = [];
  w.client.on('error', ({ code, message }) => errors.push([code, message]));
  for (let s = 0; s < 110; s += 5, await w.pass(5000)) w.socket.say({ type: 'pong' });
  assert.ok(asked >= 3, `asked ${asked} times`);
  assert.deepEqual(errors[0], ['TOKEN_FAILED', 'no answer in time']);
});
