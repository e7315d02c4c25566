import assert from 'node:assert/strict';
import test from 'node:test';
import { increment, type Patch, type PatchOperation } from '../src/documents.js';
import { applyAll, type Operation } from '../src/operation.js';
import { encode, resolve } from '../src/patch.js';
import { transform } from '../src/transform.js';
import { freeze, type Json } from '../src/tree.js';
import { desk } from './desk.js';
import { settle, Table } from './table.js';

/** Two at a table, who each make an update before they hear of the other one's; what they were told. */
async function together(state: unknown, first: (d: any) => unknown, second: (d: any) => unknown) {
  const table = new Table(state as Json);
  const fates = [first, second].map((recipe) => [table.seat(), recipe] as const);
  const told = fates.map(([seat, recipe]) => seat.doc.update(recipe));
  settle(table);
  for (const { doc } of table.seats) assert.deepEqual(doc.value, table.state);
  return { told: await Promise.all(told), state: table.state };
}

test('of two who take the same seat one gets it', async () => {
  const take = (me: string) => (d: any): void => {
    if (!d.free.s1) return;
    delete d.free.s1;
    d.taken[me] = 's1';
  };
  assert.deepEqual(await together({ free: { s1: true }, taken: {} }, take('ann'), take('bob')), {
    told: [true, false],
    state: { free: {}, taken: { ann: 's1' } },
  });
});

test('an element that two move is in one place, and one of them is told so', async () => {
  const state = { todo: [{ id: 'x' }, { id: 'y' }], doing: [], done: [] };
  const move = (to: string) => (d: any): unknown => d[to].push(...d.todo.splice(0, 1));
  assert.deepEqual(await together(state, move('doing'), move('done')), {
    told: [true, false],
    state: { todo: [{ id: 'y' }], doing: [{ id: 'x' }], done: [] },
  });
  const within = (to: number) => (d: any): unknown => d.todo.splice(to, 0, ...d.todo.splice(0, 1));
  const three = { todo: ['x', 'y', 'z'].map((id) => ({ id })) };
  const { told, state: after } = await together(three, within(1), within(2));
  assert.deepEqual([told, (after as typeof three).todo.map(({ id }) => id)], [[true, false], ['y', 'x', 'z']]);
});

test('what one removes and another one moves is removed or moved, and not both', async () => {
  const state = { todo: [{ id: 'x' }], done: [] };
  const move = (d: any): unknown => d.done.push(d.todo.pop());
  const remove = (d: any): unknown => d.todo.pop();
  assert.deepEqual(await together(state, remove, move), { told: [true, false], state: { todo: [], done: [] } });
  assert.deepEqual(await together(state, move, remove), { told: [true, false], state: { todo: [], done: [{ id: 'x' }] } });
  const named = { todo: { x: 1 }, done: {} };
  const moveMember = (d: any): void => {
    d.done.x = d.todo.x;
    delete d.todo.x;
  };
  assert.deepEqual(await together(named, moveMember, (d) => void delete d.todo.x), {
    told: [true, false],
    state: { todo: {}, done: { x: 1 } },
  });
});

test('two who do one and the same thing, and nothing else, are both told that it is done', async () => {
  const cases: [unknown, (d: any) => unknown, unknown][] = [
    [{ a: 1 }, (d) => (d.a = 2), { a: 2 }],
    [{ a: 1 }, (d) => void delete d.a, {}],
    [{ list: ['x', 'y'] }, (d) => d.list.shift(), { list: ['y'] }],
    [{}, (d) => (d.o = { x: 1, y: 2 }), { o: { x: 1, y: 2 } }],
    // Can not be told from two who set it to 2: that is what increment is for.
    [{ n: 1 }, (d) => d.n++, { n: 2 }],
  ];
  for (const [state, recipe, want] of cases) {
    assert.deepEqual(await together(state, recipe, recipe), { told: [true, true], state: want });
  }
});

test('what coincides in a part is a conflict as a whole', async () => {
  const state = { a: 1, b: 1 };
  const set = (values: object) => (d: any): unknown => Object.assign(d, values);
  const cases: [object, object][] = [
    [{ a: 2 }, { a: 2, b: 2 }],
    [{ a: 2, b: 2 }, { a: 2, b: 2 }],
    [{ a: 2, b: 2 }, { a: 2, c: 3 }],
    [{ o: { x: 1 } }, { o: { x: 1, y: 1 } }],
  ];
  for (const [first, second] of cases) {
    const { told, state: after } = await together(state, set(first), set(second));
    assert.deepEqual([told, after], [[true, false], { ...state, ...first }]);
  }
});

test('an update that builds on one that is taken back is taken back as well', async () => {
  const table = new Table({ free: { s1: true }, taken: {}, title: 'a' } as Json);
  const [ann, bob] = [table.seat().doc, table.seat().doc];
  void ann.update((d) => void (delete d.free.s1, (d.taken.ann = 's1')));
  const fates = [
    bob.update((d) => void (delete d.free.s1, (d.taken.bob = 's1'))),
    bob.update((d) => void (delete d.taken.bob, (d.taken.cleo = 's1'))),
    bob.update({ title: 'b' }),
  ];
  settle(table);
  assert.deepEqual(await Promise.all(fates), [false, false, true]);
  assert.deepEqual(table.state, { free: {}, taken: { ann: 's1' }, title: 'b' });
});

test('a value that is set anew stands, although the one before was refused', async (t) => {
  const d = await desk(t, { age: 1, name: 'x' });
  const fates = [d.doc.update({ age: 'old' }), d.doc.update({ age: 2 }), d.doc.update({ name: 'y' })];
  d.reject('SCHEMA_VIOLATION', 4, { age: 1, name: 'x' });
  assert.deepEqual(d.doc.value, { age: 2, name: 'y' });
  d.accept(5);
  d.accept(6);
  assert.deepEqual(await Promise.all(fates), [false, true, true]);
});

test('what builds on an update whose test fails is taken back as well', async (t) => {
  const d = await desk(t, { n: 0, s: 0, list: ['a'] });
  d.doc.update({ n: 1 });
  const fates = [
    d.doc.update([{ op: 'test', path: '/s', value: 0 }, { op: 'add', path: '/list/0', value: 'mine' }]),
    d.doc.update((draft) => (draft.list[0] = 'changed')),
    d.doc.update((draft) => (draft.list[1] = 'A')),
  ];
  d.remote(5, { s: 1 });
  assert.deepEqual(d.doc.value, { n: 1, s: 1, list: ['A'] });
  d.accept(6);
  d.accept(7);
  assert.deepEqual(await Promise.all(fates), [false, false, true]);
});

test('increments of several add up', async () => {
  const vote = (by: number) => (d: any): void => increment(d, '/votes/x', by);
  assert.deepEqual(await together({ votes: {} }, vote(1), vote(2)), { told: [true, true], state: { votes: { x: 3 } } });
  const both = (me: string) => (d: any): void => {
    increment(d, ['votes', 'x']);
    d.by[me] = d.votes.x;
  };
  assert.deepEqual(await together({ votes: { x: 5 }, by: {} }, both('ann'), both('bob')), {
    told: [true, true],
    state: { votes: { x: 7 }, by: { ann: 6, bob: 6 } },
  });
  const reset = (d: any): unknown => (d.votes.x = 0);
  assert.deepEqual((await together({ votes: { x: 5 } }, reset, vote(1))).told, [true, false]);
  assert.deepEqual((await together({ votes: { x: 5 } }, vote(1), reset)).told, [true, false]);
  assert.deepEqual((await together({ votes: { x: 5 } }, (d) => void delete d.votes, vote(1))).told, [true, false]);
});

test('an increment is sent as one, from a function or a patch', async (t) => {
  const d = await desk(t, { n: 1, list: [1, 2] });
  const one = { op: 'increment', path: '/n', value: 1 } as const;
  d.doc.update((draft) => {
    increment(draft, '/n');
    increment(draft, '/n', 1);
    assert.equal(draft.n, 3);
    draft.list.unshift(0);
    increment(draft, ['list', 2], -5);
  });
  assert.deepEqual(d.doc.value, { n: 3, list: [0, 1, -3] });
  assert.deepEqual(d.sent[0]!.patch, [
    one,
    one,
    { op: 'add', path: '/list/0', value: 0 },
    { op: 'increment', path: '/list/2', value: -5 },
  ]);
  d.accept(5);
  d.doc.update([one]);
  assert.deepEqual(d.sent[1]!.patch, [one]);
  d.remote(6, [{ ...one, value: 4 }]);
  assert.equal(d.doc.value.n, 8);
  d.accept(7);
  assert.deepEqual([d.doc.value.n, d.doc.status], [8, 'synced']);
  d.remote(8, { n: 0 });
  assert.equal(d.doc.value.n, 0);
});

test('an increment that does not fit is thrown', async (t) => {
  const d = await desk(t, { s: 'x', n: 1e308, list: [1], o: {} });
  const wrong: Patch[] = [
    [{ op: 'increment', path: '/s', value: 1 }],
    [{ op: 'increment', path: '/n', value: 1e308 }],
    [{ op: 'increment', path: '/n', value: '1' }],
    [{ op: 'increment', path: '/n' }],
    [{ op: 'increment', path: '/list/1', value: 1 }],
    [{ op: 'increment', path: '/absent/n', value: 1 }],
    [{ op: 'increment', path: '', value: 1 }],
  ];
  for (const patch of wrong) assert.throws(() => d.doc.update(patch), { code: 'INVALID_MESSAGE' }, JSON.stringify(patch));
  assert.throws(() => d.doc.update((draft) => increment(draft, '/s')), { code: 'INVALID_MESSAGE' });
  assert.throws(() => d.doc.update((draft) => increment(draft, '/n', NaN)), { code: 'INVALID_MESSAGE' });
  assert.throws(() => d.doc.update((draft) => increment(draft.o, '/n')), TypeError);
  assert.throws(() => increment({ n: 1 }, '/n'), TypeError);
  assert.deepEqual([d.sent, d.doc.pending], [[], 0]);
});

test('an increment that was made offline is added to whatever number is there', async (t) => {
  const d = await desk(t, { n: 1 });
  d.w.socket.drop();
  const fates = [d.doc.update((draft) => increment(draft, '/n')), d.doc.update((draft) => increment(draft, '/m'))];
  await d.w.retry();
  d.w.socket.greet();
  d.subscribed({ n: 10, m: 4 }, 9);
  assert.deepEqual(d.doc.value, { n: 11, m: 5 });
  d.accept(10);
  assert.deepEqual(await Promise.all(fates), [true, true]);

  d.w.socket.drop();
  const lost = d.doc.update((draft) => increment(draft, '/n'));
  await d.w.retry();
  d.w.socket.greet();
  d.subscribed({ n: 'ten', m: 4 }, 11);
  assert.deepEqual([await lost, d.doc.value], [false, { n: 'ten', m: 4 }]);
});

test('an increment goes into a document that begins anew', async (t) => {
  const d = await desk(t, { n: 1, title: 'x' });
  const fate = d.doc.update((draft) => {
    increment(draft, '/n', 2);
    draft.note = 'counted';
  });
  await d.reconnect();
  d.subscribed({ n: 5 }, 3, 'f');
  assert.deepEqual(d.doc.value, { n: 7, note: 'counted' });
  assert.deepEqual(d.sent.at(-1)!.patch, [
    { op: 'add', path: '/note', value: 'counted' },
    { op: 'increment', path: '/n', value: 2 },
  ]);
  d.accept(4, { epoch: 'f' });
  assert.equal(await fate, true);
});

test('increments stay increments where an update has too many operations', () => {
  const root = freeze({ list: Array.from({ length: 300 }, (_, i) => i), n: 0, m: 0, o: { x: 1 } }) as Json;
  const ops: Operation[] = [{ kind: 'increment', path: ['n'], value: 1 }, { kind: 'increment', path: ['m'], value: 1 }];
  for (let i = 0; i < 300; i++) ops.push({ kind: 'remove', path: ['list', '0'], was: i });
  ops.push({ kind: 'increment', path: ['n'], value: 2 }, { kind: 'set', path: ['m'], value: 9, was: 1 });
  const patch = encode(root, ops) as PatchOperation[];
  assert.deepEqual([patch.length, patch.filter(({ op }) => op === 'increment').length], [304, 3]);
  assert.deepEqual(resolve(root, patch).value, applyAll(root, ops));
});

test('increments pass each other, and what moves them', () => {
  const root = freeze({ n: 1, list: [{ n: 1 }, 2] }) as Json;
  const cases: [Patch, Patch, unknown][] = [
    [[{ op: 'increment', path: '/list/1', value: 1 }], [{ op: 'add', path: '/list/0', value: 0 }], { n: 1, list: [0, { n: 1 }, 3] }],
    [[{ op: 'increment', path: '/list/0/n', value: 1 }], [{ op: 'remove', path: '/list/1' }], { n: 1, list: [{ n: 2 }] }],
    [[{ op: 'increment', path: '/list/0/n', value: 1 }], [{ op: 'remove', path: '/list/0' }], undefined],
    [[{ op: 'increment', path: '/n', value: 1 }, { op: 'increment', path: '/n', value: 1 }],
      [{ op: 'increment', path: '/n', value: 5 }, { op: 'increment', path: '/m', value: 5 }], { n: 8, list: [{ n: 1 }, 2], m: 5 }],
    [[{ op: 'increment', path: '/n', value: 1 }], { n: 2 }, undefined],
    [{ n: 2 }, [{ op: 'increment', path: '/n', value: 1 }], undefined],
    [[{ op: 'increment', path: '/n', value: 1 }], { n: null }, undefined],
    [{ list: null }, [{ op: 'increment', path: '/list/1', value: 1 }], undefined],
  ];
  for (const [mine, theirs, want] of cases) {
    const remote = resolve(root, theirs);
    const { ops, others } = transform(resolve(root, mine).ops, remote.ops);
    assert.deepEqual(ops && applyAll(remote.value, ops), want, JSON.stringify([mine, theirs]));
    if (ops) assert.deepEqual(applyAll(resolve(root, mine).value, others), want);
  }
});
