// Builds the pages of docs/frameworks.md into a folder, for the tests in a browser: node pages.mjs <folder>
import { mkdirSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { compile } from 'svelte/compiler';
import { compileScript, parse } from 'vue/compiler-sfc';
import { root } from './bundle.mjs';
import { blocks } from './snippets.mjs';

const folder = process.argv[2];
const example = (wanted) => blocks('../docs/frameworks.md').find(({ language }) => language === wanted).code;

/** A component of Vue as a module, which TypeScript is still in. */
function vue() {
  const { descriptor } = parse(example('vue'));
  return compileScript(descriptor, { id: 'page', inlineTemplate: true }).content;
}

const mount = {
  react: [example('tsx'), 'tsx'],
  vue: [`import { createApp } from 'vue';\nimport page from 'page';\ncreateApp(page).mount(document.body);`, 'ts', vue(), 'ts'],
  svelte: [
    `import { mount } from 'svelte';\nimport page from 'page';\nmount(page, { target: document.body });`,
    'ts',
    compile(example('svelte'), { generate: 'client', filename: 'page.svelte' }).js.code,
    'js',
  ],
};

mkdirSync(folder, { recursive: true });
for (const [name, [contents, loader, page, pageLoader]] of Object.entries(mount)) {
  const component = {
    name: 'page',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^page$/ }, () => ({ path: 'page', namespace: 'page' }));
      onLoad({ filter: /.*/, namespace: 'page' }, () => ({ contents: page, loader: pageLoader, resolveDir: root }));
    },
  };
  await build({
    stdin: { contents, loader, resolveDir: root },
    bundle: true,
    format: 'esm',
    jsx: 'automatic',
    conditions: ['browser', 'production'],
    define: { 'process.env.NODE_ENV': '"production"', __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false', __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false' },
    logLevel: 'error',
    plugins: [component],
    outfile: `${folder}/${name}.js`,
  });
  writeFileSync(`${folder}/${name}.html`, `<!doctype html><meta charset="utf-8"><title>${name}</title><link rel="icon" href="data:,"><body><script type="module" src="${name}.js"></script>`);
}
