// Makes a clone ready to run: locked dependencies and the console's build, each only when out of date. Plain
// JavaScript for any recent Node, because the pinned Node 24 is itself one of the dependencies.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);

function filesBelow(path) {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) =>
      entry.isDirectory() ? filesBelow(join(path, entry.name)) : [join(path, entry.name)],
    );
}

function digest(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

// `windowed` steps print only when they fail: a newcomer wants one line a step.
function step(title, stamp, files, run) {
  const want = digest(files);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === want) return;
  process.stderr.write(`podvitals: ${title} … `);
  const began = Date.now();
  const result = run();
  if (result.error || result.status !== 0) {
    process.stderr.write(
      `failed\n${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}\n`,
    );
    process.stderr.write(
      `podvitals: set-up stopped at "${title}"; mend what is named above and run it again\n`,
    );
    process.exit(1);
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, want);
  process.stderr.write(`done in ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
}

// npm hands its own settings to scripts as npm_config_*; a nested npm must read them afresh.
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_(?!config_(registry|cache))/i.test(name)),
);

step(
  'installing the locked dependencies',
  'node_modules/.podvitals-lock',
  ['package-lock.json', 'package.json'],
  () => spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { encoding: 'utf8', env }),
);

if (existsSync('src/console')) {
  step(
    'building the console',
    'build/.console',
    [...filesBelow('src/console'), ...filesBelow('src/model'), 'package-lock.json'],
    () =>
      spawnSync(
        'node_modules/.bin/node',
        ['node_modules/vite/bin/vite.js', 'build', '--logLevel=warn', 'src/console'],
        { encoding: 'utf8', env },
      ),
  );
}
