// Source: kubernetes/pkg/kubelet/images/image_manager.go and
// https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy
import { afterEach, describe, expect, it } from 'vitest';
import type { PodSpec } from '../../../src/model/kubernetes.ts';
import { container, createStory, pod, type Story } from './harness.ts';

let story: Story;
afterEach(() => story.end());

const MISSING = 'reading manifest 11 in registry.example/shop/cart: manifest unknown';
const image = 'registry.example/shop/cart:11';
const pulls = () => story.runtime.calls.filter((call) => call.startsWith('pull'));
const failures = () => story.log('image-failed').map((line) => Number(line.split(' ')[0]));
const of = (policy: string, rest: Partial<PodSpec> = {}) =>
  pod({ containers: [container('app', { image, imagePullPolicy: policy })], ...rest });

describe('the pull policy of an image', () => {
  it('IfNotPresent pulls once, and says of the second start that it is there', async () => {
    story = await createStory({ lives: { app: [{ runsMs: 1000 }, {}] } });
    await story.apply(of('IfNotPresent'));
    await story.advance(5);
    expect(story.status().restartCount).toBe(1);
    expect(pulls()).toEqual([`pull ${image}`]);
    expect(story.transitions.flatMap((one) => (one.kind === 'image-pulled' ? one.present : []))).toEqual([
      false,
      true,
    ]);
  });

  it('IfNotPresent does not ask the registry for what is there', async () => {
    story = await createStory({ hasImage: () => true, pullError: () => MISSING });
    await story.apply(of('IfNotPresent'));
    expect(story.status()).toMatchObject({ imageID: `fake:${image}`, state: { running: {} } });
    expect(pulls()).toEqual([]);
  });

  it('Always pulls before every start, and does not start what cannot be pulled any more', async () => {
    let gone = false;
    story = await createStory({
      hasImage: () => true,
      pullError: () => (gone ? MISSING : undefined),
      lives: { app: [{ runsMs: 1000 }, {}] },
    });
    await story.apply(of('Always'));
    gone = true;
    await story.advance(2);
    expect(pulls()).toHaveLength(2);
    expect(story.status().state.waiting).toEqual({ reason: 'ErrImagePull', message: MISSING });
  });

  it('Never waits with ErrImageNeverPull until somebody brings the image', async () => {
    let here = false;
    story = await createStory({ hasImage: () => here });
    await story.apply(of('Never'));
    expect(story.status().state.waiting).toEqual({
      reason: 'ErrImageNeverPull',
      message: `Container image "${image}" is not present with pull policy of Never`,
    });
    here = true;
    await story.advance(11);
    expect(story.status().state.running).toBeDefined();
    expect(pulls()).toEqual([]);
  });

  it('never matters for a name that is none', async () => {
    story = await createStory();
    await story.apply(pod({ containers: [container('app', { image: 'Shop/Cart:11' })] }));
    expect(story.status().state.waiting).toEqual({
      reason: 'InvalidImageName',
      message:
        'couldn\'t parse image name "Shop/Cart:11": invalid reference format: repository name must be lowercase',
    });
    await story.advance(60);
    expect(pulls()).toEqual([]);
  });
});

describe('an image that cannot be pulled', () => {
  it('is tried again after 10 s, doubling to 300 s, whatever the back-off of restarts is', async () => {
    const backOff = { baseMs: 1000, capMs: 2000, resetAfterMs: 600_000 };
    story = await createStory({ pullError: () => MISSING, backOff });
    await story.apply(of('IfNotPresent'));
    await story.advance(1300);
    expect(failures()).toEqual([0, 10, 30, 70, 150, 310, 610, 910, 1210]);
  });

  it('says ErrImagePull first, then ImagePullBackOff with the reason in it', async () => {
    story = await createStory({ pullError: () => MISSING });
    await story.apply(of('IfNotPresent'));
    expect(story.status().state.waiting).toEqual({ reason: 'ErrImagePull', message: MISSING });
    await story.advance(6);
    expect(story.status().state.waiting).toEqual({
      reason: 'ImagePullBackOff',
      message: `Back-off pulling image "${image}": ErrImagePull: ${MISSING}`,
    });
  });

  it('is asked for once by containers that share it', async () => {
    story = await createStory({ pullError: () => MISSING });
    const both = ['app', 'twin'].map((name) => container(name, { image }));
    await story.apply(pod({ containers: both }));
    expect(pulls()).toHaveLength(1);
    expect(story.status('twin').state.waiting?.reason).toBe('ImagePullBackOff');
    await story.advance(9);
    expect(pulls()).toHaveLength(1);
  });

  it('waits on through a restart of the agent', async () => {
    story = await createStory({ pullError: () => MISSING });
    await story.apply(of('IfNotPresent'));
    await story.advance(15);
    await story.sigkill();
    await story.advance(60);
    expect(failures()).toEqual([0, 10, 30, 70]);
  });

  it('does not hold up containers with another', async () => {
    story = await createStory({ pullError: (name) => (name === image ? MISSING : undefined) });
    await story.apply(
      pod({ containers: [container('app', { image }), container('web', { image: 'web:1' })] }),
    );
    expect(story.status('web').state.running).toBeDefined();
  });

  it('starts from the beginning once it was pulled', async () => {
    let fails = true;
    story = await createStory({
      pullError: () => (fails ? MISSING : undefined),
      lives: { app: [{ runsMs: 1000 }, {}] },
    });
    await story.apply(of('Always'));
    await story.advance(25);
    fails = false;
    await story.advance(5.5);
    expect(story.log('container-started')).toEqual(['30 container-started']);
    fails = true;
    await story.advance(12);
    expect(failures()).toEqual([0, 10, 31, 41]);
  });
});

describe('imagePullSecrets', () => {
  const secret = (name: string, auths: object) => ({
    file: 'shop.yaml',
    kind: 'Secret' as const,
    metadata: { name, namespace: 'shop' },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
  });
  const asked = { imagePullSecrets: [{ name: 'login' }, { name: 'missing' }] };

  it('are handed to the pull, the closest first, and only those of the registry', async () => {
    story = await createStory();
    const auth = Buffer.from('ann:pa:ss').toString('base64');
    await story.apply(
      secret('login', {
        'registry.example': { auth },
        'https://registry.example/shop/': { username: 'bob', password: 'word' },
        'elsewhere.example': { username: 'eve', password: 'word' },
        'registry.example.evil': { username: 'eve', password: 'word' },
      }),
    );
    await story.apply(of('IfNotPresent', asked));
    expect(pulls()).toEqual([`pull ${image} as bob as ann`]);
  });

  it('of Docker Hub serve images without a registry', async () => {
    story = await createStory();
    await story.apply(secret('login', { 'https://index.docker.io/v1/': { username: 'ann', password: 'p' } }));
    await story.apply(pod({ containers: [container('app', { image: 'shop/cart:1' })], ...asked }));
    expect(pulls()).toEqual(['pull shop/cart:1 as ann']);
  });
});
