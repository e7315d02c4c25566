import assert from 'node:assert/strict';
import test from 'node:test';
import { increment } from '../src/documents.js';
import type { Json } from '../src/tree.js';
import { dice, settle, Table, type Seat } from './table.js';

interface Room {
  lists: Record<string, { id: string; by?: string }[]>;
  free: Record<string, true>;
  taken: Record<string, string>;
  count: number;
  /** What was done, under names of their own. */
  done: Record<string, string>;
}

const ids = ['p', 'q', 'r', 's', 't'];
const seats = ['s1', 's2', 's3'];

function room(): Room {
  return {
    lists: { a: ids.map((id) => ({ id })), b: [], c: [] },
    free: Object.fromEntries(seats.map((seat) => [seat, true])),
    taken: {},
    count: 0,
    done: {},
  };
}

/** What has to be true of every state: nothing is there twice, nothing is lost, and all of an update is done. */
function check({ lists, free, taken, count, done }: Room): void {
  assert.deepEqual(Object.values(lists).flat().map(({ id }) => id).sort(), ids);
  assert.deepEqual([...Object.keys(free), ...Object.values(taken)].sort(), seats);
  assert.equal(count, Object.values(done).filter((what) => what === 'count').length);
}

type Roll = (n: number) => number;
const any = <T>(roll: Roll, items: readonly T[]): T | undefined => items[roll(items.length)];

/** Changes something at random; all but the counter can collide. */
function change(draft: Room, name: string, roll: Roll): void {
  const from = draft.lists[any(roll, ['a', 'b', 'c'])!]!;
  const to = draft.lists[any(roll, ['a', 'b', 'c'])!]!;
  const [free, taken] = [any(roll, Object.keys(draft.free)), any(roll, Object.keys(draft.taken))];
  draft.done[name] = 'moved';
  switch (roll(6)) {
    case 0:
      if (from.length) from[roll(from.length)]!.by = name;
      break;
    case 1:
      if (free) {
        delete draft.free[free];
        draft.taken[name] = free;
      }
      break;
    case 2:
      if (taken) {
        draft.free[draft.taken[taken]!] = true;
        delete draft.taken[taken];
      }
      break;
    case 3:
      if (taken) {
        draft.taken[name] = draft.taken[taken]!;
        delete draft.taken[taken];
      }
      break;
    case 4:
      draft.done[name] = 'count';
      increment(draft, '/count');
      break;
    default:
      if (from.length) {
        const [item] = from.splice(roll(from.length), 1);
        to.splice(roll(to.length + 1), 0, item!);
      }
  }
}

/** One step of anybody. */
function act(seat: Seat, me: string, roll: Roll, fates: Map<string, boolean | undefined>, undo: boolean): void {
  const what = roll(100);
  const updates = what < 20 ? 1 : what < 25 ? 3 : 0;
  for (let i = 0; i < updates; i++) {
    const name = `${me}-${fates.size}`;
    fates.set(name, undefined);
    void seat.doc.update((draft: Room) => change(draft, name, roll)).then((made) => fates.set(name, made));
  }
  if (what >= 25 && what < 30 && undo) seat.doc.undo();
  else if (what < 60) seat.submit(1);
  else if (what < 98) seat.deliver(1 + roll(3));
  else if (seat.online) seat.drop();
  else seat.connect();
}

for (const undo of [false, true]) {
  test(`three clients move things at random${undo ? ' and undo it' : ''}: none is there twice, none is lost`, async () => {
    let [made, refused] = [0, 0];
    for (let seed = 0; seed < 60; seed++) {
      const roll = dice(seed);
      const table = new Table(room() as unknown as Json, check);
      const clients = ['ann', 'bob', 'cleo'].map((me) => ({ me, seat: table.seat() }));
      for (const { seat } of clients) seat.doc.on('change', ({ value }) => check(value));
      const fates = new Map<string, boolean | undefined>();
      for (let i = 0; i < 150; i++) {
        const { me, seat } = clients[roll(3)]!;
        act(seat, me, roll, fates, undo);
      }
      settle(table);
      await new Promise(setImmediate);
      for (const { seat } of clients) {
        assert.deepEqual([seat.doc.status, seat.doc.value], ['synced', table.state], `seed ${seed}`);
      }
      for (const [name, fate] of fates) {
        const there = name in (table.state as unknown as Room).done;
        if (!undo) assert.equal(there, fate, `seed ${seed}: ${name} was told ${fate}`);
        if (!fate) assert.equal(there, false, `seed ${seed}: ${name} was told ${fate}`);
        fate ? made++ : refused++;
      }
    }
    assert.ok(made > 400 && refused > 100, `${made} made, ${refused} refused`);
  });
}
