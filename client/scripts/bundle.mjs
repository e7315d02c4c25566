// How the sources become the files that are published and served.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const licence = '/*! caddy-realtime client, Apache-2.0 */';

/** Has the client imported from the file beside, instead of a second copy of it. */
const beside = {
  name: 'beside',
  setup: ({ onResolve }) => onResolve({ filter: /^\.\/index\.js$/ }, () => ({ path: './client.js', external: true })),
};

/** Builds into a folder below the root, which is emptied first. */
export async function bundle(folder) {
  const out = root + folder;
  rmSync(out, { recursive: true, force: true });
  const options = {
    outdir: out,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    // Methods that are public for the sake of other files only. Those that documents.js
    // calls keep their names: while servers are updated it may meet another client.js.
    // The others belong to classes that only this bundle knows.
    mangleProps: /^(_[a-z].*|accepted|audible|dropOldest|forget|hasty|heard|opened|renews|returnIn|suspend)$/,
    mangleCache: { _emit: false, _command: false, _up: false },
    banner: { js: licence },
    legalComments: 'inline',
  };
  await build({ ...options, entryPoints: { client: `${root}src/index.ts`, codes: `${root}src/codes.ts` } });
  await build({ ...options, entryPoints: [`${root}src/documents.ts`], plugins: [beside] });
  const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
  execFileSync(process.execPath, [tsc, '-p', `${root}tsconfig.json`, '--outDir', `${out}/types`], { stdio: 'inherit' });
  prune(`${out}/types/`, ['index.d.ts', 'codes.d.ts', 'documents.d.ts']);
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
