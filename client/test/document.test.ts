import assert from 'node:assert/strict';
import test from 'node:test';
import { Realtime } from '../src/documents.js';
import { desk } from './desk.js';
import { rest, World } from './world.js';

test('a document is there when its channel is subscribed', async (t) => {
  const w = new World(t);
  w.Client = Realtime;
  const client = w.connect() as Realtime;
  const doc = client.document<{ n: number }>('d', { status: 'busy' });
  const seen: unknown[] = [];
  doc.on('status', ({ status, pending }) => seen.push(`${status} ${pending}`));
  doc.on('change', ({ value, previous }) => seen.push([value, previous]));
  assert.equal(doc.status, 'loading');
  assert.equal(doc.value, undefined);
  assert.throws(() => doc.update({ n: 2 }), { code: 'UNAVAILABLE' });
  await rest();
  w.socket.greet();
  assert.equal(w.socket.last('subscribe').payload['status'], 'busy');
  w.socket.subscribed({ document: { epoch: 'e', version: 0, state: { n: 1 } } });
  assert.deepEqual(seen.slice(-2), [[{ n: 1 }, undefined], 'synced 0']);
  assert.equal(client.document('d'), doc);
  assert.equal(client.subscribe('d'), doc.subscription);
  assert.throws(() => ((doc.value as { n: number }).n = 2), TypeError);
});

test('an update is shown at once and sent', async (t) => {
  const d = await desk(t);
  const saved = d.doc.update((draft) => {
    draft.title = 'b';
    draft.items.x = { text: 'hi' };
  });
  assert.deepEqual(d.news, [['own', { title: 'b', items: { x: { text: 'hi' } } }]]);
  assert.deepEqual([d.doc.status, d.doc.pending], ['saving', 1]);
  const [{ client, ...sent } = {} as any] = d.sent;
  assert.match(client, /^[!-~]{1,64}$/);
  assert.deepEqual(sent, {
    channel: 'd',
    localVersion: 1,
    epoch: 'e',
    baseVersion: 4,
    patch: { title: 'b', items: { x: { text: 'hi' } } },
  });
  const { value } = d.doc;
  d.accept(5);
  assert.equal(await saved, true);
  assert.equal(d.doc.value, value, 'the very same');
  assert.deepEqual([d.news, d.doc.status, d.doc.pending], [[], 'synced', 0]);
});

test('one change is on its way, the updates behind it become the next', async (t) => {
  const d = await desk(t);
  d.doc.update({ title: 'b' });
  d.doc.update({ title: 'c' });
  d.doc.update((draft) => void (draft.items.x = 1));
  assert.deepEqual(d.sent.map(({ patch }) => patch), [{ title: 'b' }]);
  assert.equal(d.doc.pending, 3);
  d.accept(5);
  assert.deepEqual(d.sent.map(({ patch, baseVersion, localVersion }) => [patch, baseVersion, localVersion]).slice(1), [
    [{ title: 'c', items: { x: 1 } }, 5, 2],
  ]);
  d.accept(6);
  assert.equal(d.doc.pending, 0);
});

test('what changes nothing is not sent', async (t) => {
  const d = await desk(t);
  assert.equal(await d.doc.update({ title: 'a' }), true);
  assert.equal(await d.doc.update(() => {}), true);
  assert.deepEqual([d.sent, d.news], [[], []]);
  d.doc.update({ title: 'b' });
  const back = [d.doc.update({ title: 'c' }), d.doc.update({ title: 'b' })];
  d.accept(5);
  assert.deepEqual(await Promise.all(back), [true, true]);
  assert.equal(d.sent.length, 1);
});

test('a function changes its draft, or gives a new value', async (t) => {
  const d = await desk(t, { n: 1, list: [] });
  d.doc.update((draft) => draft.n++);
  d.doc.update((draft) => (draft.o = { x: 1 }));
  d.doc.update((draft) => draft.list.push({ a: undefined, at: new Date(0) }));
  d.doc.update((value) => ({ ...value, p: 1 }));
  assert.deepEqual(d.doc.value, { n: 2, list: [{ at: '1970-01-01T00:00:00.000Z' }], o: { x: 1 }, p: 1 });
  assert.throws(() => d.doc.update(async () => {}), TypeError);
  assert.throws(() => d.doc.update([{ op: 'remove', path: '/absent' }]), { code: 'INVALID_MESSAGE' });
  const own = { deep: [1] };
  d.doc.update({ own });
  own.deep.push(2);
  assert.deepEqual((d.doc.value as unknown as { own: unknown }).own, { deep: [1] });
});

test('a text that was cut in the middle of a character is made whole', async (t) => {
  const d = await desk(t, {});
  d.doc.update((draft) => void (draft.a = '\\ud83d😀'.slice(0, -1)));
  d.doc.update({ ['k\ud800']: ['\udc00"\\'] });
  assert.deepEqual(d.doc.value, { a: '\\ud83d\ufffd', 'k\ufffd': ['\ufffd"\\'] });
  assert.deepEqual(d.sent[0]!.patch, { a: '\\ud83d\ufffd' });
});

test('changes of others go below the own ones', async (t) => {
  const d = await desk(t, { list: ['a'], o: {} });
  d.doc.update((draft) => draft.list.push('mine'));
  d.doc.update((draft) => (draft.o.x = 1));
  d.news;
  d.remote(5, [{ op: 'add', path: '/list/-', value: 'theirs' }]);
  d.remote(6, { o: { y: 2 } });
  assert.deepEqual(d.news, [
    ['remote', { list: ['a', 'theirs', 'mine'], o: { x: 1 } }],
    ['remote', { list: ['a', 'theirs', 'mine'], o: { x: 1, y: 2 } }],
  ]);
  d.accept(7);
  assert.deepEqual(d.sent.at(-1), { ...d.sent.at(-1), baseVersion: 7, patch: { o: { x: 1 } } });
  d.accept(8);
  assert.deepEqual([d.news, d.doc.value], [[], { list: ['a', 'theirs', 'mine'], o: { x: 1, y: 2 } }]);
});

test('an update that waits gives way to the same change of somebody else', async (t) => {
  const d = await desk(t);
  d.doc.update({ items: { x: 1 } });
  const fates = [d.doc.update({ title: 'mine' }), d.doc.update({ items: { y: 1 } })];
  d.news;
  d.remote(5, { title: 'theirs' });
  assert.deepEqual(d.news, [
    ['remote', { title: 'theirs', items: { x: 1, y: 1 } }],
    ['conflict', { title: 'mine' }],
  ]);
  d.accept(6);
  assert.deepEqual(d.sent.at(-1)!.patch, { items: { y: 1 } });
  d.accept(7);
  assert.deepEqual(await Promise.all(fates), [false, true]);
});

test('a change that is refused loses only the updates that collide', async (t) => {
  const d = await desk(t, { title: 'a', list: ['x'], n: 0 });
  d.doc.update({ n: 1 });
  const fates = [d.doc.update({ title: 'mine' }), d.doc.update((draft) => void draft.list.unshift('mine'))];
  d.accept(5);
  d.news;
  d.remote(6, { title: 'theirs' });
  d.remote(7, [{ op: 'add', path: '/list/0', value: 'theirs' }]);
  d.reject('CONFLICT', 7, { title: 'theirs', list: ['theirs', 'x'], n: 1 });
  assert.deepEqual(d.doc.value, { title: 'theirs', list: ['theirs', 'mine', 'x'], n: 1 });
  assert.deepEqual(d.news.at(-1), ['conflict', { title: 'mine' }]);
  assert.deepEqual([d.sent.length, d.sent.at(-1)!.localVersion, d.sent.at(-1)!.baseVersion], [3, 3, 7]);
  assert.deepEqual(d.sent.at(-1)!.patch, [{ op: 'add', path: '/list/1', value: 'mine' }]);
  d.accept(8);
  assert.deepEqual(await Promise.all(fates), [false, true]);
});

test('a refusal may bring a state that is newer', async (t) => {
  const d = await desk(t);
  d.doc.update({ title: 'mine' });
  d.news;
  d.reject('CONFLICT', 6, { title: 'theirs', items: { x: 1 } });
  assert.deepEqual(d.news, [
    ['remote', { title: 'theirs', items: { x: 1 } }],
    ['conflict', { title: 'mine' }],
  ]);
  d.remote(5, { title: 'late' });
  d.remote(6, { title: 'late' });
  assert.deepEqual([d.news, d.doc.status, d.sent.length], [[], 'synced', 1]);
  d.remote(7, { title: 'z' });
  assert.equal(d.doc.value.title, 'z');
});

test('a refusal that nothing explains is final', async (t) => {
  const d = await desk(t);
  const saved = d.doc.update([
    { op: 'test', path: '/title', value: 'a' },
    { op: 'replace', path: '/title', value: 'b' },
  ]);
  d.reject('CONFLICT', 4, { title: 'a', items: {} });
  assert.equal(await saved, false);
  assert.deepEqual([d.sent.length, d.doc.pending, d.doc.value.title], [1, 0, 'a']);
});

test('only the update that the server does not accept is taken back', async (t) => {
  const d = await desk(t);
  d.doc.update({ items: { a: 1 } });
  const fates = [{ title: 'b' }, { items: { bad: 1 } }, { items: { c: 1 } }].map((patch) => d.doc.update(patch));
  d.accept(5);
  d.news;
  d.reject('SCHEMA_VIOLATION', 5, { title: 'a', items: { a: 1 } });
  for (let version = 6; d.doc.pending; ) {
    if ('bad' in ((d.sent.at(-1)!.patch as any).items ?? {})) d.reject('SCHEMA_VIOLATION', version - 1, {});
    else d.accept(version++);
  }
  assert.deepEqual(await Promise.all(fates), [true, false, true]);
  assert.deepEqual(d.doc.value, { title: 'b', items: { a: 1, c: 1 } });
  assert.deepEqual(d.news.at(-1), ['SCHEMA_VIOLATION', { items: { bad: 1 } }]);
});

test('what builds on an update that is taken back moves with it', async (t) => {
  const d = await desk(t, { list: ['a', 'b'] });
  d.doc.update((draft) => void draft.list.unshift('bad'));
  const fates = [d.doc.update((draft) => (draft.list[0] = 'worse')), d.doc.update((draft) => (draft.list[2] = 'B'))];
  d.reject('SCHEMA_VIOLATION', 4, { list: ['a', 'b'] });
  assert.deepEqual(d.doc.value, { list: ['a', 'B'] });
  assert.deepEqual(d.sent.at(-1)!.patch, [{ op: 'replace', path: '/list/1', value: 'B' }]);
  d.accept(5);
  assert.deepEqual(await Promise.all(fates), [false, true]);
});

test('a change that may not be made is taken back, one that can not be made now waits', async (t) => {
  const d = await desk(t);
  const saved = d.doc.update({ title: 'b' });
  d.news;
  d.w.socket.answer('change', 'error', { code: 'UNAVAILABLE', message: '', retryAfter: 3000 });
  assert.equal(d.doc.status, 'saving');
  await d.w.pass(3000);
  assert.equal(d.sent.length, 2);
  assert.deepEqual(d.sent[1], d.sent[0]);
  d.w.socket.answer('change', 'error', { code: 'FORBIDDEN', message: 'no' });
  assert.equal(await saved, false);
  assert.deepEqual(d.news, [
    ['remote', { title: 'a', items: {} }],
    ['FORBIDDEN', { title: 'b' }],
  ]);
});

test('a change that was made although the server could not say so is seen once', async (t) => {
  const d = await desk(t, { list: [] });
  d.doc.update((draft) => void draft.list.push('mine'));
  d.doc.update((draft) => (draft.list[0] = 'mine too'));
  d.news;
  d.w.socket.answer('change', 'error', { code: 'INTERNAL', message: '' });
  d.remote(5, [{ op: 'add', path: '/list/-', value: 'mine' }]);
  d.remote(6, [{ op: 'add', path: '/list/-', value: 'theirs' }]);
  assert.deepEqual(d.news, []);
  await d.w.pass(1000);
  d.accept(5, { duplicate: true });
  assert.deepEqual(d.news, [['remote', { list: ['mine too', 'theirs'] }]]);
  d.accept(7);
  assert.equal(d.doc.status, 'synced');
});

test('the change in flight is sent again after a reconnect, and made once', async (t) => {
  const d = await desk(t, { list: [] });
  const saved = d.doc.update((draft) => void draft.list.push('one'));
  const [first] = d.sent;
  d.w.socket.drop();
  assert.deepEqual([d.doc.status, d.doc.pending], ['offline', 1]);
  d.doc.update((draft) => void draft.list.push('two'));
  await d.w.retry();
  d.w.socket.greet();
  d.news;
  d.subscribed({ list: ['theirs', 'one', 'theirs'] }, 7);
  d.remote(8, [{ op: 'add', path: '/list/-', value: 'more' }]);
  assert.deepEqual(d.sent, [first]);
  assert.deepEqual(d.doc.value, { list: ['one', 'two'] }, 'until it is known, nothing is shown twice');
  d.doc.update((draft) => void draft.list.push('three'));
  assert.deepEqual(d.news, [['own', { list: ['one', 'two', 'three'] }]]);
  d.accept(6, { duplicate: true });
  assert.deepEqual(d.news, [['remote', { list: ['theirs', 'one', 'theirs', 'more', 'two', 'three'] }]]);
  assert.equal(await saved, true);
  assert.deepEqual(d.sent.at(-1)!.patch, [
    { op: 'add', path: '/list/-', value: 'two' },
    { op: 'add', path: '/list/-', value: 'three' },
  ]);
});

test('a change that was lost on the way is made after a reconnect', async (t) => {
  const d = await desk(t, { list: [] });
  d.doc.update((draft) => void draft.list.push('mine'));
  await d.reconnect();
  d.news;
  d.subscribed({ list: ['theirs'] }, 6);
  assert.equal(d.sent[0]!.baseVersion, 4, 'what it was made to');
  d.remote(7, { x: 1 });
  d.accept(8);
  assert.deepEqual(d.news, [['remote', { list: ['theirs', 'mine'], x: 1 }]]);
  assert.equal(d.doc.status, 'synced');
});

test('a connection that is lost again changes nothing', async (t) => {
  const d = await desk(t, { list: [] });
  d.doc.update((draft) => void draft.list.push('mine'));
  for (const version of [5, 6, 7]) {
    await d.reconnect();
    d.subscribed({ list: ['mine', ...Array(version - 5).fill('theirs')] }, version);
    assert.deepEqual(d.doc.value, { list: ['mine'] });
    assert.equal(d.sent.length, 1);
  }
  d.accept(5, { duplicate: true });
  assert.deepEqual(d.doc.value, { list: ['mine', 'theirs', 'theirs'] });
});

test('what was done offline gives way only where others did the same', async (t) => {
  const d = await desk(t);
  d.w.socket.drop();
  const fates = ['title', 'name'].map((field) => d.doc.update({ [field]: 'mine' }));
  d.news;
  await d.w.retry();
  d.w.socket.greet();
  d.subscribed({ title: 'theirs', items: { x: 1 } }, 9);
  assert.deepEqual(d.news, [
    ['remote', { title: 'theirs', items: { x: 1 }, name: 'mine' }],
    ['conflict', { title: 'mine' }],
  ]);
  assert.deepEqual(d.sent.map(({ patch, baseVersion }) => [patch, baseVersion]), [[{ name: 'mine' }, 9]]);
  d.accept(10);
  assert.deepEqual(await Promise.all(fates), [false, true]);
});

test('a document that begins anew gets what is pending', async (t) => {
  const d = await desk(t, { title: 'a', items: { x: { done: false } } });
  const fates = [
    d.doc.update({ items: { y: { done: false } } }),
    d.doc.update({ items: { x: { done: true } } }),
    d.doc.update({ title: 'mine' }),
  ];
  await d.reconnect();
  d.news;
  d.subscribed({}, 0, 'f');
  assert.deepEqual(d.news, [
    ['remote', { items: { y: { done: false } }, title: 'mine' }],
    ['conflict', { items: { x: { done: true } } }],
  ]);
  const { epoch, baseVersion, patch } = d.sent[0]!;
  assert.deepEqual([epoch, baseVersion, patch], ['f', 0, { items: { y: { done: false } }, title: 'mine' }]);
  d.accept(1, { epoch: 'f' });
  assert.deepEqual(await Promise.all(fates), [true, false, true]);
});

test('what is added finds a place where its surroundings are gone', async (t) => {
  const d = await desk(t, { list: ['a', 'b'], deep: { er: { x: 1 } }, o: { x: 1 }, items: [{ x: 1 }] });
  d.doc.update((draft) => void draft.list.push('c', 'd'));
  d.doc.update((draft) => void draft.list.splice(1, 0, 'e'));
  d.doc.update((draft) => (draft.deep.er.y = 2));
  const inside = d.doc.update((draft) => (draft.items[0].y = 2));
  const edit = d.doc.update((draft) => (draft.o.x = 3));
  await d.reconnect();
  d.subscribed({}, 0, 'f');
  assert.deepEqual(d.doc.value, { list: ['e', 'c', 'd'], deep: { er: { y: 2 } } });
  d.accept(1, { epoch: 'f' });
  assert.deepEqual([await inside, await edit], [false, false]);
  assert.deepEqual([d.doc.value.list, d.doc.status], [['e', 'c', 'd'], 'synced']);
});

test('a deletion of what is gone already gives way to whoever puts it back', async (t) => {
  const d = await desk(t, { a: 1, list: [] });
  d.doc.update({ b: 1 });
  const [first, other] = [d.doc.update({ a: null }), d.doc.update((draft) => void draft.list.push('mine'))];
  d.remote(5, { a: null });
  d.accept(6);
  assert.deepEqual(d.doc.value, { list: ['mine'], b: 1 });
  // The server is told of it as well, or it would see nothing that collides.
  assert.deepEqual(d.sent.at(-1)!.patch, [
    { op: 'add', path: '/a', value: null },
    { op: 'remove', path: '/a' },
    { op: 'add', path: '/list/-', value: 'mine' },
  ]);
  d.remote(7, { a: 2 });
  d.reject('CONFLICT', 7, { a: 2, list: [], b: 1 });
  d.accept(8);
  assert.deepEqual([await first, await other, d.doc.value], [false, true, { a: 2, list: ['mine'], b: 1 }]);

  const second = d.doc.update((draft) => {
    delete draft.a;
    draft.b = 'mine';
  });
  await d.reconnect();
  d.subscribed({}, 0, 'f');
  assert.deepEqual(d.doc.value, { b: 'mine' });
  d.remote(1, { a: 3 }, 'f');
  assert.deepEqual(d.doc.value, { a: 3 });
  const { localVersion } = d.sent.at(-1)!;
  const refusal = { channel: 'd', localVersion: localVersion!, epoch: 'f', serverVersion: 1, serverState: { a: 3 } };
  d.w.socket.answer('change', 'change-rejected', { ...refusal, code: 'CONFLICT', message: 'no' });
  assert.equal(await second, false);
});

test('the removal of an element is taken back when the document begins anew', async (t) => {
  const d = await desk(t, { list: [{ id: 'x' }] });
  const fate = d.doc.update((draft) => {
    draft.list.splice(0, 1);
    draft.note = 'removed';
  });
  await d.reconnect();
  d.subscribed({}, 0, 'f');
  assert.deepEqual([await fate, d.doc.value], [false, {}]);
  d.remote(1, { list: [{ id: 'x' }] }, 'f');
  assert.deepEqual(d.doc.value, { list: [{ id: 'x' }] });
});

test('a version that is missing, a gap and another epoch have it fetched anew', async (t) => {
  const d = await desk(t);
  const again = (): void => {
    assert.deepEqual(d.w.socket.sent.slice(-2).map(({ type }) => type), ['unsubscribe', 'subscribe']);
    d.w.socket.answer('unsubscribe', 'unsubscribed', { channel: 'd' });
  };
  d.remote(6, { title: 'c' });
  again();
  d.remote(7, { title: 'd' });
  d.subscribed({ title: 'd', items: {} }, 7);
  assert.equal(d.doc.value.title, 'd');
  d.w.socket.say({ type: 'gap', payload: { channel: 'd' } });
  again();
  d.subscribed({ title: 'e', items: {} }, 8);
  d.remote(1, { title: 'f' }, 'f');
  again();
  d.subscribed({ title: 'g', items: {} }, 2, 'f');
  d.remote(3, [{ op: 'remove', path: '/absent' }], 'f');
  again();
  d.subscribed({ title: 'h', items: {} }, 3, 'f');
  assert.deepEqual(d.doc.value, { title: 'h', items: {} });
});

test('undo takes back the last own update, and nothing of others', async (t) => {
  const d = await desk(t, { title: 'a', items: { x: 1 }, list: ['p', 'q'] });
  const later = (): Promise<void> => d.w.pass(1000);
  assert.deepEqual([d.doc.canUndo, d.doc.undo()], [false, false]);
  d.doc.update({ title: 'b' });
  await later();
  d.doc.update((draft) => void delete draft.items.x);
  await later();
  d.doc.update((draft) => void draft.list.push('mine'));
  d.remote(5, [{ op: 'add', path: '/list/0', value: 'theirs' }]);
  assert.deepEqual(d.doc.value.list, ['theirs', 'p', 'q', 'mine']);
  assert.equal(d.doc.undo(), true);
  assert.deepEqual(d.doc.value.list, ['theirs', 'p', 'q']);
  assert.equal(d.doc.undo(), true);
  assert.deepEqual(d.doc.value.items, { x: 1 });
  d.accept(6);
  assert.deepEqual([d.sent.length, d.doc.status], [1, 'synced'], 'what was undone in time is not sent');
  d.remote(7, { title: 'theirs' });
  assert.deepEqual([d.doc.undo(), d.doc.value.title, d.doc.canUndo], [false, 'theirs', false]);
});

test('what is typed in one go is undone in one go', async (t) => {
  const d = await desk(t);
  for (const title of ['b', 'bc', 'bcd']) {
    d.doc.update({ title });
    await d.w.pass(300);
  }
  await d.w.pass(1000);
  d.doc.update({ title: 'x' });
  d.doc.undo();
  assert.equal(d.doc.value.title, 'bcd');
  d.doc.undo();
  assert.equal(d.doc.value.title, 'a');
});

test('a channel without a document, and one that ends', async (t) => {
  const d = await desk(t);
  const seen: unknown[] = [];
  d.doc.on('status', ({ status, error }) => seen.push([status, error?.code]));
  d.w.socket.say({ type: 'unsubscribed', payload: { channel: 'd', code: 'FORBIDDEN', message: 'out' } });
  assert.deepEqual(seen, [['closed', 'FORBIDDEN']]);
  assert.throws(() => d.doc.update({ title: 'b' }), { code: 'FORBIDDEN' });
  const next = (d.w.client as Realtime).document('d');
  assert.notEqual(next, d.doc);
  d.w.socket.subscribed();
  assert.equal(next.status, 'closed');
  assert.equal(next.undo(), false);
  next.close();
  assert.equal(next.subscription.state, 'unsubscribed');
});

test('what the server does not have is given up when a document is closed, by whomever', async (t) => {
  const d = await desk(t);
  const fates = [d.doc.update({ title: 'b' }), d.doc.update({ title: 'c' })];
  d.doc.close();
  assert.deepEqual(await Promise.all(fates), [false, false]);
  assert.deepEqual([d.doc.status, d.doc.pending], ['closed', 0]);
  // A late answer brings nothing back.
  d.w.socket.answer('change', 'error', { code: 'UNAVAILABLE', message: '' });
  await d.w.pass(10_000);
  assert.equal(d.sent.length, 1);

  const next = (d.w.client as Realtime).document('d');
  d.subscribed({ n: 1 }, 1);
  const fate = next.update({ n: 2 });
  d.w.socket.say({ type: 'unsubscribed', payload: { channel: 'd', code: 'FORBIDDEN', message: '' } });
  assert.equal(await fate, false);

  const last = (d.w.client as Realtime).document('d');
  d.subscribed({ n: 1 }, 1);
  const kept = last.update({ n: 2 });
  d.w.client.close();
  assert.equal(last.pending, 1);
  last.close();
  assert.equal(await kept, false);
});

test('a client that is closed and connected again goes on', async (t) => {
  const d = await desk(t);
  d.doc.update({ title: 'b' });
  d.w.client.close();
  assert.equal(d.doc.status, 'closed');
  d.w.client.connect();
  await rest();
  d.w.socket.greet();
  d.subscribed({ title: 'a', items: {} }, 4);
  assert.deepEqual([d.sent.length, d.doc.status], [1, 'saving']);
  d.accept(5);
  assert.deepEqual([d.doc.value.title, d.doc.status], ['b', 'synced']);
});

test('a document of a channel that is subscribed already asks for its state', async (t) => {
  const w = new World(t);
  w.Client = Realtime;
  await w.open();
  w.client.subscribe('d');
  w.socket.subscribed({ document: { epoch: 'e', version: 1, state: { n: 1 } } });
  const doc = (w.client as Realtime).document('d');
  w.socket.answer('unsubscribe', 'unsubscribed', { channel: 'd' });
  w.socket.subscribed({ document: { epoch: 'e', version: 2, state: { n: 2 } } });
  assert.deepEqual(doc.value, { n: 2 });
});

test('a store tells its value at once and whenever it changes', async (t) => {
  const d = await desk(t);
  const titles: string[] = [];
  const off = d.doc.subscribe(({ title }) => titles.push(title));
  d.doc.update({ title: 'b' });
  off();
  d.doc.update({ title: 'c' });
  assert.deepEqual(titles, ['a', 'b']);
});

test('a document can be read beside an older client.js, which has no changes over event streams', async (t) => {
  const d = await desk(t);
  d.doc.update({ title: 'b' });
  d.w.socket.answer('change', 'error', { code: 'UNSUPPORTED', message: '' });
  d.remote(5, { items: { x: 1 } });
  assert.deepEqual([d.doc.value, d.doc.pending], [{ title: 'b', items: { x: 1 } }, 1]);
});

test('updates that a listener makes are in order', async (t) => {
  const d = await desk(t, { n: 0, log: [] });
  d.doc.on('change', ({ value }) => value.n < 3 && d.doc.update((draft) => void draft.n++));
  d.doc.update((draft) => void draft.n++);
  assert.equal(d.doc.value.n, 3);
  for (let version = 5; d.doc.pending; version++) d.accept(version);
  assert.equal(d.doc.value.n, 3);
});
