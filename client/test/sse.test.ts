import assert from 'node:assert/strict';
import test from 'node:test';
import { autoAway } from '../src/away.js';
import type { Options, Realtime, RealtimeError, SubscribeOptions } from '../src/index.js';
import { rest, World } from './world.js';

const only: Options = { transport: 'sse' };

/** A client with an open stream of these channels. */
async function streaming(w: World, options: Options, ...channels: string[]): Promise<Realtime> {
  const client = w.connect({ ...only, ...options });
  for (const channel of channels) client.subscribe(channel);
  await rest();
  w.stream.greet();
  await rest();
  return client;
}

function message(channel: string, offset: number) {
  return { type: 'message', payload: { channel, content: `m${offset}`, offset } };
}

function record(client: Realtime, channel: string): unknown[] {
  const seen: unknown[] = [];
  const subscription = client.subscribe(channel);
  subscription.on('message', ({ content }) => seen.push(content));
  subscription.on('gap', ({ position }) => seen.push(`gap ${position?.offset}`));
  subscription.on('state', ({ state, error }) => seen.push(error ? `${state} ${error.code}` : state));
  return seen;
}

test('a WebSocket that does not get through twice gives way to an event stream', async (t) => {
  const w = new World(t);
  const client = w.connect();
  client.subscribe('a');
  await rest();
  w.socket.drop();
  await w.retry();
  assert.equal(w.status.transport, 'websocket');
  w.socket.drop();
  await w.retry();
  assert.equal(w.status.transport, 'sse');
  assert.equal(w.stream.url.href, 'https://example.com/rt?channel=a');
  assert.deepEqual(w.stream.headers, { accept: 'text/event-stream' });
  w.stream.greet({ connection: 's7', user: 'ann', heartbeat: 25_000 });
  await rest();
  assert.equal(client.state, 'open');
  assert.equal(client.transport, 'sse');
  assert.equal(client.user, 'ann');
});

test('a WebSocket that has got through meanwhile is not blocked', async (t) => {
  const w = new World(t);
  w.connect();
  await rest();
  for (let i = 0; i < 4; i++) {
    w.socket.drop();
    await w.retry();
    w.socket.greet().drop();
    await w.retry();
  }
  assert.equal(w.requests.length, 0);
});

test('a WebSocket that hangs counts as one that does not get through', async (t) => {
  const w = new World(t);
  w.connect();
  await w.pass(10_000);
  await w.retry();
  await w.pass(10_000);
  await w.pass(1);
  assert.equal(w.status.transport, 'sse');
});

test('a WebSocket that is forbidden is not tried twice', async (t) => {
  const w = new World(t);
  w.forbidden = new Error('content security policy');
  w.connect();
  await rest();
  assert.equal(w.status.reason?.message, 'content security policy');
  await w.retry();
  assert.equal(w.status.transport, 'sse');
});

test('a server that answers, if only to refuse, is not blocked', async (t) => {
  const w = new World(t);
  w.connect();
  await rest();
  for (let i = 0; i < 4; i++) {
    w.socket.drop(1013);
    await w.retry();
  }
  assert.equal(w.sockets.length, 5);
});

test('while nothing gets through, both transports are tried in turn', async (t) => {
  const w = new World(t);
  w.connect();
  await rest();
  const tried = [];
  for (let i = 0; i < 6; i++) {
    tried.push(w.status.transport);
    if (w.status.transport === 'sse') w.stream.fail();
    else w.socket.drop();
    await rest();
    await w.retry();
  }
  assert.deepEqual(tried, ['websocket', 'websocket', 'sse', 'websocket', 'sse', 'websocket']);
});

test('one transport can be asked for', async (t) => {
  const w = new World(t);
  w.connect({ transport: 'websocket' });
  await rest();
  for (let i = 0; i < 4; i++) {
    w.socket.drop();
    await w.retry();
  }
  assert.equal(w.requests.length, 0);
});

test('without WebSocket there are event streams', async (t) => {
  const w = new World(t);
  await streaming(w, {}, 'a');
  await w.pass(1);
  assert.equal(w.client.state, 'open');
  for (let s = 0; s < 600; s += 20, await w.pass(20_000)) w.stream.write(':\n\n');
  assert.equal(w.sockets.length, 0, 'and no way back to what was not asked for');
});

test('WebSocket is tried again beside the stream, and taken when it gets through', async (t) => {
  const w = new World(t);
  w.forbidden = new Error('blocked');
  const client = w.connect();
  const seen = record(client, 'a');
  await rest();
  await w.retry();
  w.stream.greet().say({ type: 'subscribed', payload: { channel: 'a', epoch: 'e', offset: 1 } }, 'cursor1');
  w.stream.say(message('a', 2), 'cursor2');
  await rest();
  w.forbidden = undefined;
  await w.pass(10_000);
  assert.equal(w.sockets.length, 1);
  assert.equal(client.transport, 'sse');
  w.socket.drop();
  w.stream.say(message('a', 3), 'cursor3');
  await w.pass(20_000);
  assert.equal(w.sockets.length, 2, 'with longer pauses');
  assert.equal(client.state, 'open');
  const stream = w.stream;
  w.socket.greet();
  await rest();
  assert.equal(client.transport, 'websocket');
  assert.equal(client.state, 'open');
  assert.ok(stream.aborted);
  assert.deepEqual(w.socket.last('subscribe').payload['recover'], { epoch: 'e', offset: 3 });
  w.socket.subscribed({ epoch: 'e', offset: 4, recovered: true, messages: [{ offset: 4, content: 'm4' }] });
  assert.deepEqual(seen, ['subscribed', 'm2', 'm3', 'subscribing', 'subscribed', 'm4']);
  await w.pass(20_000);
  assert.equal(w.sockets.length, 2);
});

test('a WebSocket beside the stream that hangs is given up', async (t) => {
  const w = new World(t);
  w.forbidden = new Error('blocked');
  w.connect({ token: 'x' });
  await rest();
  await w.retry();
  w.stream.greet();
  await rest();
  w.forbidden = undefined;
  await w.pass(10_000);
  assert.equal(w.sockets.length, 1);
  await w.pass(10_000);
  assert.ok(w.socket.closed);
  w.socket.say({ type: 'connected' });
  assert.equal(w.client.transport, 'sse');
  w.stream.write(':\n\n');
  await w.pass(20_000);
  w.socket.greet();
  assert.equal(w.client.state, 'reconnecting', 'until the token is accepted');
  w.socket.answer('authenticate', 'authenticated');
  assert.equal(w.client.transport, 'websocket');
  assert.equal(w.client.state, 'open');
});

test('a WebSocket beside the stream that is forbidden changes nothing', async (t) => {
  const w = new World(t);
  w.forbidden = new Error('blocked');
  w.connect();
  await rest();
  await w.retry();
  w.stream.greet();
  await rest();
  for (let s = 0; s < 100; s += 20, await w.pass(20_000)) w.stream.write(':\n\n');
  assert.equal(w.client.state, 'open');
});

test('a WebSocket beside the stream is not opened for a client that was closed meanwhile', async (t) => {
  const w = new World(t);
  w.forbidden = new Error('blocked');
  let resolve = (_: string): void => {};
  const client = w.connect({ token: () => new Promise<string>((r) => (resolve = r)) });
  resolve('t1');
  await rest();
  await w.retry();
  resolve('t2');
  await rest();
  w.stream.greet();
  w.forbidden = undefined;
  await w.pass(10_000);
  client.close();
  resolve('t3');
  await rest();
  assert.equal(w.sockets.length, 0);
});

test('interruptions do not put off the way back to WebSocket', async (t) => {
  const w = new World(t);
  w.forbidden = new Error('blocked');
  w.connect();
  await rest();
  await w.retry();
  w.stream.greet();
  await rest();
  for (let i = 0; i < 5; i++) {
    w.stream.fail();
    await rest();
    await w.retry();
    w.stream.greet();
    await rest();
  }
  w.forbidden = undefined;
  await w.pass(10_000);
  assert.equal(w.sockets.length, 1);
});

test('closing ends the WebSocket beside the stream', async (t) => {
  const w = new World(t);
  w.forbidden = new Error('blocked');
  const client = w.connect();
  await rest();
  await w.retry();
  w.stream.greet();
  await rest();
  w.forbidden = undefined;
  await w.pass(10_000);
  client.close();
  assert.ok(w.socket.closed);
  assert.ok(w.stream.aborted);
  await w.pass(600_000);
  assert.equal(w.sockets.length, 1);
});

test('messages, gaps and presence come by the stream', async (t) => {
  const w = new World(t);
  const client = await streaming(w, {}, 'a', 'b');
  const [a, b] = [record(client, 'a'), record(client, 'b')];
  const entered: unknown[] = [];
  client.subscribe('b').presence.on('enter', ({ id }) => entered.push(id));
  w.stream.say({ type: 'subscribed', payload: { channel: 'a', epoch: 'e', offset: 1 } });
  w.stream.say({ type: 'subscribed', payload: { channel: 'b' } });
  w.stream.say({ type: 'presence', payload: { channel: 'b', users: ['ann'], count: 1 } });
  w.stream.say(message('a', 2), 'c2').say({ type: 'gap', payload: { channel: 'a', epoch: 'e', offset: 5 } }, 'c5');
  w.stream.write(
    'id: c6\nevent: news\ndata: {"type":"message","payload":{"channel":"a","offset":6,"event":"news",\ndata: "content":"two lines"}}\n\n',
  );
  await rest();
  assert.deepEqual(a, ['subscribed', 'm2', 'gap 5', 'two lines']);
  assert.deepEqual(b, ['subscribed']);
  assert.deepEqual(entered, ['ann']);
});

test('a broken stream goes on where it was', async (t) => {
  const w = new World(t);
  const client = await streaming(w, {}, 'a');
  const seen = record(client, 'a');
  w.stream
    .say({ type: 'subscribed', payload: { channel: 'a', epoch: 'e', offset: 1 } }, 'c1')
    .say(message('a', 2), 'c2');
  await rest();
  w.stream.fail();
  await rest();
  assert.equal(w.status.reason?.code, 1006);
  await w.retry();
  assert.equal(w.stream.url.searchParams.get('lastEventID'), 'c2');
  w.stream.greet().say({ type: 'subscribed', payload: { channel: 'a', epoch: 'e', offset: 2, recovered: true } });
  w.stream.say(message('a', 3), 'c3');
  await rest();
  assert.deepEqual(seen, ['subscribed', 'm2', 'subscribing', 'subscribed', 'm3']);
});

test('an old cursor brings nothing twice', async (t) => {
  const w = new World(t);
  const client = await streaming(w, {}, 'a');
  const seen = record(client, 'a');
  w.stream
    .say({ type: 'subscribed', payload: { channel: 'a', epoch: 'e', offset: 5 } }, 'c5')
    .say(message('a', 6))
    .end();
  await rest();
  await w.retry();
  w.stream.greet().say({ type: 'subscribed', payload: { channel: 'a', epoch: 'e', offset: 5, recovered: true } });
  w.stream.say(message('a', 6)).say(message('a', 7));
  await rest();
  assert.deepEqual(seen.slice(3), ['subscribed', 'm7']);
});

test('what cannot be recovered is told once, though the stream says it twice', async (t) => {
  const w = new World(t);
  const client = await streaming(w, {}, 'a');
  const seen = record(client, 'a');
  w.stream.say({ type: 'subscribed', payload: { channel: 'a', epoch: 'e', offset: 1 } }, 'c1').end();
  await rest();
  await w.retry();
  const at = { channel: 'a', epoch: 'f', offset: 3 };
  w.stream
    .greet()
    .say({ type: 'subscribed', payload: { ...at, recovered: false } })
    .say({ type: 'gap', payload: at });
  w.stream.say({ type: 'gap', payload: { ...at, offset: 8 } });
  await rest();
  assert.deepEqual(seen, ['subscribed', 'subscribing', 'subscribed', 'gap 3', 'gap 8']);
});

test('without a cursor only an unmoved position is no gap', async (t) => {
  for (const [offset, expected] of [
    [1, []],
    [2, ['gap 2']],
  ] as const) {
    const w = new World(t);
    const client = await streaming(w, {}, 'a');
    const seen = record(client, 'a');
    w.stream.say({ type: 'subscribed', payload: { channel: 'a', epoch: 'e', offset: 1 } }).end();
    await rest();
    await w.retry();
    w.stream.greet().say({ type: 'subscribed', payload: { channel: 'a', epoch: 'e', offset } });
    await rest();
    assert.deepEqual(seen.slice(3), expected);
    t.mock.reset();
  }
});

test('the stream is opened anew for other channels, once for several changes', async (t) => {
  const w = new World(t);
  const client = await streaming(w, {}, 'a');
  w.stream.say({ type: 'subscribed', payload: { channel: 'a', epoch: 'e', offset: 1 } }, 'c1');
  await rest();
  const first = w.stream;
  const a = client.subscribe('a');
  a.unsubscribe();
  const b = record(client, 'b');
  client.subscribe('c').unsubscribe();
  client.subscribe('d');
  await w.pass(100);
  assert.ok(first.aborted);
  assert.equal(w.requests.length, 2);
  assert.deepEqual(w.stream.channels, ['a', 'b', 'd']);
  assert.equal(w.stream.url.searchParams.get('lastEventID'), 'c1');
  assert.equal(client.state, 'open');
  w.stream.greet().say({ type: 'subscribed', payload: { channel: 'a', epoch: 'e', offset: 1, recovered: true } });
  // The cursor knows nothing of a channel that was added; nor was anything missed in it.
  const at = { channel: 'b', epoch: 'e', offset: 7 };
  w.stream.say({ type: 'subscribed', payload: { ...at, recovered: false } }).say({ type: 'gap', payload: at });
  w.stream.say(message('b', 8));
  await rest();
  assert.deepEqual(b, ['subscribed', 'm8']);
  a.unsubscribe();
  await w.pass(100);
  assert.deepEqual(w.stream.channels, ['b', 'd']);
  assert.equal(w.states.filter(({ state }) => state === 'open').length, 1);
});

test('a new stream that cannot be opened is a lost connection', async (t) => {
  const w = new World(t);
  const client = await streaming(w, {}, 'a');
  client.subscribe('b');
  await w.pass(100);
  w.stream.fail();
  await rest();
  assert.equal(client.state, 'reconnecting');
  await w.retry();
  assert.deepEqual(w.stream.channels, ['a', 'b']);
});

test('without channels there is no stream, but a connection', async (t) => {
  const w = new World(t);
  const client = w.connect(only);
  await rest();
  w.stream.problem(400, 'INVALID_CHANNEL');
  await rest();
  assert.equal(client.state, 'open');
  await w.pass(100_000);
  assert.equal(client.state, 'open', 'nobody can be silent');
  const a = client.subscribe('a');
  await w.pass(100);
  w.stream.greet();
  await rest();
  assert.deepEqual(w.stream.channels, ['a']);
  a.unsubscribe();
  await w.pass(100);
  w.stream.problem(400, 'INVALID_CHANNEL');
  await w.pass(100_000);
  assert.equal(client.state, 'open');
});

for (const status of [414, 431]) {
  test(`channels that do not fit into the address are refused, and the others stream: ${status}`, async (t) => {
    const w = new World(t);
    const client = w.connect(only);
    const names = Array.from({ length: 100 }, (_, n) => `${n}-`.padEnd(200, 'x'));
    const ended = new Map<string, unknown>();
    for (const name of names) client.subscribe(name).on('state', ({ error }) => error && ended.set(name, error.code));
    const served = (): boolean => w.stream.url.href.length <= 8000;
    for (await rest(); !served(); await w.pass(20)) w.stream.answer(status, 'of a proxy');
    w.stream.greet();
    await rest();
    assert.equal(client.state, 'open');
    assert.ok(w.stream.channels.length >= 35, `${w.stream.channels.length} are left`);
    assert.deepEqual([...ended.keys()].reverse(), names.slice(w.stream.channels.length), 'those that came last');
    assert.deepEqual(new Set(ended.values()), new Set(['TOO_LARGE']));
    const requests = w.requests.length;
    w.stream.write(':\n\n');
    await w.pass(20_000);
    assert.equal(w.requests.length, requests, 'it is not tried again');
  });
}

test('a cursor that does not fit into the address costs a gap, and no channel', async (t) => {
  const w = new World(t);
  const client = await streaming(w, {}, 'a');
  const seen = record(client, 'a');
  w.stream.say({ type: 'subscribed', payload: { channel: 'a', epoch: 'e', offset: 1 } }, 'long').end();
  await rest();
  await w.retry();
  assert.equal(w.stream.url.searchParams.get('lastEventID'), 'long');
  w.stream.answer(431, 'of a proxy');
  await rest();
  assert.equal(w.stream.url.searchParams.get('lastEventID'), null);
  w.stream.greet().say({ type: 'subscribed', payload: { channel: 'a', epoch: 'e', offset: 3 } });
  await rest();
  assert.deepEqual(seen, ['subscribed', 'subscribing', 'subscribed', 'gap 3']);
});

test('one channel that does not fit into the address is refused, too', async (t) => {
  const w = new World(t);
  const client = w.connect(only);
  const seen = record(client, 'a');
  await rest();
  w.stream.answer(431, 'of a proxy');
  await w.pass(20);
  w.stream.problem(400, 'INVALID_CHANNEL');
  await rest();
  assert.deepEqual(seen, ['unsubscribed TOO_LARGE']);
  assert.equal(client.state, 'open');
});

test('comments are a sign of life, and silence is not', async (t) => {
  const w = new World(t);
  await streaming(w, {}, 'a');
  for (let i = 0; i < 4; i++) {
    await w.pass(25_000);
    w.stream.write(':\n\n');
    await rest();
  }
  assert.equal(w.client.state, 'open');
  await w.pass(34_999);
  assert.equal(w.client.state, 'open');
  w.page.online(true);
  await w.pass(1);
  assert.equal(w.status.state, 'reconnecting');
});

test('retry says when to come back', async (t) => {
  const w = new World(t);
  await streaming(w, {}, 'a');
  w.stream.write('retry: 4321\n\n').end();
  await rest();
  assert.equal(w.status.retryIn, 4321);
});

test('what retry said before the stream began is forgotten', async (t) => {
  const w = new World(t);
  w.connect(only).subscribe('a');
  await rest();
  w.stream.accept().write('retry: 4321\n\n').say({ type: 'connected' }).end();
  await rest();
  assert.equal(w.status.retryIn, 500);
  w.page.online(true);
  await rest();
  assert.equal(w.requests.length, 2, 'and the page does not wait for it');
});

test('a stream that is only sent away comes back when it is told', async (t) => {
  const w = new World(t);
  w.connect(only).subscribe('a');
  await rest();
  w.stream.accept().write('retry: 6000\n\n').end();
  await rest();
  assert.equal(w.status.retryIn, 6000);
});

test('a node that goes says so on a stream, too', async (t) => {
  const w = new World(t);
  await streaming(w, {}, 'a');
  w.stream.write('retry: 7000\n').say({ type: 'reconnect', payload: { after: 7000 } });
  w.stream.say({ type: 'close', payload: { code: 1012, reason: 'restart', reconnect: true } }).end();
  await rest();
  assert.equal(w.status.state, 'reconnecting');
  assert.equal(w.status.reason?.code, 1012);
  assert.equal(w.status.retryIn, 7000);
});

test('a stream can be closed for good', async (t) => {
  const w = new World(t);
  await streaming(w, {}, 'a');
  w.stream.say({ type: 'close', payload: { code: 4403, reason: 'kicked', reconnect: false } });
  await rest();
  assert.equal(w.status.state, 'closed');
  assert.equal(w.status.reason?.message, 'kicked');
});

test('Retry-After is obeyed', async (t) => {
  const w = new World(t);
  w.connect(only).subscribe('a');
  await rest();
  w.stream.problem(503, 'UNAVAILABLE', { 'retry-after': '9' });
  await rest();
  assert.equal(w.status.reason?.code, 'UNAVAILABLE');
  assert.equal(w.status.retryIn, 9000);
});

test('statuses lead to the state they mean', async (t) => {
  const cases: [number, unknown, 'reconnecting' | 'closed', number | string][] = [
    [204, undefined, 'closed', 204],
    [404, 'not here', 'reconnecting', 404],
    [502, '<h1>Bad gateway</h1>', 'reconnecting', 502],
    [500, { code: 'INTERNAL' }, 'reconnecting', 'INTERNAL'],
    [429, { code: 'RATE_LIMITED' }, 'reconnecting', 'RATE_LIMITED'],
    [401, { code: 'UNAUTHORIZED' }, 'closed', 'UNAUTHORIZED'],
    [400, { code: 'INVALID_MESSAGE' }, 'closed', 'INVALID_MESSAGE'],
    [200, '<h1>Welcome to the hotel</h1>', 'reconnecting', 200],
  ];
  for (const [status, body, state, code] of cases) {
    await t.test(String(status), async (t) => {
      const w = new World(t);
      w.connect({ ...only, token: 'x' }).subscribe('a');
      await rest();
      w.stream.answer(status, body);
      await rest();
      assert.equal(w.status.state, state);
      assert.equal(w.status.reason?.code, code);
    });
  }
});

test('a channel that may not be subscribed costs the others nothing', async (t) => {
  const w = new World(t);
  const client = w.connect(only);
  const [a, b] = [record(client, 'a'), record(client, 'b')];
  await rest();
  w.stream.problem(403, 'FORBIDDEN');
  await rest();
  const asked = w.requests.slice(1);
  assert.deepEqual(
    asked.map(({ url }) => url.pathname + url.search),
    ['/rt/channels/a/messages?limit=0', '/rt/channels/b/messages?limit=0'],
  );
  asked[0]!.answer(200, { channel: 'a', messages: [] });
  asked[1]!.problem(403, 'FORBIDDEN');
  await rest();
  assert.deepEqual(b, ['unsubscribed FORBIDDEN']);
  await w.pass(100);
  assert.deepEqual(w.stream.channels, ['a']);
  w.stream.greet().say({ type: 'subscribed', payload: { channel: 'a' } });
  await rest();
  assert.equal(client.state, 'open');
  assert.deepEqual(a, ['subscribed']);
});

test('the only channel that may not be subscribed is known', async (t) => {
  const w = new World(t);
  const client = w.connect(only);
  const a = record(client, 'a');
  await rest();
  w.stream.problem(401, 'UNAUTHORIZED');
  await rest();
  assert.deepEqual(a, ['unsubscribed UNAUTHORIZED']);
  await w.pass(100);
  w.stream.problem(400, 'INVALID_CHANNEL');
  await rest();
  assert.equal(client.state, 'open');
});

test('of too many channels the newest is left out', async (t) => {
  const w = new World(t);
  const client = w.connect(only);
  const [a, b] = [record(client, 'a'), record(client, 'b')];
  await rest();
  w.stream.problem(429, 'LIMIT_EXCEEDED');
  await rest();
  assert.deepEqual([a, b], [[], ['unsubscribed LIMIT_EXCEEDED']]);
});

test('a refusal nobody is guilty of ends the client', async (t) => {
  const w = new World(t);
  const client = w.connect(only);
  client.subscribe('a');
  client.subscribe('b');
  await rest();
  w.stream.problem(403, 'FORBIDDEN');
  await rest();
  for (const request of w.requests.slice(1)) request.answer(200, {});
  await rest();
  assert.equal(client.state, 'closed');
});

test('a publish is a request', async (t) => {
  const w = new World(t);
  const client = await streaming(w, { token: 'secret', credentials: 'include' }, 'room:1/x');
  const published = client.publish('room:1/x', { text: 'hi' }, { event: 'said' });
  await rest();
  assert.equal(w.request.method, 'POST');
  assert.equal(w.request.url.href, 'https://example.com/rt/channels/room%3A1%2Fx/messages');
  const { key, ...body } = w.request.body;
  assert.deepEqual(body, { content: { text: 'hi' }, event: 'said' });
  assert.match(key as string, /^[!-~]{1,64}$/);
  assert.equal(w.request.init.credentials, 'include');
  assert.equal(w.request.headers['authorization'], 'Bearer secret');
  assert.equal(w.request.headers['content-type'], 'application/json');
  w.request.answer(200, { epoch: 'e', offset: 3 });
  assert.deepEqual(await published, { channel: 'room:1/x', epoch: 'e', offset: 3 });
});

test('a publish to one member is a request', async (t) => {
  const w = new World(t);
  const client = await streaming(w, {}, 'a');
  const published = client.publish('a', 1, { to: { user: 'ann' } });
  await rest();
  assert.deepEqual({ ...w.request.body, key: 0 }, { content: 1, to: { user: 'ann' }, key: 0 });
  w.request.answer(409, { code: 'NOT_PRESENT', detail: 'the addressee is not in this channel' });
  await assert.rejects(published, { code: 'NOT_PRESENT' });
});

test('requests keep their order', async (t) => {
  const w = new World(t);
  const client = await streaming(w, {}, 'a');
  const published = [client.publish('a', 1), client.publish('a', 2)];
  await rest();
  const posts = () => w.requests.filter(({ method }) => method === 'POST');
  assert.equal(posts().length, 1);
  posts()[0]!.answer(200, {});
  await rest();
  assert.deepEqual(
    posts().map(({ body }) => body['content']),
    [1, 2],
  );
  posts()[1]!.answer(200, {});
  await Promise.all(published);
});

test('a refused publish rejects', async (t) => {
  const w = new World(t);
  const client = await streaming(w, {}, 'a');
  const published = client.publish('a', 1);
  await rest();
  w.request.problem(429, 'RATE_LIMITED', { 'retry-after': '3' });
  await assert.rejects(published, { code: 'RATE_LIMITED', message: 'detail of RATE_LIMITED', retryAfter: 3000 });
  const foreign = client.publish('a', 2);
  await rest();
  w.request.answer(413, 'of a proxy');
  await assert.rejects(foreign, (error: RealtimeError) => error.code === 413);
});

test('a publish that did not reach the server is repeated with its key', async (t) => {
  const w = new World(t);
  const client = await streaming(w, {}, 'a');
  const published = client.publish('a', 1);
  await rest();
  w.request.fail();
  await w.pass(1000);
  w.request.answer(502, 'of a proxy');
  await w.pass(2000);
  const posts = w.requests.filter(({ method }) => method === 'POST');
  assert.equal(posts.length, 3);
  assert.equal(new Set(posts.map(({ body }) => body['id'])).size, 1);
  w.request.answer(200, { channel: 'a', duplicate: true });
  assert.equal((await published).duplicate, true);
});

test('a publish moves to the next connection with its key', async (t) => {
  const w = new World(t);
  const client = await streaming(w, {}, 'a');
  const published = client.publish('a', 1);
  await rest();
  const first = w.request;
  w.stream.end();
  await rest();
  first.answer(200, { channel: 'a', offset: 1 }); // too late
  await w.retry();
  w.stream.greet();
  await rest();
  assert.notEqual(w.request, first);
  assert.equal(w.request.body['id'], first.body['id']);
  w.request.answer(200, { channel: 'a', offset: 1, duplicate: true });
  assert.equal((await published).duplicate, true);
});

test('what an anonymous page publishes carries the secret of its stream', async (t) => {
  const w = new World(t);
  const { client } = await present(w);
  const sent = async (content: unknown, offset: number) => {
    void client.publish('a/b', content).catch(() => {});
    await rest();
    const { body } = w.request;
    assert.equal(body['content'], content);
    w.request.answer(200, { channel: 'a/b', offset });
    await rest();
    return body['secret'];
  };
  assert.equal(await sent(1, 1), 'first');
  // The next stream is not there yet: the id of the last one is still that of the client.
  client.subscribe('c');
  await w.pass(20);
  assert.equal(await sent(2, 2), 'first');
  greeted(w, 'second');
  await rest();
  assert.equal(await sent(3, 3), 'second');
  void client.history('a/b');
  await rest();
  assert.doesNotMatch(w.request.url.href, /second/, 'an address is logged');
});

test('history is a request', async (t) => {
  const w = new World(t);
  const client = await streaming(w, {}, 'a');
  const asked = client.history('a', { since: { epoch: 'e', offset: 2, anchor: 'x' }, limit: 5 });
  await rest();
  assert.equal(
    w.request.url.pathname + w.request.url.search,
    '/rt/channels/a/messages?epoch=e&offset=2&anchor=x&limit=5',
  );
  w.request.answer(200, { channel: 'a', epoch: 'e', offset: 3, messages: [{ offset: 3, content: 'x' }] });
  assert.equal((await asked).messages[0]!.content, 'x');
});

test('the beginning can be history on a stream as well', async (t) => {
  const w = new World(t);
  const client = w.connect(only);
  client.subscribe('a', { history: 1 });
  const seen = record(client, 'a');
  await rest();
  w.stream
    .greet()
    .say({ type: 'subscribed', payload: { channel: 'a', epoch: 'e', offset: 4 } })
    .say(message('a', 5));
  await rest();
  w.request.answer(200, {
    channel: 'a',
    epoch: 'e',
    offset: 5,
    messages: [
      { offset: 4, content: 'm4' },
      { offset: 5, content: 'm5' },
    ],
  });
  await rest();
  assert.deepEqual(seen, ['subscribed', 'm4', 'm5']);
});

test('more channels than commands may wait for answers', async (t) => {
  const w = new World(t);
  const channels = Array.from({ length: 50 }, (_, n) => `c${n}`);
  const client = await streaming(w, {}, ...channels);
  for (const channel of channels) w.stream.say({ type: 'subscribed', payload: { channel } });
  await rest();
  for (const channel of channels) assert.equal(client.subscribe(channel).state, 'subscribed');
  const published = client.publish('c0', 1);
  await rest();
  w.request.answer(200, {});
  await published;
});

test('a token that ran out is renewed with the next stream', async (t) => {
  const w = new World(t);
  let count = 0;
  const client = await streaming(w, { token: () => `t${++count}` }, 'a');
  w.stream.end();
  await rest();
  await w.retry();
  assert.equal(w.stream.headers['authorization'], 'Bearer t2');
  w.stream.problem(401, 'TOKEN_EXPIRED');
  await rest();
  assert.equal(client.state, 'reconnecting');
  await w.retry();
  assert.equal(w.stream.headers['authorization'], 'Bearer t3');
  w.stream.problem(401, 'TOKEN_EXPIRED');
  await rest();
  assert.equal(client.state, 'closed');
});

/** A client whose stream has told it a secret and has one channel, with its errors and the presence of the channel. */
async function present(w: World, options: Options & SubscribeOptions = {}) {
  const client = w.connect({ ...only, ...options });
  const errors: unknown[] = [];
  client.on('error', ({ code }) => errors.push(code));
  const subscription = client.subscribe('a/b', options);
  await rest();
  greeted(w, 'first');
  await rest();
  const updates = () => w.requests.filter((request) => request.method === 'POST');
  return { client, subscription, presence: subscription.presence, errors, updates };
}

function greeted(w: World, secret: string): void {
  w.stream.greet({ connection: 's1', heartbeat: 25_000, secret }).say({ type: 'subscribed', payload: { channel: 'a/b' } });
}

test('over a stream the own appearance is a request, and goes again with each stream', async (t) => {
  const w = new World(t);
  const { client, presence, errors, updates } = await present(w, { info: { desk: 4 } });
  assert.equal(w.request.url.href, 'https://example.com/rt/channels/a%2Fb/presence');
  assert.deepEqual(w.request.body, { secret: 'first', info: { desk: 4 } });
  w.request.answer(200, { channel: 'a/b' });
  await rest();
  presence.update({ status: 'away' });
  await rest();
  assert.deepEqual(w.request.body, { secret: 'first', status: 'away' });
  w.request.answer(200, { channel: 'a/b' });
  await rest();
  w.stream.fail();
  await rest();
  await w.retry();
  presence.update({ status: 'busy' });
  await rest();
  assert.equal(updates().length, 2, 'there is no stream to tell');
  greeted(w, 'second');
  await rest();
  assert.deepEqual(w.request.body, { secret: 'second', info: { desk: 4 }, status: 'busy' });
  w.request.answer(200, { channel: 'a/b' });
  // Another channel needs another stream, which is another member of anonymous clients.
  client.subscribe('c');
  await w.pass(20);
  greeted(w, 'third');
  w.stream.say({ type: 'subscribed', payload: { channel: 'c' } });
  await rest();
  assert.deepEqual(w.request.body, { secret: 'third', info: { desk: 4 }, status: 'busy' });
  assert.equal(updates().length, 4, 'of the other channel the page has said nothing');
  assert.deepEqual(errors, []);
});

test('nothing is said of a channel that was left', async (t) => {
  const w = new World(t);
  const { client, subscription, presence, updates } = await present(w, { status: 'busy' });
  w.request.answer(200, { channel: 'a/b' });
  client.subscribe('c');
  subscription.unsubscribe();
  presence.update({ status: 'away' });
  await w.pass(20);
  client.subscribe('a/b');
  await w.pass(20);
  greeted(w, 'second');
  await rest();
  assert.equal(updates().length, 1);
});

test('an update that is rejected is told, one that the next stream brings is not', async (t) => {
  const w = new World(t);
  const { presence, errors } = await present(w, { status: 'busy' });
  // The page only said it in case the channel has presence.
  w.request.problem(403, 'FORBIDDEN');
  await rest();
  assert.deepEqual(errors, []);
  for (const [status, code] of [[400, 'INVALID_MESSAGE'], [403, 'FORBIDDEN'], [409, 'NOT_SUBSCRIBED']] as const) {
    presence.update({ status: 'away' });
    await rest();
    w.request.problem(status, code);
    await rest();
  }
  assert.deepEqual(errors, ['INVALID_MESSAGE', 'FORBIDDEN']);
});

test('an update that fails for a while is repeated, with the newest that the page has said', async (t) => {
  const w = new World(t);
  w.random = 1;
  const { client, presence, errors, updates } = await present(w);
  presence.update({ status: 'away' });
  await rest();
  w.request.problem(503, 'UNAVAILABLE', { 'retry-after': '2' });
  await rest();
  presence.update({ status: 'busy' });
  await rest();
  w.request.problem(429, 'RATE_LIMITED', { 'retry-after': '2' });
  await w.pass(7999);
  assert.equal(updates().length, 2);
  await w.pass(1);
  assert.equal(updates().length, 3, 'one request for both');
  assert.deepEqual(w.request.body, { secret: 'first', status: 'busy' });
  w.request.problem(503, 'UNAVAILABLE');
  await w.pass(7999);
  assert.equal(updates().length, 3, 'not at once');
  await w.pass(1);
  assert.equal(updates().length, 4);
  w.request.answer(200, { channel: 'a/b' });
  await rest();
  presence.update({ status: 'away' });
  await rest();
  w.request.problem(503, 'UNAVAILABLE');
  await rest();
  client.close();
  await w.pass(60_000);
  assert.equal(updates().length, 5);
  assert.deepEqual(errors, []);
});

test('a user is away over a stream as well', async (t) => {
  const w = new World(t);
  const { presence } = await present(w);
  const stop = autoAway(presence, { page: w.page, hidden: 10_000 });
  w.page.visible(false);
  await w.pass(10_000);
  assert.deepEqual(w.request.body, { secret: 'first', status: 'away' });
  w.request.answer(200, { channel: 'a/b' });
  await rest();
  w.page.visible(true);
  await rest();
  assert.deepEqual(w.request.body, { secret: 'first', status: 'online' });
  stop();
});

test('an EventSource tells the secret too', async (t) => {
  const w = new World(t);
  const client = w.connect({ ...only, EventSource: w.EventSource });
  const { presence } = client.subscribe('a');
  await rest();
  const [source] = w.sources;
  source!.say('connected', { type: 'connected', payload: { connection: 's1', secret: 'x' } });
  source!.say('subscribed', { type: 'subscribed', payload: { channel: 'a' } });
  presence.update({ status: 'away' });
  await rest();
  assert.deepEqual(w.request.body, { secret: 'x', status: 'away' });
});
