// The published package carries no pinned Node and no tools: `strip` takes them out of package.json before npm packs it,
// `restore` puts the file back.
import { copyFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

const kept = 'build/package.json.kept';
if (process.argv[2] === 'strip') {
  copyFileSync('package.json', kept);
  const { optionalDependencies, devDependencies, scripts, ...published } = JSON.parse(
    readFileSync('package.json', 'utf8'),
  );
  writeFileSync(
    'package.json',
    `${JSON.stringify({ ...published, scripts: { postpack: scripts.postpack } }, null, 2)}\n`,
  );
} else if (existsSync(kept)) {
  renameSync(kept, 'package.json');
}
