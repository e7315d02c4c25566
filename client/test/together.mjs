// Clients who do the same at once, with the client as it is served. The Go test
// integration/converge_test.go runs it:
//
//   node --experimental-websocket together.mjs <address>
import assert from 'node:assert/strict';
import { connect, increment } from '../dist/documents.js';

const address = process.argv[2];
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what) {
  for (const end = Date.now() + 20_000; !what(); await sleep(5)) if (Date.now() > end) throw new Error(`never: ${what}`);
}

/** Three who look at a document with a state. */
async function three(name, transports, state) {
  const clients = transports.map((transport) => connect(`http://${address}/realtime`, { transport }));
  const docs = clients.map((client) => client.document(`doc:${name}-${transports.join('-')}`));
  await until(() => docs.every((doc) => doc.status === 'synced'));
  assert.equal(await docs[0].update(() => state), true);
  const same = () => until(() => docs.every((doc) => doc.status === 'synced' && equal(doc.value, docs[0].value)));
  await same();
  return { docs, same, close: () => clients.forEach((client) => client.close()) };
}

const equal = (a, b) => JSON.stringify(a, sorted) === JSON.stringify(b, sorted);
const sorted = (_, v) =>
  v && typeof v === 'object' && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort()) : v;

/** All do their part in the same tick: what they were told, and the state in the end. */
async function atOnce(name, transports, state, ...recipes) {
  const { docs, same, close } = await three(name, transports, state);
  const told = await Promise.all(recipes.map((recipe, i) => docs[i].update(recipe)));
  await same();
  const { value } = docs[0];
  close();
  return { told, value };
}

/** Ann changes something, then Bob; then Ann undoes hers. */
async function undone(name, transports, state, first, second) {
  const { docs, same, close } = await three(name, transports, state);
  assert.equal(await docs[0].update(first), true);
  await same();
  assert.equal(await docs[1].update(second), true);
  await same();
  let conflicts = 0;
  docs[0].on('conflict', () => conflicts++);
  const done = docs[0].undo();
  await same();
  const { value } = docs[0];
  close();
  return { done, conflicts, value };
}

const board = { todo: [{ id: 'x' }, { id: 'y' }], doing: [], done: [] };
const move = (to) => (d) => void d[to].push(...d.todo.splice(0, 1));
const ids = ({ todo, doing, done }) => [todo, doing, done].flat().map(({ id }) => id).sort();

for (const transports of [['websocket', 'websocket', 'websocket'], ['sse', 'websocket', 'sse']]) {
  const take = (me) => (d) => {
    if (!d.free.s1) return;
    delete d.free.s1;
    d.taken[me] = 's1';
  };
  const seats = await atOnce('seats', transports, { free: { s1: true }, taken: {} }, take('ann'), take('bob'), take('cleo'));
  assert.equal(seats.told.filter(Boolean).length, 1);
  assert.deepEqual(Object.values(seats.value.taken), ['s1']);
  assert.deepEqual(Object.keys(seats.value.taken), [['ann', 'bob', 'cleo'][seats.told.indexOf(true)]]);

  const moved = await atOnce('moves', transports, board, move('doing'), move('done'));
  assert.equal(moved.told.filter(Boolean).length, 1);
  assert.deepEqual(ids(moved.value), ['x', 'y']);

  const removed = await atOnce('removes', transports, board, move('doing'), (d) => void d.todo.shift());
  assert.equal(removed.told.filter(Boolean).length, 1);
  assert.deepEqual(ids(removed.value), removed.told[0] ? ['x', 'y'] : ['y']);

  const votes = (d) => {
    for (let i = 0; i < 20; i++) increment(d, '/votes', 1);
  };
  const counted = await atOnce('votes', transports, { votes: 0 }, votes, votes, votes);
  assert.deepEqual(counted, { told: [true, true, true], value: { votes: 60 } });

  const edited = await undone('edited', transports, board, move('done'), (d) => void (d.done[0].by = 'bob'));
  assert.deepEqual([edited.done, edited.conflicts, ids(edited.value)], [false, 1, ['x', 'y']]);
  const gone = await undone('gone', transports, board, move('done'), (d) => void d.done.pop());
  assert.deepEqual([gone.done, gone.conflicts, ids(gone.value)], [false, 1, ['y']]);
  const free = await undone('free', transports, board, move('done'), (d) => void d.doing.push({ id: 'z' }));
  assert.deepEqual([free.done, free.conflicts, ids(free.value)], [true, 0, ['x', 'y', 'z']]);
}
