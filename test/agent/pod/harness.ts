import type { KeyValue } from '../../../src/agent/pod/key-value.ts';
import type { ManifestObject } from '../../../src/agent/pod/manifest/manifest-object.ts';
import {
  createPodManager,
  type PodManager,
  type PodManagerOptions,
} from '../../../src/agent/pod/pod-manager.ts';
import type { ProbeRunner } from '../../../src/agent/pod/prober/probe.ts';
import {
  createFakeRuntime,
  type FakeLife,
  type FakeRuntime,
  type FakeRuntimeOptions,
} from '../../../src/agent/pod/runtime/fake.ts';
import type { ContainerConfig } from '../../../src/agent/pod/runtime/runtime.ts';
import type { PodTransition } from '../../../src/agent/pod/transition.ts';
import type { PodView } from '../../../src/agent/pod/view.ts';
import type { WorkloadEvent } from '../../../src/agent/pod/workload/workload-event.ts';
import type { Container, ContainerStatus, Pod, PodSpec } from '../../../src/model/kubernetes.ts';
import { createFakeClock, type FakeClock } from '../../../src/util/clock.ts';
import { memoryKeyValue } from '../../support/memory-key-value.ts';

/** The same numbers in every run. Source: mulberry32 */
export function seededRandom(seed = 11): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export interface Story {
  readonly clock: FakeClock;
  readonly runtime: FakeRuntime;
  readonly keyValue: KeyValue;
  readonly transitions: PodTransition[];
  /** What controllers did and saw. */
  readonly workloadEvents: WorkloadEvent[];
  manager: PodManager;
  /** Seconds since the story began. */
  at(): number;
  advance(seconds: number): Promise<void>;
  apply(...objects: readonly ManifestObject[]): Promise<void>;
  pod(name?: string): Pod;
  view(name?: string): PodView;
  status(container?: string, pod?: string): ContainerStatus;
  /** `seconds kind` of the transitions of these kinds. */
  log(...kinds: readonly PodTransition['kind'][]): string[];
  /** The agent dies without a word; `seconds` later the next one takes over. */
  sigkill(seconds?: number): Promise<void>;
  end(): Promise<void>;
}

const MOST_STEPS = 100;

/** A pod manager on a fake runtime and a fake clock. */
export async function createStory(
  options: Partial<Omit<FakeRuntimeOptions, 'life'>> & {
    readonly lives?: Readonly<Record<string, readonly FakeLife[] | ((attempt: number) => FakeLife)>>;
    readonly runProbe?: ProbeRunner;
    readonly random?: () => number;
    readonly backOff?: PodManagerOptions['backOff'];
    readonly nodeSettings?: PodManagerOptions['nodeSettings'];
    readonly measures?: PodManagerOptions['measures'];
    /** How long a fact takes to become durable. */
    readonly writeMs?: number;
  } = {},
): Promise<Story> {
  const clock = createFakeClock();
  const origin = clock.now();
  const keyValue = memoryKeyValue();
  const life = (config: ContainerConfig) => {
    const lives = options.lives?.[config.name];
    return typeof lives === 'function' ? lives(config.attempt) : lives?.[config.attempt];
  };
  const runtime = createFakeRuntime({ ...options, clock, life });
  const transitions: PodTransition[] = [];
  const workloadEvents: WorkloadEvent[] = [];
  const random = options.random ?? seededRandom();
  // A dead agent's timers and writes must not reach the world of the living: each agent has its own gate.
  let gate = { open: true };
  const begin = async () => {
    const mine = { open: true };
    gate = mine;
    const written = async () => {
      const { writeMs } = options;
      if (writeMs !== undefined) await new Promise<void>((resolve) => clock.setTimer(writeMs, resolve));
      if (!mine.open) await new Promise(() => {});
    };
    const gated: KeyValue = {
      ...keyValue,
      set: async (key, value) => {
        const kept = structuredClone(value);
        await written();
        await keyValue.set(key, kept);
      },
      delete: async (key) => {
        await written();
        await keyValue.delete(key);
      },
    };
    const manager = createPodManager({
      runtime: { ...runtime, onExit: runtime.onExit },
      clock: {
        ...clock,
        now: clock.now,
        monotonic: clock.monotonic,
        setTimer: (delayMs, run) => clock.setTimer(delayMs, () => mine.open && run()),
      },
      keyValue: gated,
      node: { name: 'node-11', ip: '192.0.2.11', cpuCores: 4, memoryBytes: 8 * 2 ** 30, diskBytes: 2 ** 36 },
      random,
      ...(options.runProbe === undefined ? {} : { runProbe: options.runProbe }),
      ...(options.backOff === undefined ? {} : { backOff: options.backOff }),
      ...(options.nodeSettings === undefined ? {} : { nodeSettings: options.nodeSettings }),
      ...(options.measures === undefined ? {} : { measures: options.measures }),
      onError: (error) => {
        if (mine.open) throw error;
      },
    });
    manager.onTransition((transition) => mine.open && transitions.push(transition));
    manager.onWorkloadEvent((event) => mine.open && workloadEvents.push(event));
    await manager.start();
    return manager;
  };
  const story: Story = {
    clock,
    runtime,
    keyValue,
    transitions,
    workloadEvents,
    manager: await begin(),
    at: () => (clock.now() - origin) / 1000,
    advance: (seconds) => clock.advance(seconds * 1000),
    async apply(...objects) {
      const applied = story.manager.apply(objects, { folder: '/srv/shop' });
      await clock.advance(options.writeMs === undefined ? 0 : 3 * options.writeMs);
      await applied;
    },
    pod: (name = 'cart') => story.manager.get('Pod', 'shop', name) as Pod,
    view: (name = 'cart') => story.manager.views().pods.find((pod) => pod.ref.name === name)!,
    status(container = 'app', pod = 'cart') {
      const { containerStatuses = [], initContainerStatuses = [] } = story.pod(pod).status;
      return [...initContainerStatuses, ...containerStatuses].find(({ name }) => name === container)!;
    },
    log: (...kinds) =>
      transitions
        .filter(({ kind }) => kinds.includes(kind))
        .map((transition) => `${(transition.at - origin) / 1000} ${transition.kind}`),
    async sigkill(seconds = 0) {
      gate.open = false;
      runtime.crash();
      await clock.advance(seconds * 1000);
      // Taking over may wait for writes, which take their time by this clock.
      let taken = false;
      const begun = begin().finally(() => {
        taken = true;
      });
      for (let step = 0; step < MOST_STEPS && !taken; step += 1) await clock.advance(options.writeMs ?? 0);
      story.manager = await begun;
      await clock.advance(0);
    },
    async end() {
      gate.open = false;
      runtime.dispose();
    },
  };
  return story;
}

export function container(name = 'app', rest: Partial<Container> = {}): Container {
  return { name, command: ['node', `${name}.mjs`], ...rest };
}

export function pod(spec: Partial<PodSpec> = {}, name = 'cart'): Extract<ManifestObject, { kind: 'Pod' }> {
  return {
    file: 'shop.yaml',
    kind: 'Pod',
    metadata: { name, namespace: 'shop' },
    spec: { containers: [container()], ...spec },
  };
}

export function deployment(
  replicas: number,
  spec: Partial<PodSpec> = {},
  name = 'web',
): Extract<ManifestObject, { kind: 'Deployment' }> {
  const labels = { 'app.kubernetes.io/name': name };
  return {
    file: 'shop.yaml',
    kind: 'Deployment',
    metadata: { name, namespace: 'shop' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container()], ...spec } },
    },
  };
}
