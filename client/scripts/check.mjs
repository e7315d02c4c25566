// Fails when the built client is too large, or is not what the sources make, or when an example in the documents has wrong types.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { bundle, root } from './bundle.mjs';
import { write } from './snippets.mjs';

/** How many bytes the client may have, compressed, alone and with documents, and what calls and watches add; embed_test.go, whose gzip needs some more, has the last word. */
const limits = [
  [['client.js'], 10 * 1024],
  [['client.js', 'documents.js'], 16 * 1024],
  [['calls.js'], 1280],
  [['watch.js'], 2560],
  [['stores.js'], 1280],
  [['stores.js', 'react.js'], 2048],
  [['stores.js', 'vue.js'], 2048],
  [['stores.js', 'svelte.js'], 2048],
  [['away.js'], 1024],
  [['shared.js'], 1280],
  [['sharedworker.js'], 7 * 1024],
  [['global.js'], 21 * 1024],
];

function files(folder) {
  return readdirSync(root + folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath ?? entry.path}/${entry.name}`.slice(root.length + folder.length))
    .sort();
}

function read(path) {
  return readFileSync(root + path, 'utf8');
}

await bundle('build/dist');
const [built, committed] = [files('build/dist'), files('dist')];
const stale = [...new Set([...built, ...committed])].filter(
  (name) => !built.includes(name) || !committed.includes(name) || read(`build/dist${name}`) !== read(`dist${name}`),
);
if (stale.length) console.error(`dist is out of date, run "npm run build": ${stale.join(', ')}`);
if (stale.length) process.exitCode = 1;
// Vite accepts no variable there, not even a constant.
const [, name] = /workerName = '(.*)'/.exec(read('src/sharedport.ts'));
if (!read('build/dist/shared.js').includes(`new SharedWorker(new URL("./sharedworker.js",import.meta.url),{name:"${name}"})`)) {
  console.error('shared.js does not start the worker in the form that bundlers recognize');
  process.exitCode = 1;
}
const snippets = `${root}build/snippets`;
console.log(`${write(snippets)} examples of the documents`);
const types = spawnSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', snippets], { stdio: 'inherit' });
if (types.status) process.exitCode = 1;
for (const [names, limit] of limits) {
  const size = names.reduce((sum, name) => sum + gzipSync(read(`build/dist/${name}`), { level: 9 }).length, 0);
  console.log(`${names.join(' and ')}: ${size} of ${limit} bytes gzipped`);
  if (size > limit) process.exitCode = 1;
}
