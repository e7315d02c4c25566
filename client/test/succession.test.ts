import assert from 'node:assert/strict';
import test from 'node:test';
import { World } from './world.js';

test('what the page publishes while a waiting message is on its way does not overtake it', async (t) => {
  const w = new World(t);
  await w.open();
  w.socket.drop();
  const first = w.client.publish('a', 1);
  await w.retry();
  w.socket.greet();
  const [second, other] = [w.client.publish('a', 2), w.client.publish('b', 3)];
  const sent = w.socket.all('message');
  assert.deepEqual(
    sent.map(({ payload }) => [payload['content'], payload['after']]),
    [[1, undefined], [2, true], [3, true]],
  );
  for (const { id } of sent)
    w.socket.say({ type: 'error', id: id!, payload: { code: 'RATE_LIMITED', message: '', retryAfter: 200 } });
  await w.pass(199);
  assert.equal(w.socket.all('message').length, 3);
  const again: unknown[] = [];
  for (let n = 0; n < 3; n++) {
    await w.pass(500);
    const { payload } = w.socket.last('message');
    again.push([payload['content'], payload['after']]);
    w.socket.answer('message', 'ack', { channel: payload.channel! });
  }
  assert.deepEqual(again, [[1, undefined], [2, undefined], [3, undefined]], 'the first ends the succession');
  await Promise.all([first, second, other]);
});

test('a page that is connected publishes without a succession, and hears of its rate itself', async (t) => {
  const w = new World(t);
  await w.open();
  const published = [1, 2].map((n) => w.client.publish('a', n));
  const sent = w.socket.all('message');
  assert.deepEqual(
    sent.map(({ payload }) => payload['after']),
    [undefined, undefined],
  );
  for (const { id } of sent) w.socket.say({ type: 'error', id: id!, payload: { code: 'RATE_LIMITED', message: '' } });
  for (const each of published) await assert.rejects(each, { code: 'RATE_LIMITED' });
});
