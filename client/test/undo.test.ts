import assert from 'node:assert/strict';
import test from 'node:test';
import { increment } from '../src/documents.js';
import type { Json } from '../src/tree.js';
import { desk } from './desk.js';
import { settle, Table } from './table.js';

/** Ann changes something, then Bob; then Ann undoes it. What she is told, and what there is. */
function undone(state: unknown, first: (d: any) => unknown, ...then: ((d: any) => unknown)[]) {
  const table = new Table(state as Json);
  const [ann, bob] = [table.seat().doc, table.seat().doc];
  const conflicts: unknown[] = [];
  ann.on('conflict', ({ patch, error }) => conflicts.push([error.code, patch]));
  void ann.update(first);
  settle(table);
  for (const recipe of then) {
    void bob.update(recipe);
    settle(table);
  }
  const done = ann.undo();
  settle(table);
  for (const { doc } of table.seats) assert.deepEqual(doc.value, table.state);
  return { done, conflicts: conflicts.length, state: table.state, canUndo: ann.canUndo };
}

const board = { todo: [{ id: 'x' }, { id: 'y' }], done: [] };
const move = (d: any): unknown => d.done.push(d.todo.shift());

test('a move is undone as a whole, or not at all', () => {
  const untouched = { done: true, conflicts: 0, canUndo: false };
  const conflict = { done: false, conflicts: 1, canUndo: false };
  assert.deepEqual(undone(board, move), { ...untouched, state: board });
  assert.deepEqual(undone(board, move, (d) => d.todo.unshift({ id: 'z' })), {
    ...untouched,
    state: { todo: [{ id: 'z' }, { id: 'x' }, { id: 'y' }], done: [] },
  });
  assert.deepEqual(undone(board, move, (d) => (d.done[0].by = 'bob')), {
    ...conflict,
    state: { todo: [{ id: 'y' }], done: [{ id: 'x', by: 'bob' }] },
  });
  assert.deepEqual(undone(board, move, (d) => d.done.pop()), { ...conflict, state: { todo: [{ id: 'y' }], done: [] } });
  assert.deepEqual(undone(board, move, (d) => (d.third = d.done.splice(0, 1))), {
    ...conflict,
    state: { todo: [{ id: 'y' }], done: [], third: [{ id: 'x' }] },
  });
});

test('a conflict names what would have been undone', async (t) => {
  const d = await desk(t, { a: 1, b: 1 });
  d.doc.update({ a: 2, b: 2 });
  d.accept(5);
  d.remote(6, { b: 3 });
  d.news;
  assert.equal(d.doc.undo(), false);
  assert.deepEqual([d.news, d.doc.value, d.doc.pending], [[['conflict', { b: 1, a: 1 }]], { a: 2, b: 3 }, 0]);
});

test('an undo takes away nothing that somebody else has put in', () => {
  const on = (d: any): unknown => (d.on = true);
  const off = (d: any): unknown => (d.on = false);
  assert.deepEqual(undone({ on: false }, on), { done: true, conflicts: 0, state: { on: false }, canUndo: false });
  // Bob has switched it on himself.
  assert.deepEqual(undone({ on: false }, on, off, on), { done: false, conflicts: 1, state: { on: true }, canUndo: false });
  assert.deepEqual(undone({}, (d) => (d.o = {}), (d) => (d.o.x = 1)).state, { o: { x: 1 } });
  assert.deepEqual(undone({ list: [] }, (d) => d.list.push({ id: 'x' }), (d) => (d.list[0].by = 'bob')).state, {
    list: [{ id: 'x', by: 'bob' }],
  });
  // Bob has put back what Ann removed.
  assert.deepEqual(undone({ list: [{ id: 'x' }] }, (d) => d.list.pop(), (d) => d.list.push({ id: 'x' })).state, {
    list: [{ id: 'x' }],
  });
  const again = undone({ list: [] }, (d) => d.list.push({ id: 'x' }), (d) => d.list.pop(), (d) => d.list.push({ id: 'x' }));
  assert.deepEqual([again.done, again.state], [false, { list: [{ id: 'x' }] }]);
});

test('an increment is undone beside those of others', () => {
  const up = (d: any): void => increment(d, '/n', 3);
  assert.deepEqual(undone({ n: 1 }, up, up), { done: true, conflicts: 0, state: { n: 4 }, canUndo: false });
  assert.deepEqual(undone({ n: 1 }, up, (d) => (d.n = 0)), { done: false, conflicts: 1, state: { n: 0 }, canUndo: false });
});

test('what has gone already is skipped, and the one before is undone', () => {
  const table = new Table({ list: [], title: 'a' } as Json);
  const [ann, bob] = [table.seat().doc, table.seat().doc];
  void ann.update({ title: 'b' });
  void ann.update((d) => d.list.push('x'));
  settle(table);
  void bob.update((d) => d.list.pop());
  settle(table);
  assert.equal(ann.undo(), true);
  settle(table);
  assert.deepEqual(table.state, { list: [], title: 'a' });
});

test('true, and then false within a second, is undone to where the first began', async (t) => {
  for (const began of [{}, { on: null }, { on: 'maybe' }, { on: false }]) {
    await t.test(JSON.stringify(began), async (t) => {
      const d = await desk(t, { title: 'a', ...began });
      d.doc.update({ title: 'b' });
      await d.w.pass(1000);
      d.doc.update((draft) => (draft.on = true));
      await d.w.pass(100);
      d.doc.update((draft) => (draft.on = false));
      assert.equal(d.doc.undo(), true);
      assert.deepEqual(d.doc.value, { title: 'b', ...began });
      assert.equal(d.doc.undo(), true);
      assert.deepEqual(d.doc.value, { title: 'a', ...began });
    });
  }
});

test('an undo that comes too late is taken back as a whole', async () => {
  const table = new Table(board as unknown as Json);
  const [ann, bob] = [table.seat().doc, table.seat().doc];
  void ann.update(move);
  settle(table);
  let conflicts = 0;
  ann.on('conflict', () => conflicts++);
  const pop = bob.update((d) => d.done.pop());
  table.seats[1]!.submit();
  assert.equal(ann.undo(), true);
  settle(table);
  assert.deepEqual([await pop, conflicts, table.state, ann.value], [true, 1, { todo: [{ id: 'y' }], done: [] }, table.state]);
});
