import assert from 'node:assert/strict';
import test from 'node:test';
import { applyAll, difference, inverse, Misfit, type Operation } from '../src/operation.js';
import { encode, resolve, type Patch } from '../src/patch.js';
import { transform } from '../src/transform.js';
import { equal, freeze, reuse, type Json, type Path } from '../src/tree.js';

/** Numbers that are random and the same in every run. */
function dice(seed: number): (n: number) => number {
  return (n) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** A small value with everything in it. */
function anyValue(roll: (n: number) => number, depth = 3): Json {
  const size = roll(4);
  switch (depth ? roll(6) : roll(3)) {
    case 0:
      return roll(5);
    case 1:
      return ['x', '', '__proto__', 'a/b~c'][roll(4)]!;
    case 2:
      return [null, true, false][roll(3)]!;
    case 3:
      return Array.from({ length: size }, () => anyValue(roll, depth - 1));
    default: {
      const names = ['a', 'b', 'c/d', '0', ''];
      return Object.fromEntries(Array.from({ length: size }, () => [names[roll(5)]!, anyValue(roll, depth - 1)]));
    }
  }
}

function anyObject(roll: (n: number) => number): Json {
  const list = Array.from({ length: roll(5) }, () => anyValue(roll, 2));
  return freeze({ a: anyValue(roll), b: anyValue(roll), list });
}

/** A change of a value as a page makes one, small and somewhere in it. */
function edited(roll: (n: number) => number, v: Json): Json {
  if (Array.isArray(v)) {
    const items = [...(v as Json[])];
    const i = roll(items.length + 1);
    const kind = roll(4);
    if (kind === 0 || !items.length) items.splice(i, 0, anyValue(roll, 1));
    else if (kind === 1) items.splice(i % items.length, 1);
    else items[i % items.length] = edited(roll, items[i % items.length]!);
    return items;
  }
  if (typeof v !== 'object' || v === null) return anyValue(roll, 2);
  const members: Record<string, Json> = { ...(v as Record<string, Json>) };
  const names = Object.keys(members);
  const name = [...names, 'new'][roll(names.length + 1)]!;
  if (name in members && roll(4) === 0) delete members[name];
  else members[name] = name in members ? edited(roll, members[name]!) : anyValue(roll);
  return members;
}

test('the difference of two values makes one of the other, and back', () => {
  const roll = dice(1);
  for (let i = 0; i < 3000; i++) {
    const [old, now] = [anyObject(roll), freeze(roll(2) ? anyObject(roll) : null)];
    const other = now ?? freeze(edited(roll, old));
    const ops = difference(old, other);
    assert.deepEqual(applyAll(old, ops), other);
    assert.deepEqual(applyAll(other, inverse(ops)), old, JSON.stringify({ old, other, ops }));
  }
});

test('a small change is a small difference', () => {
  const items = [1, 2, 3].map((id) => ({ id, done: false }));
  const old = freeze({ title: 'a', items, o: { x: 1 } });
  const cases: [(draft: any) => unknown, [string, Path, unknown?][]][] = [
    [(d) => (d.title = 'b'), [['set', ['title'], 'b']]],
    [(d) => (d.items[1].done = true), [['set', ['items', '1', 'done'], true]]],
    [(d) => d.items.push(4), [['insert', ['items', '3'], 4]]],
    [(d) => d.items.unshift(4), [['insert', ['items', '0'], 4]]],
    [(d) => d.items.splice(1, 1), [['remove', ['items', '1']]]],
    [(d) => (d.items = [d.items[1]]), [['remove', ['items', '0']], ['remove', ['items', '1']]]],
    [(d) => delete d.o.x, [['unset', ['o', 'x']]]],
    [(d) => (d.p = { y: { z: 1 } }), [['set', ['p'], { y: { z: 1 } }]]],
    [(d) => (d.title = undefined), [['unset', ['title']]]],
  ];
  for (const [change, want] of cases) {
    const draft = structuredClone(old);
    change(draft);
    const ops = difference(old, JSON.parse(JSON.stringify(draft)));
    const got = ops.map(({ kind, path, value }) => (value === undefined ? [kind, path] : [kind, path, value]));
    assert.deepEqual(got, want);
  }
});

test('patches do what the standards say', () => {
  const root = freeze({ a: { b: 1, c: [1, 2] }, n: null, s: 'x' });
  const cases: [Patch, unknown][] = [
    [{ a: { b: null }, t: 1 }, { a: { c: [1, 2] }, n: null, s: 'x', t: 1 }],
    [{ s: { deep: { gone: null, x: 1 } } }, { a: { b: 1, c: [1, 2] }, n: null, s: { deep: { x: 1 } } }],
    [{ a: { c: { 0: 'x' } } }, { a: { b: 1, c: { 0: 'x' } }, n: null, s: 'x' }],
    [{ q: {}, r: { s: { t: null } } }, { a: { b: 1, c: [1, 2] }, n: null, s: 'x', q: {}, r: { s: {} } }],
    [{ absent: null }, root],
    [[{ op: 'add', path: '/a/c/-', value: 3 }], { a: { b: 1, c: [1, 2, 3] }, n: null, s: 'x' }],
    [[{ op: 'add', path: '/a/c/0', value: 0 }], { a: { b: 1, c: [0, 1, 2] }, n: null, s: 'x' }],
    [[{ op: 'replace', path: '/a/c/1', value: { x: null } }], { a: { b: 1, c: [1, { x: null }] }, n: null, s: 'x' }],
    [[{ op: 'remove', path: '/a' }, { op: 'add', path: '/x~1y~0', value: null }], { n: null, s: 'x', 'x/y~': null }],
    [[{ op: 'replace', path: '', value: [1] }], [1]],
    [[{ op: 'test', path: '/n', value: null }, { op: 'replace', path: '/n', value: 1 }], { ...root, n: 1 }],
  ];
  for (const [patch, want] of cases) {
    const { value, ops } = resolve(root, patch);
    assert.deepEqual(value, want, JSON.stringify(patch));
    assert.deepEqual(applyAll(root, ops), want);
  }
  const wrong: unknown[] = [
    [{ op: 'replace', path: '/absent', value: 1 }],
    [{ op: 'remove', path: '/absent' }],
    [{ op: 'remove', path: '' }],
    [{ op: 'add', path: '/absent/x', value: 1 }],
    [{ op: 'add', path: '/a/c/3', value: 1 }],
    [{ op: 'add', path: '/a/c/01', value: 1 }],
    [{ op: 'replace', path: '/a/c/-', value: 1 }],
    [{ op: 'add', path: '/s/x', value: 1 }],
    [{ op: 'add', path: 'a', value: 1 }],
    [{ op: 'add', path: '/a' }],
    [{ op: 'move', from: '/a', path: '/b' }],
    [{ op: 'test', path: '/s', value: 'y' }],
    [{ op: 'replace', path: '/constructor', value: 1 }],
  ];
  for (const patch of wrong) {
    assert.throws(() => resolve(root, patch as Patch), Misfit, JSON.stringify(patch));
  }
});

test('what is sent does what was meant, as a merge patch if it can', () => {
  const roll = dice(2);
  for (let i = 0; i < 3000; i++) {
    const old = anyObject(roll);
    const [once, now] = [freeze(edited(roll, old)), freeze(edited(roll, edited(roll, old)))];
    const ops = [...difference(old, once), ...difference(once, now)];
    const patch = encode(old, ops);
    assert.deepEqual(patch ? resolve(old, patch).value : old, now, JSON.stringify({ old, ops, patch }));
  }
  const root = freeze({ list: [1], o: { x: 1 } });
  const sent = (now: Json): unknown => encode(root, difference(root, freeze(now)));
  assert.deepEqual(sent({ list: [1], o: { x: 2, y: { z: 1 } } }), { o: { x: 2, y: { z: 1 } } });
  assert.deepEqual(sent({ list: [1, 2], o: { x: 1 } }), [{ op: 'add', path: '/list/-', value: 2 }]);
  assert.deepEqual(sent({ list: [1], o: { x: null } }), [{ op: 'add', path: '/o/x', value: null }]);
  assert.equal(sent(root), undefined);
});

test('what would be too many steps replaces the arrays in question', () => {
  const numbers = (n: number): Json[] => Array.from({ length: n }, (_, i) => i);
  const root = freeze({ title: 'old', board: { cards: numbers(300), tags: ['a'] } });
  const sent = (now: Json): unknown => encode(root, difference(root, freeze(now)));
  const cleared = { title: 'new', board: { cards: [], tags: ['a'] } };
  assert.deepEqual(sent(cleared), [
    { op: 'add', path: '/title', value: 'new' },
    { op: 'add', path: '/board/cards', value: [] },
  ]);
  const many = encode(root, difference(root, freeze({ ...cleared, board: { cards: numbers(900).reverse(), tags: [] } })));
  assert.equal((many as unknown[]).length, 3);
  const few = sent({ title: 'old', board: { cards: numbers(50), tags: ['a'] } }) as { op: string }[];
  assert.deepEqual([few.length, few[0]!.op], [250, 'remove']);
});

test('what is the same stays the same object', () => {
  const old = freeze({ a: { x: 1 }, b: { y: [1, { z: 2 }] } });
  const now = reuse(old, freeze(JSON.parse('{"b":{"y":[1,{"z":3}]},"a":{"x":1}}')) as Json) as typeof old;
  assert.equal(now.a, old.a);
  assert.notEqual(now.b, old.b);
  assert.equal(reuse(old, freeze(structuredClone(old))), old);
  assert.throws(() => Object.assign(now.b, { y: 1 }), TypeError);
  const [next] = [applyAll(old, difference(old, freeze({ a: { x: 1 }, b: { y: [1, { z: 2 }] }, c: 1 })))];
  assert.equal((next as typeof old).b, old.b);
});

test('two changes of one value lead to one value in either order, or collide', () => {
  const roll = dice(3);
  let collisions = 0;
  for (let i = 0; i < 20_000; i++) {
    const root = anyObject(roll);
    const change = (): readonly Operation[] => {
      let now = root;
      const ops: Operation[] = [];
      for (let n = roll(3); n >= 0; n--) {
        const next = freeze(edited(roll, now));
        ops.push(...difference(now, next));
        now = next;
      }
      return ops;
    };
    const [mine, theirs] = [change(), change()];
    const { ops, others } = transform(mine, theirs);
    if (!ops) {
      collisions++;
      continue;
    }
    const after = applyAll(applyAll(root, theirs), ops);
    const other = applyAll(applyAll(root, mine), others);
    assert.deepEqual(after, other, JSON.stringify({ root, mine, theirs, ops, others }));
  }
  assert.ok(collisions > 2000 && collisions < 18_000, `${collisions} collided`);
});

test('what collides, and what does not', () => {
  const root = freeze({ list: ['a', { n: 1 }, 'c'], o: { x: 1 }, s: 0 });
  const cases: [Patch, Patch, unknown][] = [
    [{ o: { x: 2 } }, { s: 1 }, { list: ['a', { n: 1 }, 'c'], o: { x: 2 }, s: 1 }],
    [{ o: { x: 2 } }, { o: { y: 1 } }, { list: ['a', { n: 1 }, 'c'], o: { x: 2, y: 1 }, s: 0 }],
    [{ o: { x: 2 } }, { o: { x: 3 } }, 'collision'],
    [{ o: { x: 2 } }, { o: { x: 2 } }, { list: ['a', { n: 1 }, 'c'], o: { x: 2 }, s: 0 }],
    [{ o: { x: 2 } }, { o: null }, 'collision'],
    [{ o: null }, { o: null }, { list: ['a', { n: 1 }, 'c'], s: 0 }],
    [{ p: { a: 1 } }, { p: { b: 2 } }, { list: ['a', { n: 1 }, 'c'], o: { x: 1 }, s: 0, p: { b: 2, a: 1 } }],
    [{ p: { a: 1 } }, { p: { a: 2 } }, 'collision'],
    [[{ op: 'add', path: '/list/-', value: 'mine' }], [{ op: 'add', path: '/list/-', value: 'theirs' }],
      { list: ['a', { n: 1 }, 'c', 'theirs', 'mine'], o: { x: 1 }, s: 0 }],
    [[{ op: 'replace', path: '/list/1/n', value: 2 }], [{ op: 'add', path: '/list/0', value: 'theirs' }],
      { list: ['theirs', 'a', { n: 2 }, 'c'], o: { x: 1 }, s: 0 }],
    [[{ op: 'remove', path: '/list/2' }], [{ op: 'remove', path: '/list/0' }], { list: [{ n: 1 }], o: { x: 1 }, s: 0 }],
    [[{ op: 'remove', path: '/list/1' }], [{ op: 'remove', path: '/list/1' }], { list: ['a', 'c'], o: { x: 1 }, s: 0 }],
    [[{ op: 'replace', path: '/list/1/n', value: 2 }], [{ op: 'remove', path: '/list/1' }], 'collision'],
    [[{ op: 'add', path: '/list/0', value: 1 }], { list: null }, 'collision'],
    [{ list: null }, [{ op: 'add', path: '/list/0', value: 1 }], 'collision'],
    [[{ op: 'test', path: '/s', value: 0 }, { op: 'add', path: '/t', value: 1 }], { o: { x: 5 } },
      { list: ['a', { n: 1 }, 'c'], o: { x: 5 }, s: 0, t: 1 }],
  ];
  for (const [mine, theirs, want] of cases) {
    const remote = resolve(root, theirs);
    const { ops } = transform(resolve(root, mine).ops, remote.ops);
    const got = ops ? applyAll(remote.value, ops) : 'collision';
    assert.deepEqual(got, want, JSON.stringify([mine, theirs]));
  }
  assert.ok(equal(root, freeze(structuredClone(root))));
});
