// Bundles each test file with the sources it tests into build/test, where
// `node --test` finds them.
import { readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
rmSync(`${root}build/test`, { recursive: true, force: true });
await build({
  entryPoints: readdirSync(`${root}test`)
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `${root}test/${name}`),
  bundle: true,
  // A test that renders a page must use the framework that the sources use.
  external: ['react', 'react-dom/*', 'vue', 'vue/*', 'svelte/*'],
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: 'inline',
  outdir: `${root}build/test`,
});
