import { afterEach, describe, expect, it } from 'vitest';
import { applyFiles } from '../../src/agent/apply-files.ts';
import { createStory, type Story } from './pod/harness.ts';

let story: Story;
afterEach(() => story.end());

const MANIFEST = `
apiVersion: v1
kind: Service
metadata: {name: front, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: same, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 8080}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  selector: {matchLabels: {app: db}}
  volumeClaimTemplates:
    - {metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: app, command: [sleep, "1000"], volumeMounts: [{name: data, mountPath: /data}]}]}
`;

async function warningsWhere(...notEnforced: readonly string[]): Promise<readonly string[]> {
  story = await createStory();
  const files = [{ path: 'shop.yaml', text: MANIFEST }];
  const enforcement = { level: 'a host', notEnforced };
  return (await applyFiles(story.manager, { learn: () => {} }, enforcement, files, false)).warnings;
}

describe('what a manifest asks for and does not get on this host', () => {
  it('is told, for each object that asks for it', async () => {
    expect(
      await warningsWhere('volumeClaimTemplates.resources.requests.storage', 'Service.spec.ports.targetPort'),
    ).toEqual([
      'shop.yaml: Service shop/front: not enforced on this host (a host): Service.spec.ports.targetPort (its name stands for the pods: connect to their own port)',
      'shop.yaml: StatefulSet shop/db: not enforced on this host (a host): volumeClaimTemplates.resources.requests.storage',
    ]);
  });
  it('is nothing where all is enforced', async () => {
    expect(await warningsWhere()).toEqual([]);
  });
});
