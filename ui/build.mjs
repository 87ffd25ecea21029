// Bundles src/ into dist/, which is committed so that a build without Node
// works (UI-141). Deterministic: the same sources give the same bytes.
//
//   dist/index.html     the one page, naming the hashed assets
//   dist/assets/*       content-hashed, served as immutable (UI-4)
//   dist/manifest.json  every file with its size; tools/embed-ui reads it
//
// With --check nothing is written: it fails when dist/ is not what src/ builds.
// Fails too when what a first visit downloads exceeds the budget (UI-131).
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const BUDGET_JS_BYTES = 60 * 1024;
const BUDGET_CSS_BYTES = 12 * 1024;

const root = dirname(fileURLToPath(import.meta.url));
const src = join(root, 'src');
const dist = join(root, 'dist');

const bundle = await build({
  absWorkingDir: root,
  entryPoints: { main: 'src/main.tsx', theme: 'src/theme.ts', style: 'src/style.css' },
  outdir: 'dist',
  entryNames: 'assets/[name]-[hash]',
  chunkNames: 'assets/[name]-[hash]',
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2022'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  charset: 'utf8',
  metafile: true,
  write: false,
  logLevel: 'warning',
});

const files = new Map(); // path below dist -> bytes
const entry = {}; // main | theme | style -> path below dist
for (const file of bundle.outputFiles) {
  files.set(file.path.slice(dist.length + 1), Buffer.from(file.contents));
}
for (const [path, output] of Object.entries(bundle.metafile.outputs)) {
  if (output.entryPoint) entry[basename(output.entryPoint).split('.')[0]] = path.slice('dist/'.length);
}

const icon = readFileSync(join(src, 'icon.svg'));
const iconPath = `assets/icon-${createHash('sha256').update(icon).digest('hex').slice(0, 8).toUpperCase()}.svg`;
files.set(iconPath, icon);

const html = readFileSync(join(src, 'index.html'), 'utf8')
  .replaceAll('{{theme}}', `/${entry.theme}`)
  .replaceAll('{{style}}', `/${entry.style}`)
  .replaceAll('{{main}}', `/${entry.main}`)
  .replaceAll('{{icon}}', `/${iconPath}`);
files.set('index.html', Buffer.from(html));

const gzipped = (path) => gzipSync(files.get(path), { level: 9 }).length;
const js = gzipped(entry.main) + gzipped(entry.theme);
const css = gzipped(entry.style);

const manifest = [...files]
  .map(([path, bytes]) => ({ path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }))
  .sort((a, b) => (a.path < b.path ? -1 : 1));
files.set('manifest.json', Buffer.from(JSON.stringify(manifest, null, 2) + '\n'));

if (process.argv.includes('--check')) {
  const stale = [...files].filter(([path, bytes]) => {
    const committed = join(dist, path);
    return !existsSync(committed) || !bytes.equals(readFileSync(committed));
  });
  if (stale.length > 0) {
    console.error(`ui/dist is not what ui/src builds (${stale.map(([path]) => path).join(', ')}): run \`npm run build\` in ui/`);
    process.exit(1);
  }
} else {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(join(dist, 'assets'), { recursive: true });
  for (const [path, bytes] of files) writeFileSync(join(dist, path), bytes);
}

console.log(`first visit: ${js} bytes of script, ${css} bytes of style (gzip)`);
if (js > BUDGET_JS_BYTES || css > BUDGET_CSS_BYTES) {
  console.error(`over the budget of ${BUDGET_JS_BYTES} and ${BUDGET_CSS_BYTES}`);
  process.exit(1);
}
