import assert from 'node:assert/strict';
import test from 'node:test';
import { Realtime } from '../src/index.js';
import { settle } from '../src/settings.js';
import { World } from './world.js';

function base(url: string | URL | undefined, here?: string): string {
  const scope = globalThis as { location?: { href: string } };
  if (here) scope.location = { href: here };
  try {
    return settle(url, {}).base.href;
  } finally {
    delete scope.location;
  }
}

test('the address may be given in many ways', () => {
  assert.equal(base('https://example.com/rt'), 'https://example.com/rt');
  assert.equal(base('wss://example.com/rt#x'), 'https://example.com/rt');
  assert.equal(base('ws://localhost:8080'), 'http://localhost:8080/');
  assert.equal(base(new URL('https://example.com/rt?a=b')), 'https://example.com/rt?a=b');
  assert.equal(base('/rt', 'https://example.com/page?x'), 'https://example.com/rt');
  assert.equal(base('rt', 'https://example.com/app/page'), 'https://example.com/app/rt');
  assert.equal(base(undefined, 'https://example.com/app/page'), 'https://example.com/realtime');
});

test('paths are appended to the address, and its query stays', () => {
  const { http } = settle('https://example.com/rt/?a=b', {}).sse;
  assert.equal(
    http.url('/channels/x', [
      ['limit', 1],
      ['none', undefined],
    ]).href,
    'https://example.com/rt/channels/x?a=b&limit=1',
  );
  assert.equal(http.url().href, 'https://example.com/rt/?a=b', 'the slash of the base itself stays');
  assert.equal(settle('https://example.com/rt', {}).sse.http.url().href, 'https://example.com/rt');
});

test('options that are undefined are options left out', () => {
  const { timeout, buffer, minDelay, maxDelay, dropOldest } = settle('https://example.com', {
    ...({ timeout: undefined, buffer: undefined } as object),
  });
  assert.deepEqual(
    { timeout, buffer, minDelay, maxDelay, dropOldest },
    { timeout: 10_000, buffer: 100, minDelay: 1000, maxDelay: 30_000, dropOldest: false },
  );
});

test('a client needs some transport', () => {
  const options = { transport: 'websocket' } as const;
  const without = globalThis.WebSocket;
  try {
    Reflect.deleteProperty(globalThis, 'WebSocket');
    assert.throws(() => new Realtime('https://example.com', options), /pass WebSocket/);
  } finally {
    if (without) globalThis.WebSocket = without;
  }
});

test('each client has a name of its own', async (t) => {
  const keys = new Set();
  for (let i = 0; i < 2; i++) {
    const w = new World(t);
    const client = await w.open();
    void client.publish('a', 1);
    keys.add(w.socket.last('message').payload['key']);
    t.mock.reset();
  }
  assert.equal(keys.size, 2);
});
