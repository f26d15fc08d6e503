import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pod } from '../../../src/model/kubernetes.ts';
import type { Life } from '../../../src/model/life.ts';
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
  /** What was under way, and how often. */
  readonly actions: Readonly<Record<string, number>>;
  /** How often the pod that crashes was restarted meanwhile. */
  readonly restarts: number;
}

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
        exec: { command: [sh, -c, 'test $(($(date +%s) % 8)) -lt 6'] }
        periodSeconds: 1
        failureThreshold: 1
      readinessProbe:
        exec: { command: [sh, -c, 'exit 0'] }
        periodSeconds: 1`,
    ),
    pod('stubborn', `trap '' TERM; : ${mark}-stubborn; while :; do sleep 1; done`),
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
  let revision = 1;
  let restarts = 0;
  writeFileSync(manifest, manifestOf(mark, revision));
  const start = (files: readonly string[] = []) => startUp(dataDir.path, ports, files);
  let running = await start([manifest]);
  try {
    const { containerID, uid } = await until('the steady pod runs', BOUND_MS, async () => {
      const found = await podOf(running, 'steady');
      const status = found.status.containerStatuses?.[0];
      return status?.state.running && { containerID: status.containerID, uid: found.metadata.uid };
    });
    for (let round = 0; round < options.rounds; round += 1) {
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
      await running.kill();
      await asked;
      running = await start();
      restarts = await checkRound(running, mark, { containerID, uid, restarts });
      if ((round + 1) % 20 === 0)
        options.say?.(`round ${round + 1}: ${restarts} restarts, all pods as they should be`);
    }
    writeFileSync(manifest, manifestOf(mark, revision + 1));
    await succeed(running, 'apply', '-f', manifest);
    await settled(running, mark, revision + 1);
    await wholeRecord(running);
    return { kills: options.rounds, actions, restarts };
  } catch (error) {
    throw new Error(`seed ${options.seed}: ${(error as Error).message}\n${running.output().slice(-2_000)}`);
  } finally {
    await running.stop();
    const left = processesOf(mark);
    for (const { pid } of left) process.kill(pid, 'SIGKILL');
    dataDir.remove();
    if (left.length > 0)
      options.say?.(`left behind at the end: ${left.map(({ command }) => command).join(', ')}`);
  }
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

const startUp = (dataDir: string, ports: Ports, files: readonly string[]) =>
  startPodvitals({
    dataDir,
    ports,
    halves: 'up',
    files,
    agent: AGENT,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: '', OTEL_TRACES_EXPORTER: 'none' },
  });

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

/** Containers' first processes: the shells whose command line has the mark. */
function processesOf(mark: string): readonly MarkedProcess[] {
  const found: MarkedProcess[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      const command = words[2] ?? '';
      if (words[0]?.endsWith('sh') && words[1] === '-c' && command.includes(mark))
        found.push({ pid: Number(name), command });
    } catch {
      // Gone meanwhile.
    }
  }
  return found;
}

const count = (mark: string, what: string) =>
  processesOf(mark).filter(({ command }) => command.includes(`${mark}-${what}`)).length;

async function checkRound(
  running: Podvitals,
  mark: string,
  before: { readonly containerID: string | undefined; readonly uid: string; readonly restarts: number },
): Promise<number> {
  const steady = await podOf(running, 'steady');
  const status = steady.status.containerStatuses![0]!;
  const same =
    steady.metadata.uid === before.uid &&
    status.containerID === before.containerID &&
    status.restartCount === 0;
  if (!same)
    throw new Error(`the steady pod is another: ${JSON.stringify(status)}, it was ${JSON.stringify(before)}`);
  if (count(mark, 'steady') !== 1) throw new Error(`${count(mark, 'steady')} processes of the steady pod`);
  for (const name of ['crasher', 'probed', 'stubborn'])
    if (count(mark, name) > 1) throw new Error(`${count(mark, name)} processes of one container of ${name}`);
  const { restartCount } = (await podOf(running, 'crasher')).status.containerStatuses![0]!;
  if (restartCount < before.restarts)
    throw new Error(`the crasher was restarted ${before.restarts} times, and now ${restartCount} times`);
  return restartCount;
}

/** What was asked for last is what runs, and nothing else. */
async function settled(running: Podvitals, mark: string, revision: number): Promise<void> {
  await until('the last rollout is done, and everything runs once', BOUND_MS, async () => {
    const rolled = processesOf(mark).filter(({ command }) => command.includes(`${mark}-rolled`));
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
