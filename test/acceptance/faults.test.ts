import { cpus, freemem } from 'node:os';
import { basename, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { confusionMatrix, type Finding, readFaults, runFaults, score } from '../support/fault-lab.ts';
import { notRoot } from '../support/parts.ts';
import { noPodman, startPodman } from '../support/podman.ts';

const folder = resolve(import.meta.dirname, '../faults');
/** One of each kind of evidence: log, references, signals, the kernel's counter, probes, who failed first, health. */
const SAMPLE: readonly string[] = [
  'app-error-memory-words',
  'missing-config-variable',
  'oom-killed-shell',
  'terminated-by-signal-kill',
  'segmentation-fault-noise',
  'liveness-probe-wrong-port',
  'init-container-failing-refused',
  'none-logs-errors',
];

describe('the fault lab', () => {
  const faults = readFaults(folder);
  const named = (file: string) => basename(file).replace(/\.ya?ml$/, '');

  it('has at least forty manifests, each with a true cause, and decoys among them', () => {
    expect(faults.length).toBeGreaterThanOrEqual(40);
    expect(faults.filter(({ causes }) => causes.includes('None')).length).toBeGreaterThanOrEqual(4);
    for (const sample of SAMPLE) expect(faults.map(({ file }) => named(file))).toContain(sample);
  });

  const expectAllRight = (findings: readonly Finding[]) => {
    const wrong = findings.filter(({ correct }) => !correct);
    expect(
      wrong.map(({ fault, verdict }) => `${named(fault.file)}: ${verdict.cause}: ${verdict.summary}`),
      confusionMatrix(findings),
    ).toEqual([]);
    expect(score(findings)).toEqual({ correct: findings.length, wrongCertain: 0, all: findings.length });
  };
  const machine = { cores: cpus().length, freeBytes: freemem() };

  it.skipIf(notRoot())(
    'finds the true cause of each of a sample that really fails',
    async () => {
      const sample = faults.filter(({ file }) => SAMPLE.includes(named(file)));
      expect(sample).toHaveLength(SAMPLE.length);
      expectAllRight(await runFaults(sample, machine));
    },
    240_000,
  );

  it.skipIf(noPodman())(
    'finds the true cause where containers come from images, by Podman',
    async () => {
      const podman = await startPodman();
      try {
        const all = faults.filter(({ runtime }) => runtime === 'podman');
        expect(all.length).toBeGreaterThanOrEqual(7);
        expectAllRight(
          await runFaults(all, machine, undefined, { CONTAINER_HOST: `unix://${podman.socket}` }),
        );
      } finally {
        await podman.remove();
      }
    },
    300_000,
  );
});
