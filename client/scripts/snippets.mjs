// Takes the examples out of the documents: to check their types, and to build the pages of the frameworks.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { root } from './bundle.mjs';

/** Returns the code blocks of a document with their languages. */
export function blocks(path) {
  const text = readFileSync(root + path, 'utf8');
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, code]) => ({ language, code }));
}

/** What the examples use and do not define. */
const around = `import type { Realtime, Subscription } from 'caddy-realtime/documents';
import type { Calls } from 'caddy-realtime/calls';
declare global {
  const banner: HTMLElement;
  const call: Subscription<any>;
  const text: string;
  const abort: AbortController;
  const id: string;
  interface Line { text: string }
  function show(...values: unknown[]): void;
  function showMembers(members: string[]): void;
  function refetch(): void;
  function accept(offer: unknown): unknown;
  function render(value: unknown): void;
  function tell(message: string): void;
}
`;

const documents = { README: 'README.md', frameworks: '../docs/frameworks.md' };

/** Writes the scripts of the documents into a folder, with a configuration for tsc, and returns how many they are. */
export function write(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/around.d.ts`, around);
  let count = 0;
  for (const [name, path] of Object.entries(documents)) {
    for (const { language, code } of blocks(path)) {
      const script = { vue: inside, svelte: inside, js: same, ts: same, tsx: same }[language]?.(code);
      if (script === undefined) continue;
      const known = count && name === 'README' && !script.includes('connect(') ? 'declare const realtime: import("caddy-realtime").Realtime;\n' : '';
      const module = `${known}${script.replace(/'\/realtime\/(\w+)\.js'/g, (_, file) => `'caddy-realtime${file === 'client' ? '' : `/${file}`}'`)}\nexport {};\n`;
      writeFileSync(`${folder}/${name}-${++count}.${language === 'tsx' ? 'tsx' : 'ts'}`, module);
    }
  }
  const compilerOptions = {
    target: 'es2022', module: 'nodenext', lib: ['es2022', 'dom', 'dom.iterable'], types: [], jsx: 'react-jsx', strict: true, noEmit: true, skipLibCheck: true,
  };
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions, include: ['.'] }));
  return count;
}

const same = (code) => code;
/** The script of a component; `$state` is a word of Svelte. */
const inside = (code) => /<script[^>]*>\n([\s\S]*?)<\/script>/.exec(code)[1].replace(/\$state\(/g, '(');
