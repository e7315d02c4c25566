import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { autoAway, type AwayOptions } from '../src/away.js';
import { FakePage } from './world.js';

function start(t: TestContext, options: AwayOptions = {}): { page: FakePage; seen: string[]; pass(ms: number): void; stop(): void } {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const page = new FakePage();
  const seen: string[] = [];
  const stop = autoAway({ update: ({ status }) => seen.push(status!) }, { page, ...options });
  return { page, seen, stop, pass: (ms) => t.mock.timers.tick(ms) };
}

test('a user who does nothing for a while is away, until the next sign of life', (t) => {
  const { page, seen, pass } = start(t);
  pass(299_999);
  page.fire('keydown');
  pass(299_999);
  page.fire('pointermove');
  assert.deepEqual(seen, []);
  pass(300_000);
  assert.deepEqual(seen, ['away']);
  pass(1_000_000);
  page.fire('pointerdown');
  page.fire('pointerdown');
  assert.deepEqual(seen, ['away', 'online']);
  pass(300_000);
  assert.deepEqual(seen, ['away', 'online', 'away']);
});

test('a page that is hidden for a while is away, whatever happens in it', (t) => {
  const { page, seen, pass } = start(t, { idle: 50_000, hidden: 10_000, away: 'out', present: 'in' });
  page.visible(false);
  pass(9_999);
  page.visible(true);
  pass(20_000);
  page.visible(false);
  page.fire('scroll');
  pass(10_000);
  assert.deepEqual(seen, ['out']);
  page.fire('keydown');
  assert.deepEqual(seen, ['out']);
  page.visible(true);
  assert.deepEqual(seen, ['out', 'in']);
});

test('a page that opens hidden is away after the same time', (t) => {
  const page = new FakePage();
  page.document.visibilityState = 'hidden';
  const { seen, pass } = start(t, { page, hidden: 10_000 });
  pass(10_000);
  assert.deepEqual(seen, ['away']);
});

test('it can be stopped, and does nothing without a page', (t) => {
  const { page, seen, pass, stop } = start(t);
  stop();
  pass(1_000_000);
  page.fire('keydown');
  page.visible(false);
  pass(1_000_000);
  assert.deepEqual(seen, []);
  autoAway({ update: () => assert.fail() })();
  pass(1_000_000);
});

test('a user who may be idle for ever is not away at once', (t) => {
  const page = new FakePage();
  const waits: number[] = [];
  t.mock.method(globalThis, 'setTimeout', (_: unknown, ms: number) => void waits.push(ms));
  autoAway({ update: () => assert.fail() }, { page, idle: Infinity })();
  assert.deepEqual(waits, [2 ** 31 - 1]);
});
