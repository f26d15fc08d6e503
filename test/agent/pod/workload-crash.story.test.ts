import { afterEach, describe, expect, it } from 'vitest';
import type { ManifestObject } from '../../../src/agent/pod/manifest/manifest-object.ts';
import { withJobDefaults } from '../../../src/agent/pod/manifest/workload-defaulting.ts';
import type { Pod } from '../../../src/model/kubernetes.ts';
import type { Deployment, Job, StatefulSet } from '../../../src/model/kubernetes-workload.ts';
import { container, createStory, deployment, type Story, seededRandom } from './harness.ts';

let story: Story;
afterEach(() => story.end());

const readinessProbe = { exec: { command: ['true'] }, initialDelaySeconds: 1, periodSeconds: 1 };
const app = (word: string) => container('app', { args: [word], readinessProbe });
const web = (word: string) => deployment(3, { containers: [app(word)] });
const db = (word: string): ManifestObject => ({
  file: 'shop.yaml',
  kind: 'StatefulSet',
  metadata: { name: 'db', namespace: 'shop' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'db' } },
    template: { metadata: { labels: { app: 'db' } }, spec: { containers: [app(word)] } },
  },
});
const load: ManifestObject = {
  file: 'shop.yaml',
  kind: 'Job',
  metadata: { name: 'load', namespace: 'shop' },
  spec: withJobDefaults({
    completions: 6,
    parallelism: 2,
    template: { spec: { restartPolicy: 'Never', containers: [container('task')] } },
  }),
};

const CRASHES = 3;

describe('an agent that dies again and again while workloads change', () => {
  for (let seed = 9; seed <= 20; seed += 1) {
    it(`comes to the state that was asked for, and counts each pod once (seed ${seed})`, async () => {
      const random = seededRandom(seed);
      story = await createStory({
        writeMs: 7,
        random,
        lives: { app: () => ({ stopMs: 800, stopExitCode: 0 }), task: () => ({ runsMs: 3000 }) },
      });
      await story.apply(web('v1'), db('v1'), load);
      await story.advance(random() * 6);
      await story.apply(web('v2'), db('v2'));
      for (let crash = 0; crash < CRASHES; crash += 1) {
        // Now in the middle of a write, now seconds later.
        await story.advance(random() < 0.5 ? random() * 0.05 : random() * 4);
        await story.sigkill(random() * 2);
      }
      await story.advance(90);

      const pods = story.manager.list('Pod', 'shop') as readonly Pod[];
      const apps = pods.filter(({ spec }) => spec.containers[0]?.name === 'app');
      expect(apps.map(({ spec }) => spec.containers[0]?.args?.[0])).toEqual(Array(5).fill('v2'));
      const deployed = story.manager.get('Deployment', 'shop', 'web') as Deployment;
      expect(deployed.status).toMatchObject({ replicas: 3, updatedReplicas: 3, availableReplicas: 3 });
      const set = story.manager.get('StatefulSet', 'shop', 'db') as StatefulSet;
      expect(set.status).toMatchObject({ replicas: 2, updatedReplicas: 2, readyReplicas: 2 });
      const job = story.manager.get('Job', 'shop', 'load') as Job;
      expect(job.status).toMatchObject({ succeeded: 6, failed: 0, active: 0 });
      expect(pods.filter(({ metadata }) => metadata.labels?.['job-name'] === 'load')).toHaveLength(6);
      expect(story.runtime.running()).toHaveLength(5);
      expect(story.transitions.filter((one) => one.kind === 'container-died' && one.unrequested)).toEqual([]);
    });
  }
});
