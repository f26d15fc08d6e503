import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { cgroupMode, readCgroupMounts } from '../../../../../src/agent/host/cgroup-hierarchy.ts';
import { notRoot } from '../../../../support/parts.ts';

const root = resolve(import.meta.dirname, '../../../../..');
const FILES = [
  'test/agent/pod/runtime/process/process-runtime.limits.test.ts',
  'test/agent/stats/oom-watch.real.test.ts',
  'test/agent/host/cgroup.test.ts',
];

/** A host whose v2 hierarchy is taken away in a mount namespace of its own has v1 alone, as hosts of before 2016. */
function cannot(): string | false {
  if (notRoot()) return notRoot();
  return cgroupMode(readCgroupMounts()) === 'hybrid' ? false : 'needs a host with cgroup v1 and v2';
}

describe.skipIf(cannot())('where cgroup v1 is all there is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'podvitals-v1-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('limits are enforced, and OOM kills counted and told, as elsewhere', async () => {
    const report = join(folder, 'report.json');
    const unified = readCgroupMounts().find(({ version }) => version === 2)!.mountPoint;
    const script = 'umount -l "$1" && shift && exec "$@"';
    const vitest = ['run', '--maxWorkers=1', '--reporter=json', `--outputFile.json=${report}`, ...FILES];
    const words = [process.execPath, join(root, 'node_modules/vitest/vitest.mjs'), ...vitest];
    const child = spawn('unshare', ['--mount', '--', 'sh', '-c', script, 'sh', unified, ...words], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-4000);
    });
    const code = await new Promise((done) => child.once('close', done));
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
      readonly numPassedTests: number;
      readonly numFailedTests: number;
      readonly testResults: readonly { readonly message: string }[];
    };
    const why = [complaint, ...testResults.map(({ message }) => message)].join('\n');
    expect({ code, numFailedTests }, why).toEqual({ code: 0, numFailedTests: 0 });
    expect(numPassedTests).toBeGreaterThan(15);
  }, 300_000);
});
