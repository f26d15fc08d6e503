import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createPodmanRuntime } from '../../src/agent/pod/runtime/podman/podman-runtime.ts';
import type {
  ContainerConfig,
  ContainerExit,
  RunningContainer,
  Runtime,
  Sandbox,
  SandboxConfig,
} from '../../src/agent/pod/runtime/runtime.ts';
import { createOomWatch } from '../../src/agent/stats/oom-watch.ts';
import { systemClock } from '../../src/util/clock.ts';
import { BUSYBOX_IMAGE, startPodman, type TestPodman } from './podman.ts';
import { until } from './process-pods.ts';

/** A runtime on a Podman of its own. */
export interface PodmanPods {
  readonly podman: TestPodman;
  readonly dataDir: string;
  readonly exits: readonly ContainerExit[];
  runtime(): Runtime;
  /** A pod without limits; its uid is its name. */
  pod(name: string, config?: Partial<SandboxConfig>): Promise<Sandbox>;
  /** Starts a container from the busybox image; what `config` leaves out is plain, its name `main`. */
  start(
    pod: string,
    command: readonly string[],
    config?: Partial<ContainerConfig>,
  ): Promise<RunningContainer>;
  /** The exit of a container, once it is told. */
  exit(container: RunningContainer): Promise<ContainerExit>;
  /** Starts it, waits for its exit, and gives both streams of its log as text. */
  run(pod: string, command: readonly string[], config?: Partial<ContainerConfig>): Promise<string>;
  log(container: RunningContainer): Promise<string>;
  /** The agent is gone and another one comes: its `adopt` is what it found. */
  restart(): Promise<Awaited<ReturnType<Runtime['adopt']>>>;
  remove(): Promise<void>;
}

export async function startPodmanPods(): Promise<PodmanPods> {
  const podman = await startPodman();
  const dataDir = join(podman.folder, 'data');
  mkdirSync(dataDir);
  const exits: ContainerExit[] = [];
  const attempts = new Map<string, number>();
  const oomWatch = createOomWatch({ clock: systemClock });
  const open = async () => {
    const runtime = await createPodmanRuntime({
      dataDir,
      socket: podman.socket,
      clock: systemClock,
      oomKills: (life) => oomWatch.kills(life),
    });
    runtime.onExit((exit) => exits.push(exit));
    return runtime;
  };
  let runtime: Runtime;
  try {
    runtime = await open();
    await runtime.adopt();
  } catch (error) {
    oomWatch.close();
    await podman.remove();
    throw error;
  }
  const pods: PodmanPods = {
    podman,
    dataDir,
    exits,
    runtime: () => runtime,
    pod: (name, config = {}) =>
      runtime.runSandbox({
        podUid: name,
        namespace: 'shop',
        name,
        hostname: name,
        hostNetwork: false,
        ...config,
      }),
    start(pod, command, config = {}) {
      const name = config.name ?? 'main';
      const attempt = attempts.get(`${pod}/${name}`) ?? 0;
      attempts.set(`${pod}/${name}`, attempt + 1);
      return runtime.startContainer({
        podUid: pod,
        name,
        init: false,
        attempt,
        image: BUSYBOX_IMAGE,
        command,
        env: [],
        mounts: [],
        ...config,
      });
    },
    exit: ({ id }) =>
      until(`the exit of ${id}`, () => exits.find(({ containerId }) => containerId === id), 120_000),
    async run(pod, command, config) {
      const container = await pods.start(pod, command, config);
      await pods.exit(container);
      return pods.log(container);
    },
    async log({ podUid, name, attempt }) {
      const lines = await runtime.logs(podUid, name, attempt, {});
      return lines.map(({ text }) => text).join('\n');
    },
    async restart() {
      await runtime.close();
      runtime = await open();
      return runtime.adopt();
    },
    async remove() {
      await runtime.close();
      oomWatch.close();
      await podman.remove();
    },
  };
  return pods;
}
