import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { withCalls, type Calls, type Options } from '../src/calls.js';
import type { Realtime } from '../src/index.js';
import type { FakeRequest } from './fakehttp.js';
import { rest, World } from './world.js';

/** A client with calls and an open connection. */
async function opened(t: TestContext, options: Options = {}): Promise<[World, Realtime & Calls]> {
  const w = new World(t);
  const client = withCalls(w.connect(options));
  await rest();
  if (options.transport === 'sse') w.stream.greet();
  else w.socket.greet();
  await rest();
  return [w, client];
}

const posts = (w: World): FakeRequest[] => w.requests.filter(({ method }) => method === 'POST');

/** How a promise ends. */
function ended(promise: Promise<unknown>): { value?: unknown; error?: any } {
  const end: { value?: unknown; error?: any } = {};
  promise.then(
    (value) => (end.value = value),
    (error: unknown) => (end.error = error),
  );
  return end;
}

test('a call resolves to the answer of the app', async (t) => {
  const [w, client] = await opened(t);
  const sum = client.call<number>('sum', [1, 2]);
  await rest();
  assert.deepEqual(w.socket.last('call').payload, { method: 'sum', params: [1, 2] });
  w.socket.answer('call', 'result', { result: 3 });
  assert.equal(await sum, 3);
  const nothing = client.call('nothing');
  await rest();
  w.socket.answer('call', 'result', { result: null });
  assert.equal(await nothing, null);
});

test('a call rejects with the code of the app, and not as an event', async (t) => {
  const [w, client] = await opened(t);
  client.on('error', () => assert.fail());
  const call = ended(client.call('buy'));
  await rest();
  w.socket.answer('call', 'error', { code: 'OUT_OF_STOCK', message: 'none left' });
  await rest();
  assert.deepEqual([call.error.code, call.error.message], ['OUT_OF_STOCK', 'none left']);
});

test('a call without an answer is not sent on the next connection', async (t) => {
  const [w, client] = await opened(t);
  const [sent, message] = [ended(client.call('pay')), ended(client.publish('a', 1))];
  await rest();
  w.socket.drop();
  await rest();
  assert.equal(sent.error.code, 'CONNECTION_LOST');
  const later = ended(client.call('look'));
  await w.retry();
  w.socket.greet();
  await rest();
  assert.deepEqual(w.socket.all('call').map(({ payload }) => payload['method']), ['look']);
  assert.equal(w.socket.all('message').length, 1, 'a message is sent again');
  w.socket.answer('call', 'result', { result: 1 });
  await rest();
  assert.deepEqual([later.value, message.error], [1, undefined]);
});

test('a call that the server does not take now is not sent again', async (t) => {
  const [w, client] = await opened(t);
  const call = ended(client.call('a'));
  await rest();
  w.socket.answer('call', 'error', { code: 'RATE_LIMITED', message: 'slower', retryAfter: 100 });
  await w.pass(5000);
  assert.deepEqual([call.error.code, call.error.retryAfter], ['RATE_LIMITED', 100]);
  assert.equal(w.socket.all('call').length, 1);
});

test('a call made while the client becomes open is sent once', async (t) => {
  const w = new World(t);
  const client = withCalls(w.connect());
  let call: { error?: any } = {};
  client.on('state', ({ state }) => state === 'open' && (call = ended(client.call('early'))));
  await rest();
  w.socket.greet();
  await rest();
  assert.equal(w.socket.all('call').length, 1);
  w.socket.answer('call', 'error', { code: 'RATE_LIMITED', message: 'slower' });
  await rest();
  assert.equal(call.error.code, 'RATE_LIMITED');
});

test('a call has its own time limit, without a connection as well', async (t) => {
  const [w, client] = await opened(t);
  const short = ended(client.call('a', null, { timeout: 500 }));
  await w.pass(500);
  assert.deepEqual([short.error.code, short.error.message], [408, 'no answer in time']);
  w.socket.answer('call', 'result', { result: 1 });
  w.socket.drop();
  const unsent = ended(client.call('b', null, { timeout: 1 }));
  await w.pass(1);
  assert.deepEqual([unsent.error.code, unsent.error.message], [408, 'no connection in time']);
  await w.retry();
  w.socket.greet();
  await rest();
  assert.equal(w.socket.all('call').length, 0);
});

test('a signal gives a call up', async (t) => {
  const [w, client] = await opened(t);
  const abort = new AbortController();
  const call = ended(client.call('a', null, { signal: abort.signal }));
  await rest();
  abort.abort(new Error('enough'));
  await rest();
  assert.equal(call.error.message, 'enough');
  await assert.rejects(client.call('b', null, { signal: abort.signal }), { message: 'enough' });
  assert.equal(w.socket.all('call').length, 1);
});

test('at most eight calls are open, also if the page gave some up', async (t) => {
  const [w, client] = await opened(t);
  for (let n = 0; n < 10; n++) ended(client.call('a', n, { timeout: 1000 }));
  await w.pass(1000);
  ended(client.call('a', 10));
  await rest();
  assert.equal(w.socket.all('call').length, 8);
  w.socket.say({ type: 'result', id: w.socket.all('call')[0]!.id!, payload: { result: 1 } });
  await rest();
  assert.equal(w.socket.last('call').payload['params'], 10);
});

test('closing the client rejects its calls', async (t) => {
  const [w, client] = await opened(t);
  const sent = ended(client.call('a'));
  await rest();
  client.close();
  await rest();
  assert.equal(sent.error.code, 'CONNECTION_LOST');
  await assert.rejects(client.call('b'), { code: 'CLOSED' });
  client.connect();
  const waiting = ended(client.call('c'));
  client.close();
  await rest();
  assert.equal(waiting.error.code, 'CLOSED');
  assert.equal(w.sockets.length, 1);
});

test('over an event stream a call is one request', async (t) => {
  const [w, client] = await opened(t, { transport: 'sse', token: 't1' });
  const sum = ended(client.call('sum', [1, 2]));
  await rest();
  const [request] = posts(w);
  assert.equal(request!.url.pathname, '/rt/call');
  assert.equal(request!.headers['authorization'], 'Bearer t1');
  assert.deepEqual(request!.body, { method: 'sum', params: [1, 2] });
  w.stream.end();
  await rest();
  request!.answer(200, { result: 3 });
  await rest();
  assert.equal(sum.value, 3, 'the end of the stream is not that of the request');
});

test('over an event stream errors are those of a WebSocket, and nothing is repeated', async (t) => {
  const [w, client] = await opened(t, { transport: 'sse' });
  const answers: [(request: FakeRequest) => void, unknown][] = [
    [(request) => request.problem(409, 'OUT_OF_STOCK'), 'OUT_OF_STOCK'],
    [(request) => request.answer(502, 'of a proxy'), 502],
    [(request) => request.answer(200, 'no JSON'), 'CONNECTION_LOST'],
    [(request) => request.fail(), 'CONNECTION_LOST'],
    [(request) => void w.pass(10_000).then(() => assert.ok(request.aborted)), 408],
  ];
  for (const [answer, code] of answers) {
    const call = ended(client.call('a'));
    await rest();
    answer(w.request);
    await w.pass(code === 408 ? 10_000 : 0);
    assert.equal(call.error?.code, code);
  }
  assert.equal(posts(w).length, answers.length);
});

test('params that are no JSON are rejected', async (t) => {
  for (const transport of ['websocket', 'sse'] as const) {
    const [, client] = await opened(t, { transport });
    await assert.rejects(client.call('a', 1n), { code: 'INVALID_MESSAGE' });
    t.mock.reset();
  }
});
