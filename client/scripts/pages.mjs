// Builds the pages of docs/frameworks.md into a folder, for the tests in a browser: node pages.mjs <folder>
//
// Each page is there twice: NAME.html is empty and rendered in the browser; NAME-server.html was rendered on a
// server, and the browser takes it over. The second one has the warnings of its framework in the variable `warnings`.
import { mkdirSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { compile } from 'svelte/compiler';
import { compileScript, parse } from 'vue/compiler-sfc';
import { root } from './bundle.mjs';
import { blocks } from './snippets.mjs';

const folder = process.argv[2];
const example = (wanted) => blocks('../docs/frameworks.md').find(({ language }) => language === wanted).code;

/** The component of Vue as a module, which TypeScript is still in. */
const vue = compileScript(parse(example('vue')).descriptor, { id: 'page', inlineTemplate: true }).content;

/** The component of Svelte as a module: for a `client`, or for a `server`. */
const svelte = (generate, dev) => compile(example('svelte'), { generate, dev, filename: 'page.svelte' }).js.code;

/** The component of React, which the example renders itself. */
const react = example('tsx').replace(/^createRoot.*$/m, 'export default Chat;');

const frameworks = {
  react: {
    component: () => [react, 'tsx'],
    mount: `import { createElement } from 'react'; import { createRoot } from 'react-dom/client'; import page from 'page';
      createRoot(document.body).render(createElement(page));`,
    render: `import { createElement } from 'react'; import { renderToString } from 'react-dom/server'; import page from 'page';
      export default renderToString(createElement(page));`,
    hydrate: `import { createElement } from 'react'; import { hydrateRoot } from 'react-dom/client'; import page from 'page';
      hydrateRoot(document.querySelector('main'), createElement(page));`,
  },
  vue: {
    component: () => [vue, 'ts'],
    mount: `import { createApp } from 'vue'; import page from 'page';
      createApp(page).mount(document.body);`,
    render: `import { createSSRApp } from 'vue'; import { renderToString } from 'vue/server-renderer'; import page from 'page';
      export default await renderToString(createSSRApp(page));`,
    hydrate: `import { createSSRApp } from 'vue'; import page from 'page';
      createSSRApp(page).mount('main');`,
  },
  svelte: {
    component: (generate, dev) => [svelte(generate, dev), 'js'],
    mount: `import { mount } from 'svelte'; import page from 'page';
      mount(page, { target: document.body });`,
    render: `import { render } from 'svelte/server'; import page from 'page';
      export default render(page).body;`,
    hydrate: `import { hydrate } from 'svelte'; import page from 'page';
      hydrate(page, { target: document.querySelector('main') });`,
  },
};

/** Bundles a script, in which `page` is a component. */
function bundle(contents, [component, loader], mode, outfile, options) {
  const page = {
    name: 'page',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^page$/ }, () => ({ path: 'page', namespace: 'page' }));
      onLoad({ filter: /.*/, namespace: 'page' }, () => ({ contents: component, loader, resolveDir: root }));
    },
  };
  const development = String(mode === 'development');
  return build({
    stdin: { contents, loader: 'ts', resolveDir: root },
    bundle: true,
    format: 'esm',
    jsx: 'automatic',
    define: {
      'process.env.NODE_ENV': JSON.stringify(mode),
      __VUE_OPTIONS_API__: 'false',
      __VUE_PROD_DEVTOOLS__: 'false',
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: development,
    },
    logLevel: 'error',
    plugins: [page],
    outfile: `${folder}/${outfile}`,
    ...options,
  });
}

const html = (name, script, body) =>
  `<!doctype html><meta charset="utf-8"><title>${name}</title><link rel="icon" href="data:,"><body>${body}<script type="module" src="${script}"></script>`;

const listen = `<script>const warnings = []; console.warn = console.error = (...said) => warnings.push(said.map(String).join(' '));</script>`;

mkdirSync(folder, { recursive: true });
for (const [name, { component, mount, render, hydrate }] of Object.entries(frameworks)) {
  const inBrowser = (mode) => ({ conditions: ['browser', mode] });
  await bundle(mount, component('client', false), 'production', `${name}.js`, inBrowser('production'));
  writeFileSync(`${folder}/${name}.html`, html(name, `${name}.js`, ''));

  // Packages stay outside of the script for the server, as a server has them.
  const rendered = `${root}build/${name}-server.mjs`;
  await bundle(render, component('server', false), 'development', `../${name}`, { outfile: rendered, platform: 'node', packages: 'external' });
  const { default: body } = await import(pathToFileURL(rendered));
  await bundle(hydrate, component('client', true), 'development', `${name}-server.js`, inBrowser('development'));
  writeFileSync(`${folder}/${name}-server.html`, html(name, `${name}-server.js`, `<main>${body}</main>${listen}`));
}
