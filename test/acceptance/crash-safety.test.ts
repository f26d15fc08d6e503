import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Pod } from '../../src/model/kubernetes.ts';
import type { Life } from '../../src/model/life.ts';
import { notRoot } from '../support/parts.ts';
import {
  freePorts,
  type Podvitals,
  type Ports,
  startPodvitals,
  temporaryDataDir,
  until,
} from '../support/podvitals.ts';
import { freshSeed } from '../support/random.ts';
import { tortureRuntime } from '../support/torture/runtime-torture.ts';

const MANIFEST = `
apiVersion: v1
kind: Pod
metadata: { name: steady, namespace: torn }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: main
      command: [sh, -c, 'while :; do sleep 1; done']
---
apiVersion: v1
kind: Pod
metadata: { name: crasher, namespace: torn }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: main
      command: [sh, -c, 'echo "life of $$"; sleep 0.3; exit 7']
`;

// Lives of a third of a second and a back-off of one: a kill falls at any point of a pod's life.
const AGENT = { backOff: { base: '1s', cap: '1s' }, interval: '2s' };
const ROUNDS = 10;
const TORTURED = 20;

describe.skipIf(notRoot())('kill -9', () => {
  let dataDir: ReturnType<typeof temporaryDataDir>;
  let manifest: string;
  let ports: Ports;
  const running = new Map<string, Podvitals>();

  beforeEach(async () => {
    dataDir = temporaryDataDir();
    manifest = join(dataDir.path, 'torn.yaml');
    writeFileSync(manifest, MANIFEST);
    ports = await freePorts();
  });
  afterEach(async () => {
    for (const process of running.values()) await process.stop();
    running.clear();
    dataDir.remove();
  }, 60_000);

  async function start(halves: 'agent' | 'collector', files: readonly string[] = []) {
    running.set(
      halves,
      await startPodvitals({
        dataDir: dataDir.path,
        ports,
        halves,
        files,
        agent: AGENT,
        env: {
          OTEL_EXPORTER_OTLP_ENDPOINT: halves === 'agent' ? `http://127.0.0.1:${ports.otlpGrpc}` : '',
          OTEL_TRACES_EXPORTER: 'none',
        },
      }),
    );
  }
  const kill = async (halves: string) => {
    await running.get(halves)!.kill();
    running.delete(halves);
  };
  const any = () => running.values().next().value!;
  const pod = async (name: string) =>
    JSON.parse((await any().command('get', 'pod', `torn/${name}`, '-o', 'json')).out) as Pod;
  const lives = async (collector: Podvitals) =>
    (await collector.json<{ items: readonly Life[] }>('/api/pods/torn/crasher/lives?limit=10000')).items;

  /** Every life is in the record exactly once, from the first to the last one the agent knows of. */
  async function expectWholeRecord(collector: Podvitals) {
    // A life may be on its way: ask until the record has caught up with what the agent had counted before.
    const { restartCount } = (await pod('crasher')).status.containerStatuses![0]!;
    await until(`the record has the first ${restartCount} lives`, 90_000, async () => {
      const attempts = (await lives(collector)).map((life) => life.attempt).sort((a, b) => a - b);
      expect(attempts).toEqual([...new Set(attempts)]);
      return attempts.length >= restartCount && attempts[restartCount - 1] === restartCount - 1;
    });
  }

  it(`of agent and collector in one process at any point of pods' lives, ${TORTURED} times: each pod goes on as it was`, async () => {
    const { kills, actions, underWay, restarts } = await tortureRuntime({
      rounds: TORTURED,
      seed: freshSeed(),
    });
    expect(kills).toBeGreaterThanOrEqual(TORTURED);
    expect(underWay.life).toBeGreaterThan(0);
    expect(underWay['back-off']).toBeGreaterThan(0);
    expect(Object.values(actions).every((times) => times > 0)).toBe(true);
    expect(restarts).toBeGreaterThan(2);
  }, 1_200_000);

  it(`of agent, collector or both as processes of their own, ${ROUNDS} times: the same`, async () => {
    await start('collector');
    await start('agent', [manifest]);
    await until('the steady pod runs', 90_000, async () => (await pod('steady')).status.phase === 'Running');
    const before = (await pod('steady')).status.containerStatuses![0]!.containerID;
    for (let round = 0; round < ROUNDS; round += 1) {
      await new Promise((done) => setTimeout(done, Math.random() * 2_500));
      const victims = [['agent'], ['collector'], ['agent', 'collector']][round % 3] as (
        | 'agent'
        | 'collector'
      )[];
      for (const victim of victims) await kill(victim);
      for (const victim of victims.toReversed()) await start(victim);
    }
    expect((await pod('steady')).status.containerStatuses![0]!.containerID).toBe(before);
    await expectWholeRecord(running.get('collector')!);
  }, 240_000);
});
