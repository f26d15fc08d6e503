import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pod } from '../../../src/model/kubernetes.ts';
import type { Life } from '../../../src/model/life.ts';
import { findDebrisOfPods } from '../debris.ts';
import {
  freePorts,
  type Podvitals,
  type Ports,
  startPodvitals,
  temporaryDataDir,
  until,
} from '../podvitals.ts';
import { createRandom } from '../random.ts';
import type { TortureOptions } from './store-torture.ts';

export interface RuntimeTortureOutcome {
  readonly kills: number;
  /** What was asked for in the round, and how often. */
  readonly actions: Readonly<Record<string, number>>;
  /** What was found under way at the moment of the kill, and how often; several may be at once. */
  readonly underWay: Readonly<Record<UnderWay, number>>;
  /** How often the pod that crashes was restarted meanwhile. */
  readonly restarts: number;
}

/**
 * `takeover`: the agent itself had been started and was not ready. `start`: a container's start script ran. `rollout`:
 * pods of two revisions. The others: of the pod that is made for it.
 */
const UNDER_WAY = ['takeover', 'start', 'life', 'probe', 'termination', 'back-off', 'rollout'] as const;
export type UnderWay = (typeof UNDER_WAY)[number];

// Lives of a third of a second and a back-off of one: a kill falls at any point of a pod's life.
const AGENT = { backOff: { base: '1s', cap: '1s' }, interval: '2s' };
const BOUND_MS = 120_000;

const pod = (name: string, script: string, more = '') => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: torn }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      command: [sh, -c, ${JSON.stringify(script)}]
${more}`;

// One kill in so many falls into the next agent's start.
const TAKEOVER_SHARE = 0.25;

/** `mark` is in the command line of every process, so that none is missed. */
const manifestOf = (mark: string, revision: number) =>
  [
    pod('steady', `: ${mark}-steady; while :; do sleep 1; done`),
    pod('crasher', `: ${mark}-crasher; echo "life of $$"; sleep 0.3; exit 7`),
    pod(
      'probed',
      `: ${mark}-probed; while :; do sleep 1; done`,
      // Healthy by day, dead by night: restarted every few seconds.
      `      livenessProbe:
        exec: { command: [sh, -c, ': ${mark}-asks; sleep 0.3; test $(($(date +%s) % 8)) -lt 6'] }
        periodSeconds: 1
        timeoutSeconds: 5
        failureThreshold: 1
      readinessProbe:
        exec: { command: [sh, -c, 'exit 0'] }
        periodSeconds: 1`,
    ),
    // Shows that it was asked to end, and does not.
    pod(
      'stubborn',
      `trap 'exec sh -c "trap : TERM; : ${mark}-stubborn terminating; while :; do sleep 1; done"' TERM; : ${mark}-stubborn; while :; do sleep 60 & wait $!; done`,
    ),
    `
apiVersion: apps/v1
kind: Deployment
metadata: { name: rolled, namespace: torn }
spec:
  replicas: 2
  selector: { matchLabels: { app: rolled } }
  template:
    metadata: { labels: { app: rolled } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: main
          command: [sh, -c, ': ${mark}-rolled revision-${revision}.; while :; do sleep 1; done']`,
  ].join('\n---');

/**
 * Kills agent and collector, in one process, with SIGKILL at random points of pods' lives (start, probe, back-off,
 * termination, rollout), starts them again, and looks: pods that ran go on as the same processes, none is doubled or left
 * behind, counts are kept, and no life is lost or doubled. Throws what is wrong. The moments follow from the seed.
 */
export async function tortureRuntime(options: TortureOptions): Promise<RuntimeTortureOutcome> {
  const random = createRandom(options.seed);
  const mark = `torn-${process.pid}-${options.seed}`;
  const dataDir = temporaryDataDir();
  const ports = await freePorts();
  const manifest = join(dataDir.path, 'torn.yaml');
  const actions: Record<string, number> = { 'lives go on': 0, rollout: 0, deletion: 0 };
  const underWay = Object.fromEntries(UNDER_WAY.map((what) => [what, 0])) as Record<UnderWay, number>;
  const uids = new Set<string>();
  let revision = 1;
  let restarts = 0;
  let kills = 0;
  writeFileSync(manifest, manifestOf(mark, revision));
  const start = (files: readonly string[] = [], waits = true) => startUp(dataDir.path, ports, files, waits);
  const look = () => {
    for (const what of findUnderWay(mark, dataDir.path)) underWay[what] += 1;
  };
  let running = await start([manifest]);
  try {
    const { containerID, uid } = await until('the steady pod runs', BOUND_MS, async () => {
      const found = await podOf(running, 'steady');
      const status = found.status.containerStatuses?.[0];
      return status?.state.running && { containerID: status.containerID, uid: found.metadata.uid };
    });
    for (let round = 0; kills < options.rounds; round += 1) {
      kills += 1;
      const action = random.pick(Object.keys(actions));
      actions[action]! += 1;
      const waitMs = random.integer(0, 2_500);
      // Not waited for: the kill is to fall into it.
      const asked = act(running, action, () => {
        revision += 1;
        writeFileSync(manifest, manifestOf(mark, revision));
        return manifest;
      });
      await pause(waitMs);
      look();
      await running.kill();
      await asked;
      if (random.chance(TAKEOVER_SHARE)) {
        running = await start([], false);
        await pause(random.integer(0, 2_500));
        look();
        if (!isReady(running)) underWay.takeover += 1;
        await running.kill();
        kills += 1;
      }
      running = await start();
      restarts = await checkRound(running, mark, { containerID, uid, restarts }, uids);
      if ((round + 1) % 20 === 0)
        options.say?.(`round ${round + 1}: ${restarts} restarts, all pods as they should be`);
    }
    writeFileSync(manifest, manifestOf(mark, revision + 1));
    await succeed(running, 'apply', '-f', manifest);
    await settled(running, mark, revision + 1);
    await wholeRecord(running);
    await running.stop();
    nothingLeft(mark, dataDir.path, uids);
    return { kills, actions, underWay, restarts };
  } catch (error) {
    throw new Error(`seed ${options.seed}: ${(error as Error).message}\n${running.output().slice(-2_000)}`);
  } finally {
    await running.stop();
    for (const { pid } of processesOf(mark)) process.kill(pid, 'SIGKILL');
    dataDir.remove();
  }
}

const isReady = (running: Podvitals) => running.output().includes('podvitals is ready');

/** As processes of this host show it. */
function findUnderWay(mark: string, dataDir: string): readonly UnderWay[] {
  const found = processesOf(mark);
  const has = (what: string) => found.some(({ command }) => command.includes(`${mark}-${what}`));
  const revisions = new Set(found.flatMap(({ command }) => /revision-(\d+)/.exec(command)?.[1] ?? []));
  const starts = commandLines().some(
    ({ words }) => words[1]?.startsWith(dataDir) && words[1].endsWith('/start.sh'),
  );
  const isTerminating = found.some(({ command }) => command.startsWith(`trap : TERM; : ${mark}-stubborn`));
  return [
    ...(starts ? ['start' as const] : []),
    has('crasher') ? 'life' : 'back-off',
    ...(has('asks') ? ['probe' as const] : []),
    ...(isTerminating ? ['termination' as const] : []),
    ...(revisions.size > 1 ? ['rollout' as const] : []),
  ];
}

/** After the end of all pods: no process, cgroup, mount, link or folder of any pod there ever was. */
function nothingLeft(mark: string, dataDir: string, uids: ReadonlySet<string>): void {
  const left = processesOf(mark).map(({ command }) => command);
  const all = [...left, ...findDebrisOfPods(dataDir, uids)];
  if (all.length > 0) throw new Error(`left behind at the end: ${all.join(', ')}`);
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

const startUp = (dataDir: string, ports: Ports, files: readonly string[], waits: boolean) =>
  startPodvitals({
    waits,
    dataDir,
    ports,
    halves: 'up',
    files,
    agent: AGENT,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: '', OTEL_TRACES_EXPORTER: 'none' },
  });

async function podsOf(running: Podvitals): Promise<readonly Pod[]> {
  const { out } = await succeed(running, 'get', 'pods', '-n', 'torn', '-o', 'json');
  return (JSON.parse(out) as { readonly items: readonly Pod[] }).items;
}

async function podOf(running: Podvitals, name: string): Promise<Pod> {
  return JSON.parse((await succeed(running, 'get', 'pod', `torn/${name}`, '-o', 'json')).out) as Pod;
}

async function succeed(running: Podvitals, ...args: readonly string[]) {
  const done = await running.command(...args);
  if (done.code !== 0) throw new Error(`podvitals ${args.join(' ')} answered ${done.code}: ${done.err}`);
  return done;
}

/** Never rejects: who is asked is killed meanwhile. */
async function act(running: Podvitals, action: string, next: () => string): Promise<void> {
  if (action === 'rollout') await running.command('apply', '-f', next());
  if (action !== 'deletion') return;
  await running.command('delete', 'pod', 'torn/stubborn');
  await running.command('apply', '-f', next());
}

interface MarkedProcess {
  readonly pid: number;
  readonly command: string;
}

function commandLines(): readonly { readonly pid: number; readonly words: readonly string[] }[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return { pid: Number(name), words: readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0') };
    } catch {
      return []; // Gone meanwhile.
    }
  });
}

/** The shells whose command line has the mark: containers' first processes, what these fork, and probes. */
function processesOf(mark: string): readonly MarkedProcess[] {
  return commandLines().flatMap(({ pid, words }) => {
    const command = words[2] ?? '';
    const isMarked = words[0]?.endsWith('sh') && words[1] === '-c' && command.includes(mark);
    return isMarked ? { pid, command } : [];
  });
}

/** Of these the first of each container, with the namespace that its pod has for itself. */
function containersOf(mark: string): readonly (MarkedProcess & { readonly pod: string })[] {
  return processesOf(mark).flatMap(({ pid, command }) => {
    try {
      const isFirst = /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
      return isFirst ? { pid, command, pod: readlinkSync(`/proc/${pid}/ns/uts`) } : [];
    } catch {
      return [];
    }
  });
}

const count = (mark: string, what: string) =>
  containersOf(mark).filter(({ command }) => command.includes(`${mark}-${what}`)).length;

async function checkRound(
  running: Podvitals,
  mark: string,
  before: { readonly containerID: string | undefined; readonly uid: string; readonly restarts: number },
  uids: Set<string>,
): Promise<number> {
  const pods = await podsOf(running);
  for (const { metadata } of pods) uids.add(metadata.uid);
  const named = (name: string) => pods.find(({ metadata }) => metadata.name === name);
  const steady = named('steady');
  const status = steady?.status.containerStatuses?.[0];
  const same =
    steady?.metadata.uid === before.uid &&
    status?.containerID === before.containerID &&
    status?.restartCount === 0;
  if (!same)
    throw new Error(`the steady pod is another: ${JSON.stringify(status)}, it was ${JSON.stringify(before)}`);
  if (count(mark, 'steady') !== 1) throw new Error(`${count(mark, 'steady')} processes of the steady pod`);
  const containers = containersOf(mark);
  for (const { pod, command } of containers) {
    const same = containers.filter((other) => other.pod === pod);
    if (same.length > 1) throw new Error(`${same.length} processes of one container: ${command}`);
  }
  const restartCount = named('crasher')?.status.containerStatuses?.[0]?.restartCount ?? -1;
  if (restartCount < before.restarts)
    throw new Error(`the crasher was restarted ${before.restarts} times, and now ${restartCount} times`);
  return restartCount;
}

/** What was asked for last is what runs, and nothing else. */
async function settled(running: Podvitals, mark: string, revision: number): Promise<void> {
  await until('the last rollout is done, and everything runs once', BOUND_MS, async () => {
    const rolled = containersOf(mark).filter(({ command }) => command.includes(`${mark}-rolled`));
    const newest = rolled.filter(({ command }) => command.includes(`revision-${revision}.`));
    const stubborn = (await podOf(running, 'stubborn')).status.phase;
    return (
      rolled.length === 2 && newest.length === 2 && stubborn === 'Running' && count(mark, 'stubborn') === 1
    );
  });
}

/** Every life of the crasher is in the record exactly once, from the first to the last one the agent knows of. */
async function wholeRecord(running: Podvitals): Promise<void> {
  const { restartCount } = (await podOf(running, 'crasher')).status.containerStatuses![0]!;
  // Of one pod no more are kept.
  const kept = Math.min(restartCount, 40);
  await until(`the record has the last ${kept} lives`, BOUND_MS, async () => {
    const { items } = await running.json<{ items: readonly Life[] }>(
      '/api/pods/torn/crasher/lives?limit=10000',
    );
    const attempts = items.map((life) => life.attempt).sort((a, b) => b - a);
    if (new Set(attempts).size !== attempts.length) throw new Error(`lives are doubled: ${attempts}`);
    const last = attempts.indexOf(restartCount - 1);
    return (
      last >= 0 &&
      attempts.slice(last, last + kept).every((attempt, i) => attempt === restartCount - 1 - i) &&
      attempts.length - last >= kept
    );
  });
}
