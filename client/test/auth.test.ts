import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { RealtimeError, type TokenSource } from '../src/index.js';
import { rest, World } from './world.js';

/** A function that gives t1, t2, t3 … */
function tokens(): () => string {
  let count = 0;
  return () => `t${++count}`;
}

/** A client whose token was accepted. */
async function authenticated(w: World, token: TokenSource, payload: object = {}): Promise<void> {
  w.connect({ token });
  await rest();
  w.socket.greet().answer('authenticate', 'authenticated', { user: 'ann', ...payload });
}

test('a token is sent first, and everything else after its answer', async (t) => {
  const w = new World(t);
  const client = w.connect({ token: 'secret' });
  client.subscribe('a');
  await rest();
  w.socket.greet();
  assert.deepEqual(
    w.socket.sent.map(({ type, payload }) => [type, payload]),
    [['authenticate', { token: 'secret' }]],
  );
  assert.equal(client.state, 'connecting');
  w.socket.answer('authenticate', 'authenticated', { user: 'ann' });
  assert.equal(client.state, 'open');
  assert.equal(client.user, 'ann');
  assert.equal(w.socket.all('subscribe').length, 1);
});

test('every connection gets a token of its own', async (t) => {
  const w = new World(t);
  await authenticated(w, tokens());
  w.socket.drop();
  await w.retry();
  w.socket.greet();
  assert.deepEqual(
    w.sockets.map((s) => s.last('authenticate').payload['token']),
    ['t1', 't2'],
  );
});

test('a token may take its time, but not for ever', async (t) => {
  const w = new World(t);
  let resolve = (_: string): void => {};
  w.connect({ token: () => new Promise<string>((r) => (resolve = r)) });
  await w.pass(9000);
  assert.equal(w.sockets.length, 0);
  const late = resolve;
  await w.pass(1000);
  assert.equal(w.status.state, 'reconnecting');
  late('too late');
  await rest();
  assert.equal(w.sockets.length, 0);
  await w.retry();
  resolve('in time');
  await rest();
  assert.equal(w.sockets.length, 1);
});

test('no token is an anonymous visitor', async (t) => {
  for (const none of [undefined, null, '']) {
    const w = new World(t);
    w.connect({ token: () => none });
    await rest();
    w.socket.greet();
    assert.equal(w.client.state, 'open');
    t.mock.reset();
  }
});

test('a token function that fails is asked again later', async (t) => {
  const w = new World(t);
  let failures = 2;
  w.connect({
    token: async () => {
      if (failures-- > 0) throw new Error('the app is down');
      return 'ok';
    },
  });
  await rest();
  assert.equal(w.status.reason?.code, 'TOKEN_FAILED');
  assert.equal(w.status.reason?.message, 'the app is down');
  await w.retry();
  await w.retry();
  assert.equal(w.sockets.length, 1);
});

test('a token function can say that there is no point', async (t) => {
  const w = new World(t);
  w.connect({
    token: () => {
      throw new RealtimeError('FORBIDDEN', 'signed out');
    },
  });
  await rest();
  assert.equal(w.status.state, 'closed');
  assert.equal(w.status.reason?.message, 'signed out');
});

test('a refused token that cannot be renewed ends the client', async (t) => {
  const w = new World(t);
  w.connect({ token: 'old' });
  await rest();
  w.socket.greet().answer('authenticate', 'error', { code: 'TOKEN_EXPIRED', message: 'expired' });
  assert.equal(w.status.state, 'closed');
  assert.equal(w.status.reason?.code, 'TOKEN_EXPIRED');
});

test('a refused token is renewed once', async (t) => {
  const w = new World(t);
  w.connect({ token: tokens() });
  await rest();
  w.socket.greet().answer('authenticate', 'error', { code: 'TOKEN_EXPIRED', message: 'expired' });
  assert.equal(w.status.state, 'reconnecting');
  await w.retry();
  w.socket.greet();
  assert.equal(w.socket.last('authenticate').payload['token'], 't2');
  w.socket.answer('authenticate', 'error', { code: 'UNAUTHORIZED', message: 'no' });
  assert.equal(w.status.state, 'closed');
});

test('a server that cannot check tokens now is tried again', async (t) => {
  const w = new World(t);
  w.connect({ token: 'fixed' });
  await rest();
  w.socket.greet().answer('authenticate', 'error', { code: 'UNAVAILABLE', message: '', retryAfter: 9000 });
  assert.equal(await w.retry(), 9000);
  assert.equal(w.sockets.length, 2);
});

test('a server without tokens ends the client rather than let it believe', async (t) => {
  const w = new World(t);
  w.connect({ token: 'x' });
  await rest();
  w.socket.greet().answer('authenticate', 'error', { code: 'UNKNOWN_TYPE', message: '' });
  assert.equal(w.status.state, 'closed');
});

test('a connection closed because its token ran out comes back with a new one', async (t) => {
  const w = new World(t);
  await authenticated(w, tokens());
  w.socket.drop(4401);
  assert.equal(w.status.state, 'reconnecting');
  await w.retry();
  w.socket.greet().answer('authenticate', 'authenticated', { user: 'ann' });
  w.socket.drop(4401);
  assert.equal(w.status.state, 'reconnecting');
  await w.retry();
  w.socket.greet().drop(4401);
  assert.equal(w.status.state, 'closed', 'not without an accepted token in between');
});

test('a connection closed because its fixed token ran out stays closed', async (t) => {
  const w = new World(t);
  await authenticated(w, 'fixed');
  w.socket.drop(4401);
  assert.equal(w.status.state, 'closed');
});

test('a token is renewed before it expires, on the live connection', async (t) => {
  const w = new World(t);
  w.random = 0;
  // The server's clock says 1,000,000; the page's is irrelevant.
  await authenticated(w, tokens(), { expires: 1_010_000 });
  await w.pass(7999);
  assert.equal(w.socket.all('authenticate').length, 1);
  await w.pass(1);
  assert.deepEqual(
    w.socket.all('authenticate').map(({ payload }) => payload['token']),
    ['t1', 't2'],
  );
  w.socket.answer('authenticate', 'authenticated', { user: 'ann', expires: 1_020_000 });
  assert.equal(w.client.state, 'open');
  w.random = 1;
  await w.pass(16_000);
  assert.equal(w.socket.all('authenticate').length, 3);
});

/** Connects with a token source to a server that says when tokens expire; counts what both are asked. */
async function renewing(t: TestContext, source: () => string, expires: (now: number) => number) {
  const warn = t.mock.method(console, 'warn', () => {});
  const w = new World(t);
  const asked = t.mock.fn(source);
  const errors: unknown[] = [];
  w.connect({ token: asked }).on('error', ({ code }) => errors.push(code));
  await rest();
  w.socket.greet();
  let answered = 0;
  const run = async (seconds: number): Promise<void> => {
    for (let ms = 0; ms < seconds * 1000; ms += 100) {
      const sent = w.socket.all('authenticate').length;
      for (; answered < sent; answered++)
        w.socket.answer('authenticate', 'authenticated', { user: 'ann', expires: expires(Date.now()) });
      w.socket.say({ type: 'pong' });
      await w.pass(100);
    }
  };
  return { w, asked, errors, warn, run };
}

test('the same token near its end renews nothing', async (t) => {
  const end = 1_000_000 + 60_000;
  const { w, asked, errors, warn, run } = await renewing(t, () => 'same', () => end);
  await run(60);
  assert.equal(w.socket.all('authenticate').length, 1, 'it is not sent again');
  assert.ok(asked.mock.callCount() <= 4, `the function was asked ${asked.mock.callCount()} times`);
  assert.ok(asked.mock.callCount() >= 2);
  assert.deepEqual(errors, ['TOKEN_FAILED'], 'one warning');
  assert.equal(warn.mock.callCount(), 1);
});

test('another token that ends at the same time renews nothing', async (t) => {
  const end = 1_000_000 + 60_000;
  const { w, errors, warn, run } = await renewing(t, tokens(), () => end);
  await run(60);
  assert.ok(w.socket.all('authenticate').length <= 4, `${w.socket.all('authenticate').length} were sent`);
  assert.deepEqual(errors, ['TOKEN_FAILED']);
  assert.equal(warn.mock.callCount(), 1);
});

test('tokens that have expired already make no storm', async (t) => {
  for (const life of [-5000, 0, 50]) {
    const { asked, run } = await renewing(t, tokens(), (now) => now + life);
    await run(20);
    assert.ok(asked.mock.callCount() <= 21, `${life}: asked ${asked.mock.callCount()} times`);
    t.mock.reset();
  }
});

test('a function that has a new token a little late is asked until it does', async (t) => {
  const end = 1_000_000 + 60_000;
  // It takes its own clock, which is behind, to see whether the token has to be renewed.
  const source = (): string => (Date.now() - 5000 < end - 10_000 ? 'old' : 'new');
  const { w, asked, run } = await renewing(t, source, () => (Date.now() - 5000 < end - 10_000 ? end : end + 60_000));
  await run(60);
  assert.deepEqual(
    w.socket.all('authenticate').map(({ payload }) => payload['token']),
    ['old', 'new'],
  );
  assert.ok(asked.mock.callCount() <= 4, `asked ${asked.mock.callCount()} times`);
  assert.equal(w.client.state, 'open');
});

test('a token function that fails is asked again before the token expires', async (t) => {
  let count = 0;
  const source = (): string => {
    if (++count === 2) throw new Error('the app is down');
    return `t${count}`;
  };
  const { w, run } = await renewing(t, source, (now) => now + 100_000);
  await run(100);
  assert.equal(w.socket.all('authenticate').length, 2);
  assert.equal(w.client.state, 'open');
});

test('tokens that live for months do not overflow the timer', async (t) => {
  const w = new World(t);
  await authenticated(w, tokens(), { expires: 1_000_000 + 60 * 86_400_000 });
  await w.pass(1000);
  assert.equal(w.socket.all('authenticate').length, 1);
});

test('a renewal that fails is told, and ends nothing', async (t) => {
  const w = new World(t);
  let count = 0;
  const token = (): string => {
    if (++count === 2) throw new Error('the app is down');
    return `t${count}`;
  };
  await authenticated(w, token, { expires: 1_010_000 });
  const errors: unknown[] = [];
  w.client.on('error', ({ code }) => errors.push(code));
  await w.pass(9000);
  assert.deepEqual(errors, ['TOKEN_FAILED']);
  assert.equal(w.client.state, 'open');
});

test('a renewed token that is refused is told, and ends nothing', async (t) => {
  const w = new World(t);
  await authenticated(w, tokens(), { expires: 1_010_000 });
  const errors: unknown[] = [];
  w.client.on('error', ({ code }) => errors.push(code));
  await w.pass(9000);
  w.socket.answer('authenticate', 'error', { code: 'UNAUTHORIZED', message: '' });
  assert.deepEqual(errors, ['UNAUTHORIZED']);
  assert.equal(w.client.state, 'open');
});

test('nothing is renewed for a closed client', async (t) => {
  const w = new World(t);
  let asked = 0;
  await authenticated(w, () => `t${++asked}`, { expires: 1_010_000 });
  w.client.close();
  await w.pass(20_000);
  assert.equal(asked, 1);
});
