import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPart, requireAll } from '../support/parts.ts';
import { machineImage } from './machine-image.ts';

/**
 * `npm run test:v2`: the tests of the process runtime, cgroups and statistics on a kernel where unified cgroup v2 is
 * all there is, in small emulated machines with the host's files. Exit 0 when all passed, or when this host cannot
 * (which fails with PODVITALS_REQUIRE=all). A machine ends within ten minutes.
 */
const root = join(import.meta.dirname, '..', '..');
const MOST_MS = 570_000;
/** Emulated programs are so much slower. */
const PATIENCE = 6;
/** The files of one machine each. */
const MACHINES: readonly (readonly string[])[] = [
  [
    'test/agent/pod/runtime/process/process-runtime.limits.test.ts',
    'test/agent/pod/runtime/process.conformance.test.ts',
    'test/agent/host/cgroup.test.ts',
    'test/agent/stats/oom-watch.real.test.ts',
    'test/agent/stats/stats-reader.real.test.ts',
    'test/agent/pod/runtime/process/process-runtime.handover.test.ts',
  ],
  // Users of their own, a service manager: slow, and what they leave behind is nobody else's.
  ['test/agent/pod/runtime/process/process-runtime.delegated.test.ts'],
  ['test/cli/scope.real.test.ts'],
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

/** By a signal: nothing more is started. */
let interrupted = false;

async function boot(share: string): Promise<void> {
  const { kernel, initrd } = machineImage(join(homedir(), '.cache/podvitals/v2'));
  const shared = (id: string, path: string, options: string) => [
    ...['-fsdev', `local,id=${id},path=${path},security_model=none${options}`],
    ...['-device', `virtio-9p-pci,fsdev=${id},mount_tag=${id}`],
  ];
  const machine = spawn(
    'qemu-system-x86_64',
    [
      // One thread for both processors: with a thread each, code that V8 has just written is run as it was before.
      ...['-accel', 'tcg,thread=single', '-cpu', 'max', '-m', '2048', '-smp', '2'],
      ...['-nodefaults', '-nographic', '-no-reboot', '-serial', 'stdio'],
      ...['-kernel', kernel, '-initrd', initrd],
      ...['-append', 'console=ttyS0 quiet panic=-1 cgroup_no_v1=all psi=1'],
      ...shared('host', '/', ',readonly=on,multidevs=remap'),
      ...shared('share', share, ''),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  machine.stdout.pipe(process.stdout, { end: false });
  const stop = () => machine.kill('SIGKILL');
  const interrupt = () => {
    interrupted = true;
    stop();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  const late = setTimeout(stop, MOST_MS);
  await new Promise((resolve, reject) => machine.once('close', resolve).once('error', reject));
  clearTimeout(late);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
}

interface Report {
  /** False, too, where a file could not be run at all. */
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
}

/** Undefined when the machine came to no result. */
async function reportOf(files: readonly string[]): Promise<Report | undefined> {
  const share = mkdtempSync(join(tmpdir(), 'podvitals-v2-'));
  try {
    writeFileSync(join(share, 'suite.sh'), suite(files));
    await boot(share);
    const path = join(share, 'report.json');
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Report) : undefined;
  } finally {
    rmSync(share, { recursive: true, force: true });
  }
}

async function run(files: readonly string[]): Promise<boolean> {
  if (interrupted) return false;
  const report = await reportOf(files);
  if (report === undefined) {
    console.error(`v2: the machine for ${files.join(', ')} ended without a result`);
    return false;
  }
  const { success, numPassedTests, numFailedTests, numPendingTests } = report;
  console.log(
    `on unified cgroup v2: ${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`,
  );
  return success && numPassedTests > 0;
}

const reason = whyNot();
if (reason === undefined) {
  process.exitCode = 0;
  const machines = process.argv.length > 2 ? [process.argv.slice(2)] : MACHINES;
  for (const files of machines) if (!(await run(files))) process.exitCode = 1;
} else {
  console.log(`v2: skipped: ${reason}`);
  process.exitCode = requireAll ? 1 : 0;
}
