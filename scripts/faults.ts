import { existsSync } from 'node:fs';
import { cpus, freemem } from 'node:os';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { confusionMatrix, type Finding, readFaults, runFaults, score } from '../test/support/fault-lab.ts';
import { noPodman, startPodman } from '../test/support/podman.ts';

/**
 * The fault lab: runs every manifest of a folder (`test/faults` when left out) for real, asks podvitals why, and
 * compares with the annotation `podvitals.dev/true-cause`. Ends with `N of M correct, K wrong certain`; exit 0 only
 * when all are correct, 2 when there is nothing to run. `--only WORD`: files with the word in their name; `--shard 2/3`:
 * the second third of them. Those for the runtime `podman` run on the Podman of `CONTAINER_HOST`, else on one of the lab's own,
 * whose only image is `localhost/bb:1`, busybox; where there is no Podman they are named and left out.
 */
const { values, positionals } = parseArgs({
  options: { shard: { type: 'string' }, only: { type: 'string' } },
  allowPositionals: true,
});
const path = resolve(positionals[0] ?? resolve(import.meta.dirname, '../test/faults'));
const [shard = 1, shards = 1] = values.shard?.split('/').map(Number) ?? [];
const all = (existsSync(path) ? readFaults(path) : [])
  .filter(({ file }) => basename(file).includes(values.only ?? ''))
  .filter((_, index) => index % shards === shard - 1);
if (all.length === 0) {
  console.error(
    `${path}: no manifest with an annotation podvitals.dev/true-cause; usage: npm run faults [-- FOLDER] [--only WORD] [--shard 1/3]`,
  );
  process.exit(2);
}
const wantsPodman = all.some(({ runtime }) => runtime === 'podman');
const given = process.env.CONTAINER_HOST;
const noEngine = given === undefined ? noPodman() : false;
const podman = wantsPodman && given === undefined && noEngine === false ? await startPodman() : undefined;
const env = podman === undefined ? {} : { CONTAINER_HOST: `unix://${podman.socket}` };

const runtimes = ['process', ...(noEngine === false ? ['podman'] : [])];
const faults = all.filter(({ runtime }) => runtimes.includes(runtime));
for (const { file, runtime } of all) {
  if (runtimes.includes(runtime)) continue;
  const why = runtime === 'podman' ? noEngine : `there is no runtime ${runtime}`;
  console.log(`left out ${basename(file)}: ${why}`);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    void (podman?.remove() ?? Promise.resolve()).finally(() => process.exit(1));
  });

const describe = ({ fault, verdict, correct }: Finding) =>
  `${correct ? 'right' : 'WRONG'}  ${basename(fault.file)}: ${verdict.cause} (${verdict.confidence})${
    correct ? '' : `, true is ${fault.causes.join(' or ')}\n       ${verdict.summary}`
  }`;
const machine = { cores: cpus().length, freeBytes: freemem() };
const findings = await runFaults(faults, machine, (finding) => console.log(describe(finding)), env);
await podman?.remove();
const { correct, wrongCertain } = score(findings);
console.log(`\n${confusionMatrix(findings)}\n`);
console.log(`${correct} of ${findings.length} correct, ${wrongCertain} wrong certain`);
process.exitCode = correct === findings.length ? 0 : 1;
