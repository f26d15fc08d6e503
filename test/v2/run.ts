import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPart, requireAll } from '../support/parts.ts';
import { machineImage } from './machine-image.ts';

/**
 * `npm run test:v2`: the tests of the process runtime, cgroups and statistics on a kernel where unified cgroup v2 is
 * all there is, in a small emulated machine with the host's files. Exit 0 when all passed, or when this host cannot
 * (which fails with PODVITALS_REQUIRE=all). Ends within ten minutes.
 */
const root = join(import.meta.dirname, '..', '..');
const MOST_MS = 570_000;
/** Emulated programs are so much slower. */
const PATIENCE = 6;
const FILES = [
  'test/agent/pod/runtime/process/process-runtime.limits.test.ts',
  'test/agent/pod/runtime/process.conformance.test.ts',
  'test/agent/host/cgroup.test.ts',
  'test/agent/stats/oom-watch.real.test.ts',
  'test/agent/stats/stats-reader.real.test.ts',
  'test/agent/pod/runtime/process/process-runtime.handover.test.ts',
];

function whyNot(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'needs Linux on x86-64';
  if (process.getuid?.() !== 0) return 'needs root, to show the machine all files of the host';
  const tools = ['qemu-system-x86_64', 'cpio', 'busybox', 'xz', 'apt-get', 'dpkg'];
  const absent = tools.filter((tool) => findPart(tool) === undefined);
  return absent.length === 0 ? undefined : `not installed: ${absent.join(', ')} (.ci/parts installs them)`;
}

function suite(files: readonly string[]): string {
  const words = files.map((file) => `'${file.replaceAll("'", "'\\''")}'`).join(' ');
  return `export HOME=/root PATH='${root}/node_modules/.bin':/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PODVITALS_PATIENCE=${PATIENCE} PODVITALS_REQUIRE=all NO_COLOR=1 CI=1 TERM=dumb TMPDIR=/run/tmp
cd '${root}'
node node_modules/vitest/vitest.mjs run --maxWorkers=1 --testTimeout=${30_000 * PATIENCE} --hookTimeout=${60_000 * PATIENCE} \\
  --reporter=verbose --reporter=json --outputFile.json=/mnt/share/report.json ${words} </dev/null
sync
echo o >/proc/sysrq-trigger
sleep 60
`;
}

async function boot(share: string): Promise<void> {
  const { kernel, initrd } = machineImage(join(homedir(), '.cache/podvitals/v2'));
  const shared = (id: string, path: string, options: string) => [
    ...['-fsdev', `local,id=${id},path=${path},security_model=none${options}`],
    ...['-device', `virtio-9p-pci,fsdev=${id},mount_tag=${id}`],
  ];
  const machine = spawn(
    'qemu-system-x86_64',
    [
      ...['-accel', 'tcg,thread=multi', '-cpu', 'max', '-m', '2048', '-smp', '2'],
      ...['-nodefaults', '-nographic', '-no-reboot', '-serial', 'stdio'],
      ...['-kernel', kernel, '-initrd', initrd],
      ...['-append', 'console=ttyS0 quiet panic=-1 cgroup_no_v1=all psi=1'],
      ...shared('host', '/', ',readonly=on,multidevs=remap'),
      ...shared('share', share, ''),
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const stop = () => machine.kill('SIGKILL');
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const late = setTimeout(stop, MOST_MS);
  await new Promise((resolve, reject) => machine.once('exit', resolve).once('error', reject));
  clearTimeout(late);
}

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
}

async function run(files: readonly string[]): Promise<number> {
  const share = mkdtempSync(join(tmpdir(), 'podvitals-v2-'));
  try {
    writeFileSync(join(share, 'suite.sh'), suite(files));
    await boot(share);
    const path = join(share, 'report.json');
    if (!existsSync(path)) {
      console.error('v2: the machine ended without a result');
      return 1;
    }
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(
      readFileSync(path, 'utf8'),
    ) as Report;
    console.log(
      `on unified cgroup v2: ${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`,
    );
    return numFailedTests === 0 && numPassedTests > 0 ? 0 : 1;
  } finally {
    rmSync(share, { recursive: true, force: true });
  }
}

const reason = whyNot();
if (reason === undefined)
  process.exitCode = await run(process.argv.length > 2 ? process.argv.slice(2) : FILES);
else {
  console.log(`v2: skipped: ${reason}`);
  process.exitCode = requireAll ? 1 : 0;
}
