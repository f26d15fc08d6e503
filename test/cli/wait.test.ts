// Source: kubectl/pkg/cmd/wait (wait.go, condition.go, json.go, delete.go) and
// https://kubernetes.io/docs/reference/kubectl/generated/kubectl_wait/
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { meets, type ObjectCondition, parseWaitCondition } from '../../src/cli/wait-condition.ts';
import type { KubernetesObject } from '../../src/model/kubernetes-object.ts';
import { container, deployment, pod, type Story } from '../agent/pod/harness.ts';
import { type StoryServer, startStoryServer } from '../support/story-server.ts';

describe('what is waited for', () => {
  const isMet = (text: string, object: object) =>
    meets(parseWaitCondition(text) as ObjectCondition, object as KubernetesObject);
  const ready = (status: string, generation = 1) => ({
    metadata: { generation: 2 },
    status: { observedGeneration: generation, conditions: [{ type: 'Ready', status }], phase: 'Running' },
  });

  it('is a condition that is true, or what it is to be, however it is written', () => {
    expect(isMet('condition=Ready', ready('True', 2))).toBe(true);
    expect(isMet('condition=ready', ready('True', 2))).toBe(true);
    expect(isMet('condition=Ready', ready('False', 2))).toBe(false);
    expect(isMet('condition=Ready=false', ready('False', 2))).toBe(true);
    expect(isMet('condition=Available', ready('True', 2))).toBe(false);
    expect(isMet('condition=Ready', { metadata: {} })).toBe(false);
  });

  it('is not a condition of before the object was changed', () => {
    expect(isMet('condition=Ready', ready('True', 1))).toBe(false);
  });

  it('is a field, whatever it says or what it is to say; a filter has == of its own', () => {
    expect(isMet('jsonpath={.status.phase}', ready('True'))).toBe(true);
    expect(isMet("jsonpath='{.status.phase}'=Running".replaceAll("'", ''), ready('True'))).toBe(true);
    expect(isMet('jsonpath=.status.phase="Running"', ready('True'))).toBe(true);
    expect(isMet('jsonpath={.status.phase}=Failed', ready('True'))).toBe(false);
    expect(isMet('jsonpath={.status.observedGeneration}=2', ready('True', 2))).toBe(true);
    expect(isMet('jsonpath={.status.nothing}', ready('True'))).toBe(false);
    const filter = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}';
    expect(isMet(`${filter}=True`, ready('True'))).toBe(true);
    expect(isMet(`${filter}=True`, ready('False'))).toBe(false);
  });

  it('is told where it cannot be decided, or is nothing that there is', () => {
    expect(() => isMet('jsonpath={.status}=1', ready('True'))).toThrow('nested object or list');
    expect(() => isMet('jsonpath={.status.conditions[0].*}', ready('True'))).toThrow('more than one value');
    expect(() => parseWaitCondition('ready')).toThrow('unrecognized condition: "ready"');
    expect(() => parseWaitCondition('jsonpath={.a}=')).toThrow('has to have a value');
    expect(() => parseWaitCondition('jsonpath={.a}=1=2')).toThrow('format must be');
  });
});

describe('wait, as kubectl', () => {
  let server: StoryServer;
  let story: Story;
  beforeEach(async () => {
    server = await startStoryServer();
    story = server.story;
  });
  afterEach(() => server.end());

  const wait = (...args: readonly string[]) => server.podvitals('wait', '-n', 'shop', ...args);
  const slow = (name: string) => {
    const readinessProbe = { exec: { command: ['true'] }, initialDelaySeconds: 20, periodSeconds: 1 };
    return pod({ containers: [container('app', { readinessProbe })] }, name);
  };
  const remove = (name: string) =>
    story.manager.delete({ kind: 'Pod', namespace: 'shop', name, request: { by: 'user', message: '' } });

  it('returns at once for what is so already', async () => {
    await story.apply(pod(), deployment(2));
    await story.advance(5);
    expect(await wait('pod/cart', 'deploy/web', '--for=condition=Ready', '--timeout=0')).toEqual({
      code: 1,
      out: 'pod/cart condition met\n',
      err: 'podvitals: condition not met for deployments/web\n',
    });
    expect(await wait('deploy', 'web', '--for=condition=Available')).toEqual({
      code: 0,
      out: 'deployment.apps/web condition met\n',
      err: '',
    });
  });

  it('waits for a condition to become so', async () => {
    await story.apply(slow('cart'));
    await story.advance(1);
    const waiting = wait(
      'pod',
      'cart',
      '--for=condition=Ready',
      '--for=jsonpath={.status.phase}=Running',
      '--timeout=-1s',
    );
    await story.advance(30);
    expect(await waiting).toEqual({
      code: 0,
      out: 'pod/cart condition met\npod/cart condition met\n',
      err: '',
    });
  });

  it('gives up in time, and says on whom', async () => {
    await story.apply(slow('cart'), slow('till'));
    await story.advance(1);
    expect(await wait('pods', '--all', '--for=condition=Ready', '--timeout=300ms')).toEqual({
      code: 1,
      out: '',
      err:
        'podvitals: timed out waiting for the condition on pods/cart\n' +
        'podvitals: timed out waiting for the condition on pods/till\n',
    });
  });

  it('waits until what was there is gone; one of the same name is another', async () => {
    await story.apply(pod({}, 'cart'), pod({}, 'till'));
    await story.advance(1);
    const waiting = wait('pod/cart', '--for=delete', '--timeout=-1s');
    const other = wait('pod/till', '--for=delete', '--timeout=600ms');
    remove('cart');
    await story.advance(1);
    await story.apply(pod({}, 'cart'));
    await story.advance(1);
    // Whichever was seen first, the old one or the new one: the latter is waited for no longer than it is there.
    remove('cart');
    await story.advance(1);
    expect(await waiting).toEqual({
      code: 0,
      out: expect.stringMatching(/^(pod\/cart condition met\n)?$/),
      err: '',
    });
    expect(await other).toMatchObject({ code: 1, err: expect.stringContaining('pods/till') });
    expect(await wait('pod/none', '--for=delete')).toEqual({ code: 0, out: '', err: '' });
    expect(await wait('pods', '-l', 'app=none', '--for=delete')).toEqual({ code: 0, out: '', err: '' });
  });

  it('waits for what is not there yet, and then for what it is to be', async () => {
    const waiting = wait('pod/cart', '--for=create', '--for=condition=Ready', '--timeout=-1s');
    const labelled = wait('pods', '-l', 'app.kubernetes.io/name=web', '--for=create', '--timeout=-1s');
    await story.apply(slow('cart'), deployment(1));
    await story.advance(30);
    expect(await waiting).toMatchObject({ code: 0, out: 'pod/cart condition met\npod/cart condition met\n' });
    expect(await labelled).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^pod\/web-\S+ condition met\n$/),
    });
    expect(await wait('pod/late', '--for=create', '--timeout=10ms')).toMatchObject({
      code: 1,
      err: 'podvitals: timed out waiting for the condition on pods/late\n',
    });
  });

  it('takes what a manifest names', async () => {
    await story.apply(pod(), deployment(1));
    await story.advance(5);
    const file = join(server.folder, 'shop.yaml');
    const named = (kind: string, name: string) =>
      `apiVersion: v1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: shop}\n`;
    writeFileSync(file, `${named('Pod', 'cart')}---\n${named('Deployment', 'web')}`);
    expect(await wait('-f', file, '--for=jsonpath={.metadata.name}')).toEqual({
      code: 0,
      out: 'pod/cart condition met\ndeployment.apps/web condition met\n',
      err: '',
    });
    expect(await wait('--for=delete')).toMatchObject({ code: 2, err: expect.stringContaining('-f FILE') });
  });

  it('is no use for what is not there, and says how it is written', async () => {
    expect(await wait('pod/none', '--for=condition=Ready')).toMatchObject({
      code: 1,
      err: expect.stringContaining('pods "none" not found'),
    });
    expect(await wait('pods', '--all', '--for=condition=Ready')).toMatchObject({
      code: 1,
      err: 'podvitals: no matching resources found\n',
    });
    for (const [args, words] of [
      [['pods', '--for=delete'], 'no name was specified'],
      [['pod/cart', '--all', '--for=delete'], 'either names, or'],
      [['pod/cart'], 'say what to wait for'],
      [['pod/cart', '--for=ready'], 'unrecognized condition: "ready"'],
      [['pod/cart', '--for=delete', '--timeout=soon'], 'is no duration'],
      [['pizza/cart', '--for=delete'], 'there is no resource "pizza"'],
    ] as const)
      expect(await wait(...args)).toMatchObject({ code: 2, err: expect.stringContaining(words) });
  });
});
