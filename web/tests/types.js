/**
 * Checks the client's JSDoc types, and makes of them the declarations that are published beside it: `npm run types`.
 * With `--check` nothing is written, and declarations that are not those of the code are an error.
 */

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const WEB = dirname(dirname(fileURLToPath(import.meta.url)));
const TSC = join(WEB, 'node_modules', '.bin', 'tsc');
const STRICT = [
  '--strict', '--target', 'es2024', '--module', 'nodenext', '--lib', 'es2024,dom,dom.iterable,dom.asynciterable',
  '--types', '',
];

const folder = mkdtempSync(join(tmpdir(), 'jobstream-types-'));
try {
  const made = declarations();
  if (process.argv.includes('--check')) check(made);
  else for (const [name, text] of made) writeFileSync(join(WEB, name), text);
  tsc('--noEmit', join(WEB, 'tests', 'typed-use.ts'));
} finally {
  rmSync(folder, { recursive: true });
}

/** What a user of `client.js` needs, by its name; made of a copy, lest what was made before be read for the code. */
function declarations() {
  const [sources, out] = [join(folder, 'sources'), join(folder, 'out')];
  const isSource = (path) => !path.endsWith('.d.ts');
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  cpSync(join(WEB, 'client.js'), join(sources, 'client.js'));
  cpSync(join(WEB, 'client'), join(sources, 'client'), { recursive: true, filter: isSource });
  const made = ['--declaration', '--emitDeclarationOnly', '--outDir', out];
  tsc('--allowJs', '--checkJs', ...made, join(sources, 'client.js'));
  return needed(join(out, 'client.d.ts'), out);
}

/** The file and all that it imports. */
function needed(file, root, known = new Map()) {
  const name = relative(root, file);
  if (known.has(name)) return known;
  const text = readFileSync(file, 'utf8');
  known.set(name, text);
  for (const [, path] of text.matchAll(/(?:from|import\()\s*['"](\.[^'"]+)\.js['"]/g)) {
    needed(join(dirname(file), `${path}.d.ts`), root, known);
  }
  return known;
}

function check(made) {
  const stale = [...made].filter(([name, text]) => {
    const published = join(WEB, name);
    return !existsSync(published) || readFileSync(published, 'utf8') !== text;
  });
  if (!stale.length) return;
  console.error(`Not those of the code, see \`npm run types\`: ${stale.map(([name]) => name).join(', ')}`);
  process.exitCode = 1;
}

function tsc(...options) {
  try {
    execFileSync(TSC, [...STRICT, ...options], { encoding: 'utf8' });
  } catch (error) {
    console.error(error.stdout);
    throw new Error('The types do not fit.', { cause: error });
  }
}
