import assert from 'node:assert/strict';
import test from 'node:test';
import { rest, World } from './world.js';

test('a client is ready when it is open', async (t) => {
  const w = new World(t);
  const client = w.connect();
  let ready = false;
  const wait = client.ready().then(() => (ready = true));
  await rest();
  assert.equal(ready, false);
  w.socket.greet();
  await wait;
  await client.ready();
  w.socket.drop();
  const again = client.ready();
  await w.retry();
  w.socket.greet();
  await again;
});

test('a client that closes is not ready, and one that is closed waits', async (t) => {
  const w = new World(t);
  const client = w.connect();
  const failed = client.ready();
  await rest();
  w.socket.greet().drop(4403);
  await failed;
  const closed = client.ready();
  const reopened = assert.doesNotReject(closed);
  client.connect();
  await rest();
  w.socket.greet();
  await reopened;
  w.socket.drop();
  const given = assert.rejects(client.ready(), { code: 1000 });
  client.close();
  await given;
});

test('a subscription is ready when messages flow, and not when it ended', async (t) => {
  const w = new World(t);
  await w.open();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => w.client.subscribe(name));
  const all = [a!.ready(), b!.ready(), c!.ready()];
  const [, refused, left] = all.map((promise) => promise.then(() => 'ready', ({ code }: { code: unknown }) => code));
  const ids = w.socket.all('subscribe').map(({ id }) => id!);
  w.socket.say({ type: 'subscribed', id: ids[0]!, payload: { channel: 'a' } });
  w.socket.say({ type: 'error', id: ids[1]!, payload: { code: 'FORBIDDEN', message: 'no' } });
  c!.unsubscribe();
  await all[0];
  await a!.ready();
  assert.deepEqual([await refused, await left], ['FORBIDDEN', 'CLOSED']);
  await assert.rejects(b!.ready(), { code: 'CLOSED' }, 'it has ended');
});
