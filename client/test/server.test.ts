import assert from 'node:assert/strict';
import test from 'node:test';
import * as calls from '../src/calls.js';
import * as documents from '../src/documents.js';
import * as watch from '../src/watch.js';
import { rest, World } from './world.js';

// Node.js has no page, and so no address for a path: as where a server renders a page.

for (const [name, connect] of [
  ['documents', documents.connect],
  ['calls', calls.connect],
  ['watch', watch.connect],
] as const) {
  test(`a client with ${name} is made on a server, and does nothing there`, async (t) => {
    const w = new World(t);
    const asked = t.mock.method(globalThis, 'fetch', () => Promise.reject(new Error('asked')));
    const random = t.mock.method(crypto, 'getRandomValues');
    for (const url of [undefined, '/rt']) {
      const client = connect(url, { token: () => assert.fail('a token') });
      const subscription = client.subscribe('a', { history: 2 });
      subscription.on('message', () => assert.fail());
      let ready = false;
      const wait = (): void => void (ready = true);
      client.ready().then(wait, wait);
      subscription.ready().then(wait, wait);
      await w.pass(100_000);
      assert.equal(client.state, 'closed');
      assert.equal(subscription.state, 'subscribing');
      assert.deepEqual([...subscription.presence.members], []);
      assert.equal(ready, false, 'so that a server does not reject what the page will do');
      await assert.rejects(client.publish('a', 1), { code: 'CLOSED' });
      subscription.unsubscribe();
      client.close();
    }
    await rest();
    assert.equal(asked.mock.callCount(), 0);
    assert.ok(random.mock.callCount() <= 2, 'only for the keys of what is published');
  });
}

test('a client is made without random numbers, which some servers do not have while they start', (t) => {
  t.mock.method(crypto, 'getRandomValues', () => assert.fail());
  new documents.Realtime('/rt').connect().document('a');
});
