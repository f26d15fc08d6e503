import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Pod } from '../../src/model/kubernetes.ts';
import { findDebrisOfPods } from '../support/debris.ts';
import { notRoot } from '../support/parts.ts';
import { freePorts, type Podvitals, startPodvitals, temporaryDataDir, until } from '../support/podvitals.ts';

// `npm run bench -- agent` does two hundred.
const PODS = 20;

const manifest = Array.from({ length: PODS }, (_, index) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `many-${index}`, namespace: 'crowd' },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'main',
          command: ['sleep', 'infinity'],
          resources: { limits: { memory: '32Mi' } },
          volumeMounts: [{ name: 'cache', mountPath: '/cache' }],
        },
      ],
      volumes: [{ name: 'cache', emptyDir: { medium: 'Memory' } }],
    },
  }),
).join('\n---\n');

describe.skipIf(notRoot())(`${PODS} pods at once`, () => {
  const data = temporaryDataDir();
  let agent: Podvitals | undefined;
  afterAll(async () => {
    await agent?.stop();
    data.remove();
  });

  it('start, each with an address of its own, are watched, and leave nothing when they are stopped', async () => {
    const file = join(data.path, 'many.yaml');
    writeFileSync(file, manifest);
    agent = await startPodvitals({
      dataDir: data.path,
      ports: await freePorts(),
      halves: 'agent',
      files: [file],
    });
    const { command, agentUrl } = agent;
    const pods = await until('all pods run', 120_000, async () => {
      const { out } = await command('get', 'pods', '-n', 'crowd', '-o', 'json');
      const { items } = JSON.parse(out) as { readonly items: readonly Pod[] };
      return items.filter(({ status }) => status.phase === 'Running').length === PODS && items;
    });
    const uids = pods.map(({ metadata }) => metadata.uid);
    expect(new Set(pods.map(({ status }) => status.podIP)).size).toBe(PODS);
    await until('the memory of each is measured', 60_000, async () => {
      const text = await (await fetch(`${agentUrl}/metrics/cadvisor`)).text();
      const measured = uids.filter((_, index) => text.includes(`namespace="crowd",pod="many-${index}"`));
      return measured.length === PODS;
    });
    // So that what is looked for is there to be found.
    expect(findDebrisOfPods(data.path, uids).length).toBeGreaterThan(PODS * 4);
    expect(await agent.stop()).toBe(0);
    expect(agent.output()).not.toMatch(/"level":"(error|fatal)"/);
    expect(findDebrisOfPods(data.path, uids)).toEqual([]);
  }, 300_000);
});
