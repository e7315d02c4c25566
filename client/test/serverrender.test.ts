// What a page uses beside the client, where a server renders the page. Nothing may connect, listen or stay there.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import test, { type TestContext } from 'node:test';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { compile } from 'svelte/compiler';
import { render } from 'svelte/server';
import { createSSRApp, h } from 'vue';
import { renderToString as renderVue } from 'vue/server-renderer';
import { autoAway } from '../src/away.js';
import { connect } from '../src/documents.js';
import * as react from '../src/react.js';
import { shared } from '../src/shared.js';
import * as stores from '../src/stores.js';
import * as svelte from '../src/svelte.js';
import * as vue from '../src/vue.js';
import { rest } from './world.js';

/** A client on a server; fails the test if it asks for anything, or has a subscription left. */
function client(t: TestContext) {
  const fetched = t.mock.method(globalThis, 'fetch', () => Promise.reject(new Error('asked')));
  const timers = t.mock.method(globalThis, 'setTimeout');
  const made = connect('/rt', { token: () => assert.fail('a token') });
  const subscribe = t.mock.method(made, 'subscribe');
  const check = async (): Promise<void> => {
    await rest();
    assert.equal(made.state, 'closed');
    assert.equal(fetched.mock.callCount() + timers.mock.callCount(), 0);
    for (const { result } of subscribe.mock.calls) assert.equal(result!.state, 'unsubscribed');
  };
  return { client: made, check };
}

test('stores do nothing before somebody listens', async (t) => {
  const { client: c, check } = client(t);
  const made = [stores.connectionStore(c), stores.channelStore(c, 'a'), stores.presenceStore(c, 'a'), stores.documentStore(c, 'a')];
  for (const store of made) assert.equal(store.getSnapshot(), store.getSnapshot());
  await check();
});

test('a page of React is rendered on a server', async (t) => {
  const { client: c, check } = client(t);
  const Page = () => {
    const views = [react.useConnection(c).state, react.useChannel(c, 'a').state, react.usePresence(c, 'b').count, react.useDocument(c, 'd').status];
    return createElement('p', null, views.join(' '));
  };
  assert.equal(renderToString(createElement(Page)), '<p>closed subscribing 0 loading</p>');
  await check();
});

test('a page of Vue is rendered on a server', async (t) => {
  const { client: c, check } = client(t);
  const setup = () => {
    const state = vue.useConnection(c);
    const [{ channel }, { presence }, { document }] = [vue.useChannel(c, 'a'), vue.usePresence(c, 'b'), vue.useDocument(c, 'd')];
    return () => h('p', [state.value.state, channel.value.state, presence.value.count, document.value.status].join(' '));
  };
  assert.equal(await renderVue(createSSRApp({ setup })), '<p>closed subscribing 0 loading</p>');
  await check();
});

test('a page of Svelte is rendered on a server, and leaves no subscription', async (t) => {
  const { client: c, check } = client(t);
  const source = '<script>let { a, b, d, s } = $props();</script><p>{$s.state} {$a.state} {$b.count} {$d.status}</p>';
  const file = new URL('page.svelte.mjs', import.meta.url);
  writeFileSync(file, compile(source, { generate: 'server', name: 'Page' }).js.code);
  const { default: Page } = await import(file.href);
  const props = { s: svelte.useConnection(c), a: svelte.useChannel(c, 'a'), b: svelte.usePresence(c, 'b'), d: svelte.useDocument(c, 'd') };
  assert.match(render(Page, { props }).body, /<p>closed subscribing 0 loading<\/p>/);
  await check();
});

test('without a shared worker a client has the plain options, and nobody is away without a document', () => {
  const options = { timeout: 1000 };
  assert.deepEqual(shared({ group: 'ann', ...options }), options);
  connect('/rt', shared({ group: 'ann' })).close();
  autoAway({ update: () => assert.fail() })();
});
