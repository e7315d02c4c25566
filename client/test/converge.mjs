// Editors who change one document at the same time over bad connections, some of them
// over event streams, with the client as it is served. The Go test integration/converge_test.go runs it:
//
//   node --experimental-websocket converge.mjs <address> <seed> <steps> <restarts> <kept>
//
// For each restart it says "restart", and goes on when the server has been killed and
// is back. `kept`: documents outlive that. What is wrong is said on the standard error,
// and makes the exit code 1.
//
// Every update notes in the document's log what it does, under a name of its own. So
// each state that is shown can be held against its log: it is what the log says; and
// the log is the beginning of the one that all agree on, with the editor's pending
// updates behind it.
import assert from 'node:assert/strict';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { connect, increment } from '../dist/documents.js';

const [address, seed, steps, restarts, kept] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const channel = `doc:${seed}`;
const [host, port] = address.split(':');
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Numbers that are the same in every run with this seed; what happens between them is not. */
function dice(state) {
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** A way to the server that is slow, uneven, and breaks. */
class Line {
  #open = new Set();
  #down = false;
  #roll;

  constructor(roll) {
    this.#roll = roll;
    this.server = net.createServer((from) => this.#accept(from));
  }

  listen() {
    return new Promise((resolve) => this.server.listen(0, '127.0.0.1', () => resolve(this.server.address().port)));
  }

  cut() {
    this.#down = true;
    for (const socket of this.#open) socket.resetAndDestroy();
  }

  mend() {
    this.#down = false;
  }

  #accept(from) {
    const to = net.connect(port, host);
    this.#carry(from, to);
    this.#carry(to, from);
    if (this.#down) from.resetAndDestroy();
  }

  #carry(from, to) {
    this.#open.add(from);
    let last = Promise.resolve();
    from.on('data', (data) => {
      const delay = this.#roll(4) ? this.#roll(8) : this.#roll(60);
      last = last.then(() => sleep(delay)).then(() => to.destroyed || to.write(data));
    });
    from.on('error', () => {});
    from.on('close', () => {
      this.#open.delete(from);
      to.destroy();
    });
  }
}

class Editor {
  /** What was shown: the log, and the epoch. */
  shown = [];
  /** The fates of the updates: undefined, or whether they were made, and in which epoch. */
  fates = new Map();
  epoch = '';
  conflicts = 0;
  #count = 0;

  constructor(name, roll, transport) {
    this.name = name;
    this.roll = roll;
    this.transport = transport;
    this.line = new Line(roll);
  }

  async open() {
    const url = `http://127.0.0.1:${await this.line.listen()}/realtime`;
    this.client = connect(url, { transport: this.transport, minDelay: 10, maxDelay: 100, timeout: 5000 });
    // Before the document looks at it.
    this.client.subscribe(channel).on('frame', ({ type, payload }) => {
      if (type === 'subscribed') this.epoch = payload.document.epoch;
      // Over an event stream the answer of a new server may come before the end of the old one.
      else if (type === 'change-rejected') this.epoch = payload.epoch;
    });
    this.doc = this.client.document(channel);
    this.doc.on('change', ({ value }) => this.show(value));
    this.doc.on('conflict', () => this.conflicts++);
    this.doc.on('rejected', ({ patch, error }) => wrong(this, 'rejected', { patch, error: error.message }));
    this.client.on('error', (error) => wrong(this, 'an error', { error: error.message }));
    this.doc.on('status', ({ status, error }) => closing || (status === 'closed' && wrong(this, 'closed', { error })));
  }

  show(value) {
    const { log = [] } = value;
    const names = log.map(([name]) => name);
    if (new Set(names).size < names.length) wrong(this, 'shows an update twice', { names });
    try {
      assert.deepEqual(unlogged(value), replay(log));
    } catch ({ message }) {
      wrong(this, 'shows what its log does not explain', { message, log: log.map(String) });
    }
    this.shown.push([this.epoch, names]);
  }

  /** Does one thing at random. */
  async act() {
    const n = this.roll(100);
    if (n < 3) {
      this.line.cut();
      setTimeout(() => this.line.mend(), this.roll(300));
    } else if (n < 50 && this.doc.value !== undefined) {
      this.edit();
    } else if (n < 55 && this.doc.value !== undefined) {
      for (let i = this.roll(6); i >= 0; i--) this.edit();
    }
    await sleep(this.roll(25));
  }

  edit() {
    const name = `${this.name}-${++this.#count}`;
    this.fates.set(name, undefined);
    this.doc.update((draft) => edit(draft, name, this.roll)).then((made) => {
      if (this.fates.get(name)) wrong(this, 'has two answers', { name });
      this.fates.set(name, { made, epoch: this.epoch });
    });
  }

  async settled() {
    this.line.mend();
    for (const end = Date.now() + 60_000; this.doc.status !== 'synced'; await sleep(10)) {
      if (Date.now() > end) throw new Error(`${this.name} is ${this.doc.status}, ${this.doc.pending} pending`);
    }
  }
}

/** Changes something, and says so in the log. */
function edit(draft, name, roll) {
  draft.log ??= [];
  draft.list ??= [];
  const key = `k${roll(8)}`;
  const at = roll(draft.list.length + 1);
  const item = draft.list[at];
  const note = (...what) => void draft.log.push([name, ...what]);
  switch (roll(11)) {
    case 0:
      if (!(key in draft)) return note('nothing');
      delete draft[key];
      return note('drop', key);
    case 1:
      draft[key] = name;
      return note('put', key);
    case 2:
      (draft.deep ??= {})[key] = { by: name };
      return note('deep', key);
    case 3:
      draft.list.splice(at, 0, { id: name });
      return note('insert');
    case 4:
      draft.list.push({ id: name });
      return note('insert');
    case 5:
      if (item) draft.list.splice(at, 1);
      return note('remove', item?.id);
    case 6:
      if (item) item.by = name;
      return note('touch', item?.id);
    case 7: {
      const [moved] = draft.list.splice(at, 1);
      if (moved) (draft.done ??= []).push(moved);
      return note('move', moved?.id);
    }
    case 8: {
      const moved = draft.done?.splice(roll(draft.done.length), 1) ?? [];
      draft.list.splice(at, 0, ...moved);
      return note('move', moved[0]?.id);
    }
    case 9:
      increment(draft, '/count');
      return note('count');
    default:
      return note('nothing');
  }
}

/** What a log says about the rest of the document. */
function replay(log) {
  const state = { put: {}, deep: {}, items: {}, count: 0 };
  for (const [name, what, which] of log) {
    if (what === 'put') state.put[which] = name;
    else if (what === 'drop') delete state.put[which];
    else if (what === 'deep') state.deep[which] = { by: name };
    else if (what === 'count') state.count++;
    else if (what === 'insert') state.items[name] = { id: name };
    else if (what === 'remove') delete state.items[which];
    else if (what === 'touch' && which) state.items[which].by = name;
  }
  return state;
}

/** The rest of the document. Where an element stands is not in the log, only that it is in one place. */
function unlogged({ log: _, list = [], done = [], deep = {}, count = 0, ...put }) {
  const items = Object.fromEntries([...list, ...done].map((item) => [item.id, item]));
  assert.equal(Object.keys(items).length, list.length + done.length);
  return { put, deep, items, count };
}

let [failed, closing] = [false, false];
function wrong(editor, what, details) {
  if (!failed) console.error(`${editor.name} ${what}: ${JSON.stringify(details, undefined, 1)}`);
  failed = true;
}

/** The logs of all epochs, as long as anybody has seen them: what all agree on. */
function agreed(editors) {
  const longest = new Map();
  for (const { name, shown } of editors) {
    for (const [epoch, names] of shown) {
      // What is the editor's own at the end may be pending yet, and come elsewhere in the end.
      const log = names.slice(0, names.findLastIndex((entry) => !entry.startsWith(`${name}-`)) + 1);
      if (log.length > (longest.get(epoch)?.length ?? 0)) longest.set(epoch, log);
    }
  }
  return longest;
}

/** Each state shown is one that everybody went through, with the editor's own updates on top. */
function compare(editors, logs) {
  for (const editor of editors) {
    const { name, shown, fates } = editor;
    for (const [epoch, names] of shown) {
      const log = logs.get(epoch) ?? [];
      let common = 0;
      while (common < names.length && names[common] === log[common]) common++;
      const own = names.slice(common);
      if (!own.every((entry) => entry.startsWith(`${name}-`))) wrong(editor, 'shows another order', { names, log });
      const order = own.map((entry) => Number(entry.slice(name.length + 1)));
      if (order.some((n, i) => i && n < order[i - 1])) wrong(editor, 'shows its own in another order', { own });
    }
    for (const [entry, fate] of fates) if (!fate) wrong(editor, 'has no answer', { entry });
  }
}

/** The updates that were made are in the final log, once, and the others are not. */
function account(editors, epoch, final) {
  let [made, refused] = [0, 0];
  for (const editor of editors) {
    for (const [entry, fate] of editor.fates) {
      fate?.made ? made++ : refused++;
      const times = final.filter((name) => name === entry).length;
      const least = fate?.made && (kept || fate.epoch === epoch) ? 1 : 0;
      const most = fate?.made ? 1 : 0;
      if (times < least || times > most) wrong(editor, `finds an update ${times} times`, { entry, fate });
    }
  }
  return { made, refused };
}

const roll = dice(seed);
const transports = ['websocket', 'sse', 'websocket'];
const editors = Array.from(
  { length: 2 + roll(19) },
  (_, i) => new Editor(`u${i}`, dice(seed * 1000 + i), transports[i % 3]),
);
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
for (const editor of editors) await editor.open();
const edits = editors.map(async (editor) => {
  for (let step = 0; step < steps; step++) await editor.act();
});
for (let i = 0; i < restarts; i++) {
  await sleep(300 + roll(500));
  console.log('restart');
  await input.next();
}
await Promise.all(edits);
// Who comes late, too, has the same in the end.
editors.push(new Editor('late', roll, transports[roll(3)]));
await editors.at(-1).open();
for (const editor of editors) await editor.settled();
const state = await (await fetch(`http://${address}/realtime/channels/${channel}/document`)).json();
for (const end = Date.now() + 30_000; ; await sleep(10)) {
  try {
    for (const { doc } of editors) assert.deepEqual(doc.value, state);
    break;
  } catch (error) {
    if (Date.now() > end) throw error;
  }
}
const logs = agreed(editors);
const { epoch } = editors.at(-1);
const final = (state.log ?? []).map(([name]) => name);
logs.set(epoch, final);
compare(editors, logs);
const { made, refused } = account(editors, epoch, final);
const states = editors.reduce((sum, { shown }) => sum + shown.length, 0);
console.log(`${editors.length} editors, ${made} updates made, ${refused} refused;`, `${states} states of`, logs.size,
  `epochs, the last with ${final.length} updates`);
closing = true;
for (const { client, line } of editors) {
  client.close();
  line.cut();
  line.server.close();
}
process.stdin.destroy();
process.exitCode = failed ? 1 : 0;
