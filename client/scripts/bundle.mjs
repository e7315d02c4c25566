// How the sources become the files that are published and served.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { minify } from 'terser';

const root = fileURLToPath(new URL('..', import.meta.url));
const licence = '/*! Apache-2.0 */';

/** Has the client imported from the file beside, instead of a second copy of it. */
const beside = {
  name: 'beside',
  setup: ({ onResolve }) => onResolve({ filter: /^\.\/index\.js$/ }, () => ({ path: './client.js', external: true })),
};

/** Leaves out of the client what it loads when it is needed. */
const apart = {
  name: 'apart',
  setup: ({ onResolve }) => onResolve({ filter: /^\.\/diagnose\.js$/ }, ({ path }) => ({ path, external: true })),
};

/** How the text of a bundle is written. */
const form = { format: 'esm', target: 'es2022', minify: true, legalComments: 'inline' };

/**
 * Members of internal classes and objects. No name here may be that of an option, of a
 * field of an event or frame, or of anything that the browser provides. Each bundle
 * shortens them in its own way, so neither may see an object of the other that has them.
 */
const internal = [
  'accepted again answer ask audible back base begin cancel channels check command cursor drop dropOldest end fail failed',
  'forget frame gone guessed hasty heard http kind made meet offline open opened ops others patient ping plan problem proof',
  'renews response resume retry returnIn root settle spoiled sse start step stop suspend take time transports tries',
  'down units up urgent wake was wave',
].flatMap((line) => line.split(' '));

/** The entry points that use client.js. */
const extensions = ['calls', 'diagnose', 'documents', 'watch'];
/** Those that use no code of it, but perhaps that of each other. */
const additions = ['away', 'shared', 'stores', 'react', 'svelte', 'vue'];

/** Leaves out of an addition what is a package, or a file beside it. */
const others = {
  name: 'others',
  setup: ({ onResolve }) => onResolve({ filter: /^(react|vue|\.\/stores\.js)$/ }, ({ path }) => ({ path, external: true })),
};

/** Builds into a folder below the root, which is emptied first. */
export async function bundle(folder) {
  const out = root + folder;
  rmSync(out, { recursive: true, force: true });
  const options = {
    ...form,
    outdir: out,
    bundle: true,
    mangleProps: new RegExp(`^(_[a-z].*|${internal.join('|')})$`),
    // What the entry points beside it use of client.js keeps its name: while servers are updated they may meet another client.js.
    mangleCache: { _emit: false, _command: false, _key: false, _up: false, _http: false },
    banner: { js: licence },
    write: false,
  };
  await write({ ...options, entryPoints: { client: `${root}src/index.ts`, codes: `${root}src/codes.ts` }, plugins: [apart] });
  for (const name of extensions) await write({ ...options, entryPoints: [`${root}src/${name}.ts`], plugins: [beside] });
  const plain = { ...options, mangleProps: undefined, mangleCache: undefined, plugins: [others] };
  for (const name of additions) await write({ ...plain, entryPoints: [`${root}src/${name}.ts`] });
  // A classic script: not every browser has modules in shared workers.
  await write({ ...options, entryPoints: [`${root}src/sharedworker.ts`], format: 'iife' });
  await write({
    ...options,
    entryPoints: [`${root}src/global.ts`],
    format: 'iife',
    globalName: 'CaddyRealtime',
    define: { 'import.meta.url': 'scriptAddress' },
    inject: [`${root}src/address.ts`],
  });
  const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
  execFileSync(process.execPath, [tsc, '-p', `${root}tsconfig.json`, '--outDir', `${out}/types`], { stdio: 'inherit' });
  prune(`${out}/types/`, ['index', 'codes', 'documents', 'calls', 'watch', ...additions].map((name) => `${name}.d.ts`));
}

/** How a bundle is minified a second time, which leaves less for gzip. terser writes into what it is given. */
const smaller = (module) => ({
  module,
  compress: { passes: 3, ecma: 2020, unsafe_arrows: true, hoist_props: true, hoist_funs: true },
  format: { comments: 'some' },
});

async function write(options) {
  const { outputFiles } = await build(options);
  mkdirSync(options.outdir, { recursive: true });
  for (const { path, text } of outputFiles) writeFileSync(path, (await minify(text, smaller(options.format === 'esm'))).code);
}

/** Removes the declarations that no entry needs. */
function prune(folder, entries) {
  const needed = new Set(entries);
  for (const name of needed) {
    for (const [, file] of readFileSync(folder + name, 'utf8').matchAll(/from '\.\/(.+)\.js'/g))
      needed.add(`${file}.d.ts`);
  }
  for (const name of readdirSync(folder)) if (!needed.has(name)) rmSync(folder + name);
}

export { root };
