// An address that never worked: what is wrong with it is said once, and not tried
// for ever.
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { delivered } from '../src/settings.js';
import { rest, World } from './world.js';

/** Node.js says something in the console, too. */
const ours = (text: string): boolean => text.startsWith('caddy-realtime');

/** A world with a console, and with a page of an origin. */
function world(t: TestContext, origin?: string) {
  const console_ = t.mock.method(console, 'error', () => {});
  const scope = globalThis as { location?: object };
  if (origin) scope.location = { href: `${origin}/page`, origin };
  t.after(() => delete scope.location);
  return { w: new World(t), said: () => console_.mock.calls.map(({ arguments: [text] }) => String(text)).filter(ours) };
}

/** Answers the questions about the address, in their order. */
async function answer(w: World, ...answers: ((request: World['probes'][0]) => void)[]): Promise<void> {
  for (const [i, say] of answers.entries()) {
    await rest();
    say(w.probes.at(-1)!);
    assert.equal(w.probes.length, i + 1);
  }
  await rest();
}

for (const transport of ['auto', 'websocket', 'sse'] as const) {
  test(`a wrong path is said once and not tried for ever: ${transport}`, async (t) => {
    const { w, said } = world(t);
    w.connect({ transport }, 'https://example.com/rt?token=secret').subscribe('a');
    await rest();
    if (transport === 'sse') w.stream.answer(404, 'of a file server');
    else w.socket.drop();
    await answer(w, (probe) => probe.answer(404, 'of a file server'));
    const text = 'https://example.com/rt answers with HTTP status 404: it is no realtime endpoint';
    assert.equal(w.status.state, 'closed');
    assert.deepEqual([w.status.reason?.code, w.status.reason?.message], [404, text]);
    assert.deepEqual(said(), [`caddy-realtime: ${text}`]);
    await w.pass(120_000);
    assert.ok(w.sockets.length + w.requests.length <= 2);
  });
}

test('a page in place of the endpoint is a wrong path', async (t) => {
  const { w } = world(t);
  w.connect();
  await rest();
  w.socket.drop();
  await answer(w, (probe) => probe.answer(200, '<!doctype html>'));
  assert.equal(w.status.reason?.code, 200);
  assert.equal(w.status.state, 'closed');
});

test('an origin that the server does not let in is said, in its words', async (t) => {
  const { w, said } = world(t);
  w.connect();
  await rest();
  w.socket.drop();
  await answer(
    w,
    (probe) => probe.answer(426, {}),
    (probe) => (assert.equal(probe.method, 'OPTIONS'), probe.problem(403, 'FORBIDDEN')),
  );
  assert.equal(w.status.state, 'closed');
  assert.equal(w.status.reason?.code, 'FORBIDDEN');
  assert.deepEqual(said(), ['caddy-realtime: https://example.com/rt: detail of FORBIDDEN']);
});

test('a server of another origin that lets nobody read is told from one that is away', async (t) => {
  const { w, said } = world(t, 'https://page.example');
  w.connect({ token: 'secret' });
  await rest();
  w.socket.drop();
  await answer(
    w,
    (probe) => probe.fail('CORS'),
    (probe) => {
      assert.deepEqual([probe.url.pathname, probe.method, probe.headers], ['/rt/client.js', 'HEAD', {}]);
      probe.answer(200, undefined);
    },
  );
  assert.equal(w.status.state, 'closed');
  assert.equal(w.status.reason?.code, 'FORBIDDEN');
  assert.match(said().join(), /pages of https:\/\/page\.example may not connect to https:\/\/example\.com\/rt: .*'origins'/);
});

test('what another origin answers and the page may not read is said, and tried again', async (t) => {
  const { w, said } = world(t, 'https://page.example');
  w.connect();
  const errors: string[] = [];
  w.client.on('error', ({ message }) => errors.push(message));
  await rest();
  w.socket.drop();
  await answer(
    w,
    (probe) => probe.fail('CORS'),
    (probe) => probe.fail('CORS'),
    (probe) => (assert.equal(probe.init.mode, 'no-cors'), probe.answer(200, undefined)),
  );
  await w.retry();
  w.socket.drop();
  await rest();
  assert.equal(w.probes.length, 3, 'once');
  assert.equal(w.status.state, 'reconnecting');
  assert.match(errors.join(), /^no realtime endpoint, or pages of https:\/\/page\.example may not connect/);
  assert.equal(said().length, 1);
});

test('a server that is away is waited for, and asked again', async (t) => {
  for (const origin of [undefined, 'https://example.com', 'https://page.example']) {
    const { w, said } = world(t, origin);
    w.connect({ transport: 'websocket' });
    await rest();
    for (let i = 0; i < 3; i++) {
      w.socket.drop();
      for (let n = w.probes.length; await rest(), n < w.probes.length; n++) w.probes[n]!.fail();
      await w.retry();
    }
    assert.deepEqual(said(), []);
    w.socket.drop();
    await rest();
    w.probes.at(-1)!.answer(404, '');
    await rest();
    assert.equal(w.status.reason?.code, 404);
    t.mock.reset();
  }
});

test('what passes is no mistake', async (t) => {
  for (const status of [408, 425, 429, 500, 502, 503]) {
    const { w } = world(t);
    w.connect();
    await rest();
    w.socket.drop();
    await answer(w, (probe) => probe.answer(status, 'of a proxy'));
    assert.equal(w.status.state, 'reconnecting', String(status));
    t.mock.reset();
  }
});

test('an address that is right is not asked about again', async (t) => {
  const { w, said } = world(t);
  w.connect();
  await rest();
  w.socket.drop();
  await answer(
    w,
    (probe) => probe.answer(426, {}),
    (probe) => probe.answer(405, {}),
  );
  await w.retry();
  w.socket.drop();
  await w.retry();
  assert.equal(w.status.transport, 'sse', 'WebSocket is blocked');
  assert.equal(w.probes.length, 2);
  assert.deepEqual(said(), []);
});

test('an address that has worked is not doubted', async (t) => {
  const { w } = world(t);
  await w.open();
  w.socket.drop();
  await w.retry();
  w.socket.drop();
  await rest();
  assert.equal(w.probes.length, 0);
});

test('without a network nothing is asked', async (t) => {
  const { w } = world(t);
  w.page.navigator.onLine = false;
  w.connect();
  await rest();
  w.socket.drop();
  await rest();
  assert.equal(w.probes.length, 0);
});

test('an answer that comes when the client is open, or closed, counts no more', async (t) => {
  for (const close of [false, true]) {
    const { w, said } = world(t);
    w.connect();
    await rest();
    w.socket.drop();
    await rest();
    if (close) w.client.close();
    else {
      await w.retry();
      w.socket.greet();
    }
    w.probes[0]!.answer(404, '');
    await rest();
    assert.equal(w.client.state, close ? 'closed' : 'open');
    assert.deepEqual(said(), []);
    t.mock.reset();
  }
});

test('a page from the cache of the app says nothing about the address', async (t) => {
  const navigator = Object.getOwnPropertyDescriptor(globalThis, 'navigator') ?? { configurable: true, value: undefined };
  Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { serviceWorker: { controller: {} } } });
  t.after(() => Object.defineProperty(globalThis, 'navigator', navigator));
  const { w } = world(t);
  w.connect();
  await rest();
  w.socket.drop();
  await answer(w, (probe) => probe.answer(200, 'offline'));
  assert.equal(w.status.state, 'reconnecting');
});

test('a version of the protocol that does not fit is said and not tried again', async (t) => {
  const { w, said } = world(t);
  w.connect();
  await rest();
  w.socket.greet({ connection: 'c1', version: 2 });
  assert.equal(w.status.state, 'closed');
  assert.equal(w.status.reason?.code, 4400);
  assert.deepEqual(said(), ['caddy-realtime: the server speaks version 2, this client version 1']);
  await w.pass(60_000);
  assert.equal(w.sockets.length, 1);
});

test('the address of the script is the address of the endpoint, with its slash', () => {
  for (const [script, expected] of [
    ['https://example.com/rt/client.js', 'https://example.com/rt/'],
    ['https://example.com/deep/rt/client.js?v=1', 'https://example.com/deep/rt/'],
    ['http://localhost:8080/client.js', 'http://localhost:8080/'],
    ['https://cdn.example/caddy-realtime/dist/client.js', undefined],
    ['https://example.com/assets/bundle.js', undefined],
    ['file:///srv/client.js', undefined],
  ] as const)
    assert.equal(delivered(script), expected);
});
