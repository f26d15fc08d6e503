import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { container, deployment, pod, type Story } from '../agent/pod/harness.ts';
import { type StoryServer, startStoryServer } from '../support/story-server.ts';

const lone = pod({}, 'lone');
let server: StoryServer;
let story: Story;
/** Until when a deletion is waited for. */
let ended: () => Promise<void>;

beforeEach(async () => {
  ended = async () => undefined;
  server = await startStoryServer(({ manager }) => ({
    delete: async (target) => {
      manager.delete({ ...target, request: { by: 'user', message: 'deleted' } });
      await ended();
    },
    logs: async (of, name, _attempt, { tail }) => [
      { at: 0, stream: 'stdout', text: `${of.metadata.labels?.tier ?? 'none'} ${name} ${tail ?? 'all'}` },
    ],
    followLogs: async () => undefined,
  }));
  story = server.story;
  await story.apply(deployment(2), { ...lone, metadata: { ...lone.metadata, labels: { tier: 'test' } } });
});
afterEach(() => server.end());

const podvitals = (...args: readonly string[]) => server.podvitals(...args);
const lines = (text: string) => text.trimEnd().split('\n');
const heads = (text: string) => lines(text)[0]!.split(/\s+/);

describe('get, as kubectl', () => {
  it('selects by labels, and shows them', async () => {
    const { out } = await podvitals('get', 'pods', '-n', 'shop', '-l', 'tier in (test),!x', '--show-labels');
    expect(heads(out)).toEqual(['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE', 'LABELS']);
    expect(lines(out)).toHaveLength(2);
    expect(lines(out)[1]).toMatch(/^lone .* tier=test$/);
  });

  it('prints several kinds after each other, each name with its kind', async () => {
    const { out } = await podvitals('get', 'deploy,rs', '-n', 'shop');
    expect(out).toMatch(/^NAME [^\n]*\ndeployment\.apps\/web [^\n]*\n\nNAME [^\n]*\nreplicaset\.apps\/web-/);
    const all = await podvitals('get', 'all', '-n', 'shop', '-o', 'name');
    expect(lines(all.out)).toEqual([
      expect.stringMatching(/^pod\//),
      expect.stringMatching(/^pod\//),
      expect.stringMatching(/^pod\//),
      'deployment.apps/web',
      expect.stringMatching(/^replicaset\.apps\/web-/),
    ]);
  });

  it('takes back every name it prints', async () => {
    const names = lines((await podvitals('get', 'all', '-n', 'shop', '-o', 'name')).out);
    const { code, out } = await podvitals('get', ...names, '-n', 'shop', '-o', 'json');
    expect(code).toBe(0);
    const list = JSON.parse(out);
    expect(list).toMatchObject({ apiVersion: 'v1', kind: 'List' });
    expect(list.items.map(({ kind }: { kind: string }) => kind)).toEqual([
      'Pod',
      'Pod',
      'Pod',
      'Deployment',
      'ReplicaSet',
    ]);
  });

  it('one name gives the object itself, several names one list of it', async () => {
    expect(JSON.parse((await podvitals('get', 'pod', 'lone', '-n', 'shop', '-o', 'json')).out)).toMatchObject(
      {
        kind: 'Pod',
        metadata: { name: 'lone' },
      },
    );
    const { out } = await podvitals('get', 'pod', 'lone', 'lone', '-n', 'shop', '-o', 'json');
    expect(JSON.parse(out).items).toHaveLength(2);
  });

  it('prints fields that a template names, exactly, for programs', async () => {
    const all = '{range .items[*]}{.kind}/{.metadata.name}{"\\n"}{end}';
    expect((await podvitals('get', 'deploy', '-n', 'shop', '-o', `jsonpath=${all}`)).out).toBe(
      'Deployment/web\n',
    );
    const name = '{.metadata.name}';
    expect((await podvitals('get', 'pod', 'lone', '-n', 'shop', `-o=jsonpath=${name}`)).out).toBe('lone');
    const asJson = await podvitals('get', 'pod', 'lone', '-n', 'shop', '-o', `jsonpath-as-json=${name}`);
    expect(JSON.parse(asJson.out)).toEqual(['lone']);
  });

  it('prints columns of its own, in the order of a field, with and without heads', async () => {
    const columns = 'custom-columns=NAME:.metadata.name,TIER:metadata.labels.tier';
    const { out } = await podvitals(
      'get',
      'pods',
      '-n',
      'shop',
      '-o',
      columns,
      '--sort-by=.metadata.labels.tier',
    );
    expect(heads(out)).toEqual(['NAME', 'TIER']);
    expect(lines(out).map((line) => line.split(/\s+/)[1])).toEqual(['TIER', '<none>', '<none>', 'test']);
    const bare = await podvitals('get', 'pod', 'lone', '-n', 'shop', '--no-headers');
    expect(lines(bare.out)).toEqual([expect.stringMatching(/^lone /)]);
  });

  it('shows the template of a revision, and the object that keeps it', async () => {
    const history = ['rollout', 'history', 'deploy/web', '-n', 'shop'];
    expect((await podvitals(...history)).out).toBe(
      'deployment.apps/web\nREVISION   CHANGE-CAUSE\n1          <none>\n',
    );
    const { out } = await podvitals(...history, '--revision=1');
    expect(lines(out).slice(0, 3)).toEqual([
      'deployment.apps/web with revision #1',
      'Pod Template:',
      '  Labels:       app.kubernetes.io/name=web',
    ]);
    expect(out).toMatch(/ {3}app:\n {5}Image: +host\n {5}Command: +node app\.mjs\n/);
    const kept = await podvitals(...history, '--revision=1', '-o', 'jsonpath={.kind} {.spec.replicas}');
    expect(kept.out).toBe('ReplicaSet 2');
  });

  it.each([
    [['get', 'pods', '-o', 'table'], 2, /Allowed choices are json, yaml, wide, name/],
    [['get', 'pods', '-o', 'jsonpath={.items'], 2, /jsonpath: it ends in the middle of a path/],
    [['get', 'pods', '-o', 'custom-columns=NAME'], 2, /"NAME" is no column; write HEAD:\.PATH/],
    [
      ['rollout', 'history', 'deploy/web', '-n', 'shop', '--revision', '9'],
      1,
      /specified revision 9 .*; kept: 1/,
    ],
    [['get', 'pods', 'deploy/web'], 2, /write either KIND NAME… or KIND\/NAME…/],
    [['get', 'pod/lone', 'web'], 2, /"web" is no KIND\/NAME/],
    [['get', 'pods,unicorns'], 2, /no resource "unicorns" here/],
    [['get', 'deployments.batch'], 2, /no resource "deployments.batch" here/],
    [['get', 'pods', 'lone', '-l', 'a=b'], 2, /either names or --selector/],
    [['get', 'pods', '-l', 'a in (b'], 1, /labelSelector: "a in \(b" is no condition/],
    [['get', 'pods', 'none', '-n', 'shop'], 1, /pods "none" not found in namespace shop/],
  ])('%j ends with %i and says why, once', async (args, code, why) => {
    const answer = await podvitals(...args);
    expect(answer).toMatchObject({ code, out: '', err: expect.stringMatching(why) });
    expect(answer.err.match(new RegExp(why.source, 'g'))).toHaveLength(1);
  });
});

it('delete ends what a selector selects, and nothing else', async () => {
  const { code, out } = await podvitals('delete', 'pods', '-n', 'shop', '-l', 'tier=test', '--no-wait');
  expect({ code, out }).toEqual({ code: 0, out: 'pod "shop/lone" deleted\n' });
  const none = await podvitals('delete', 'pods', '-n', 'shop');
  expect(none).toMatchObject({ code: 2, err: expect.stringContaining('or say --selector or --all') });
});

it('delete waits for the end of all at once, tells what is not there, and fails for that', async () => {
  const all = Promise.withResolvers<void>();
  let begun = 0;
  ended = () => {
    begun += 1;
    if (begun === 3) all.resolve();
    return all.promise;
  };
  const pods = lines((await podvitals('get', 'pods', '-n', 'shop', '-o', 'name')).out);
  const names = [...pods.map((name) => name.slice('pod/'.length)), 'nobody', 'none'];
  const { code, out, err } = await podvitals('delete', 'pod', ...names, '-n', 'shop');
  expect({ begun, code }).toEqual({ begun: 3, code: 1 });
  expect(lines(out)).toHaveLength(3);
  expect(err).toMatch(/pods? "none" not found.*\n.*pods? "nobody" not found/i);
});

describe('logs of all pods with some labels', () => {
  it('are the last lines of each, and say whose they are where asked', async () => {
    const { out } = await podvitals('logs', '-n', 'shop', '-l', 'tier=test', '--prefix');
    expect(out).toBe('[pod/lone/app] test app 10\n');
    expect((await podvitals('logs', '-l', 'tier=test', '--tail', '3')).out).toBe('test app 3\n');
    expect((await podvitals('logs', 'shop/lone')).out).toBe('test app all\n');
  });

  it.each([
    [['logs'], 2, /name a pod, or write --selector/],
    [['logs', 'lone', '-l', 'tier=test'], 2, /name a pod, or write --selector/],
    [['logs', '-l', 'tier=none'], 1, /no pods have the labels tier=none/],
    [
      ['logs', '-f', '-l', 'tier!=none', '--max-log-requests', '2'],
      2,
      /3 logs would be followed, and at most 2/,
    ],
  ])('%j ends with %i and says why', async (args, code, why) => {
    expect(await podvitals(...args)).toMatchObject({ code, err: expect.stringMatching(why) });
  });
});

describe('get pods', () => {
  it('counts sidecars among what is ready', async () => {
    await story.apply(
      pod({ initContainers: [container('proxy', { restartPolicy: 'Always' }), container('once')] }, 'two'),
    );
    await story.advance(1);
    const { out } = await podvitals('get', 'pods', 'two', '-n', 'shop');
    expect(lines(out)[1]).toMatch(/^two +1\/2 +Init:/);
  });
});

describe('commands for many pods', () => {
  const foreign = {
    ...pod({}, 'theirs'),
    metadata: { name: 'theirs', namespace: 'shop', annotations: { 'podvitals.dev/source': 'podman' } },
  };
  it('leave those alone that Podman runs by itself, unless they are meant', async () => {
    await story.apply(foreign);
    await story.advance(1);
    const names = async () =>
      (await podvitals('get', 'pods', '-n', 'shop', '-o', 'name')).out.match(/lone|theirs/g);
    const first = await podvitals('delete', 'pods', '-n', 'shop', '-l', 'tier=test');
    expect(first).toMatchObject({ code: 0, err: '' });
    const all = await podvitals('delete', 'pods', '-n', 'shop', '--all');
    expect(all.err).toBe(
      'podvitals: 1 pod that Podman runs by itself is left alone; --foreign means them too\n',
    );
    await story.advance(60);
    expect(await names()).toEqual(['theirs']);
    expect((await podvitals('delete', 'pods', '-n', 'shop', '--all', '--foreign')).err).toBe('');
    await story.advance(60);
    expect(await names()).toBeNull();
  });
});
