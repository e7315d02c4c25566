// Checks the JavaScript and TypeScript in the documentation against the types of the client. Each
// block is a module of its own. Names that the text around it explains (`show`, `newToken`) may be
// missing, and so may libraries of others; everything else is an error.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = `${root}client/build/snippets/`;

/** The sources behind what a page imports from the site or from npm. */
const entries = {
  client: 'index', documents: 'documents', calls: 'calls', watch: 'watch', codes: 'codes',
  stores: 'stores', away: 'away', shared: 'shared', react: 'react', vue: 'vue', svelte: 'svelte',
};
const imports = /(from\s+|import\()(["'])(?:\/[\w/]*?(\w+)\.js|caddy-realtime(?:\/(\w+))?)\2/g;

/** What a block may lack: names (2304, 2552, 2580 to 2593 with hints, 18004 in `{ name }`) and modules of others. */
const allowed = /error TS(2304|2552|2580|2581|2582|2584|2591|2592|2593|2503|18004|2307|7016)\b/;

function source(code) {
  return code.replace(imports, (all, word, quote, file, entry) => {
    const name = entries[file ?? entry ?? 'client'];
    return name ? `${word}${quote}../../src/${name}.js${quote}` : all;
  });
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const origins = new Map(); // file -> where the block stands
const folders = ['', 'client/', 'docs/', ...readdirSync(`${root}examples`).map((name) => `examples/${name}/`)];
const pages = folders.flatMap((name) => readdirSync(root + name).filter((file) => file.endsWith('.md')).map((file) => name + file));
for (const page of pages) {
  const text = readFileSync(root + page, 'utf8');
  for (const { index, 1: language, 2: code } of text.matchAll(/^```(js|ts)\n(.*?)^```$/gms)) {
    const line = text.slice(0, index).split('\n').length;
    const file = `${basename(page, '.md')}-${origins.size}.ts`;
    origins.set(file, { page, line, language });
    writeFileSync(folder + file, `${source(code)}export {};\n`);
  }
}
// What bundlers and libraries of others add.
writeFileSync(`${folder}others.d.ts`, 'interface Window { Echo: any }\ninterface ImportMeta { env: Record<string, string> }\n');
if (origins.size < 20) {
  console.error(`only ${origins.size} blocks of JavaScript were found in the documentation`);
  process.exit(1);
}
writeFileSync(`${folder}tsconfig.json`, JSON.stringify({
  extends: '../../tsconfig.json',
  compilerOptions: {
    rootDir: '../..', lib: ['es2023', 'dom', 'dom.iterable'], skipLibCheck: true, noEmit: true, emitDeclarationOnly: false, declaration: false,
    // A block is an example: its author does not declare every type, or use every name.
    strict: false, noImplicitAny: false, noUnusedLocals: false, noUnusedParameters: false, noImplicitReturns: false,
    exactOptionalPropertyTypes: false, noUncheckedIndexedAccess: false, noPropertyAccessFromIndexSignature: false,
  },
  include: ['*.ts'],
}));

let output = '';
try {
  execFileSync(`${root}client/node_modules/.bin/tsc`, ['-p', folder, '--pretty', 'false'], { encoding: 'utf8', cwd: folder });
} catch (error) {
  output = error.stdout;
}
let wrong = 0;
for (const found of output.split('\n').filter((line) => line.includes('error TS'))) {
  const [, file, at, message] = /^(?:.*\/)?([\w.-]+\.ts)\((\d+),\d+\): (.*)$/.exec(found) ?? [];
  const origin = origins.get(file);
  if (file && (!origin || allowed.test(message))) continue; // the sources themselves have a check of their own
  console.error(origin ? `${origin.page}:${origin.line + Number(at)}: ${message}` : found);
  wrong++;
}
if (wrong) process.exit(1);
