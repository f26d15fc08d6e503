import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProcessRuntime } from '../../src/agent/pod/runtime/process/process-runtime.ts';
import type {
  ContainerConfig,
  ContainerExit,
  RunningContainer,
  Runtime,
  Sandbox,
} from '../../src/agent/pod/runtime/runtime.ts';
import { systemClock } from '../../src/util/clock.ts';
import { type Owner, removeDebris } from './debris.ts';

/** How many times slower than usual this machine is: an emulated one sets it. */
const PATIENCE = Number(process.env.PODVITALS_PATIENCE ?? 1);

/** Waits until `look` gives something other than undefined or false; fails after a generous while. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  ms = 60_000,
): Promise<T> {
  const end = performance.now() + ms * PATIENCE;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** An owner of its own, so that tests beside each other never meet. */
export function newOwner(): Owner {
  return {
    dataDir: mkdtempSync(join(tmpdir(), 'podvitals-test-')),
    cgroupParent: `podvitals-test-${randomBytes(4).toString('hex')}`,
  };
}

/** A real process runtime with a data directory and cgroups of its own. */
export interface TestRuntime {
  readonly owner: Owner;
  readonly runtime: Runtime;
  readonly exits: readonly ContainerExit[];
  /** A pod without limits; its uid is its name. */
  pod(name: string, hostNetwork?: boolean): Promise<Sandbox>;
  /** Starts container `main` of the pod; what `config` leaves out is plain. */
  start(
    pod: string,
    command: readonly string[],
    config?: Partial<ContainerConfig>,
  ): Promise<RunningContainer>;
  /** The exit of a container, once it is told. */
  exit(container: RunningContainer): Promise<ContainerExit>;
  /** Starts it, waits for its exit, and gives both streams of its log as text. */
  run(
    pod: string,
    command: readonly string[],
    config?: Partial<ContainerConfig>,
  ): Promise<{ readonly exit: ContainerExit; readonly stdout: string; readonly stderr: string }>;
  dispose(): Promise<void>;
}

export const containerConfig = (
  pod: string,
  command: readonly string[],
  config: Partial<ContainerConfig> = {},
): ContainerConfig => ({
  podUid: pod,
  name: 'main',
  init: false,
  attempt: 0,
  image: 'host',
  command,
  env: [],
  mounts: [],
  ...config,
});

export const sandboxConfig = (name: string, hostNetwork = false) => ({
  podUid: name,
  namespace: 'shop',
  name,
  hostname: name,
  hostNetwork,
});

export async function createTestRuntime(): Promise<TestRuntime> {
  const owner = newOwner();
  const runtime = await createProcessRuntime({ ...owner, clock: systemClock });
  await runtime.adopt();
  const exits: ContainerExit[] = [];
  runtime.onExit((exit) => void exits.push(exit));
  const attempts = new Map<string, number>();

  const test: TestRuntime = {
    owner,
    runtime,
    exits,
    pod: (name, hostNetwork) => runtime.runSandbox(sandboxConfig(name, hostNetwork)),
    start(pod, command, config = {}) {
      const key = `${pod}/${config.name ?? 'main'}`;
      const attempt = attempts.get(key) ?? 0;
      attempts.set(key, attempt + 1);
      return runtime.startContainer(containerConfig(pod, command, { attempt, ...config }));
    },
    exit: (container) =>
      until(`the exit of ${container.name}`, () => exits.find((exit) => exit.containerId === container.id)),
    async run(pod, command, config) {
      const container = await test.start(pod, command, config);
      const exit = await test.exit(container);
      const lines = await runtime.logs(pod, container.name, container.attempt, {});
      const text = (stream: string) =>
        lines
          .filter((line) => line.stream === stream)
          .map((line) => line.text)
          .join('\n');
      return { exit, stdout: text('stdout'), stderr: text('stderr') };
    },
    async dispose() {
      await runtime.close();
      await removeDebris(owner);
    },
  };
  return test;
}
