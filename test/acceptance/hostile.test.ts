import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Marked } from 'marked';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/main.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { snappyDecode } from '../../src/wire/prometheus/snappy.ts';
import { openBrowser, type TestBrowser } from '../support/browser.ts';
import { ATTACK, type Target } from '../support/hostile-page.ts';
import {
  CRASHING,
  ENV_SECRET,
  MARKER,
  NAMESPACE,
  PLACED_SECRETS,
  SECRETS,
  STEADY,
  writeHostilePods,
} from '../support/hostile-pods.ts';
import { missing, notRoot } from '../support/parts.ts';
import {
  freePorts,
  type Podvitals,
  type Ports,
  startPodvitals,
  temporaryDataDir,
  until,
} from '../support/podvitals.ts';

const SECRET_TEXTS = [ENV_SECRET, ...Object.values(PLACED_SECRETS), ...SECRETS.map(([, secret]) => secret)];
// All that a terminal acts on or reorders; tabs and line ends are no harm.
const RAW_CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

const secretsIn = (text: string) => SECRET_TEXTS.filter((secret) => text.includes(secret));

/** A server that keeps what is posted to it. */
async function catchPosts(contentType: string) {
  const bodies: Buffer[] = [];
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces);
    bodies.push(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
    response.setHeader('content-type', contentType);
    response.end();
  });
  const port = await listen(server);
  return { url: `http://127.0.0.1:${port}`, bodies, close: () => server.close() };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Chromium gives a page up when links of the machine change, as they do when pods come. */
const visit = (page: Page, url: string) =>
  until(`${url} is there`, 20_000, async () => (await page.goto(url)) ?? undefined);

describe.skipIf(notRoot() || missing('chromium'))('hostile pods', () => {
  const folder = temporaryDataDir();
  const manifests = temporaryDataDir();
  let podvitals: Podvitals;
  let ports: Ports;
  let webhook: Awaited<ReturnType<typeof catchPosts>>;
  let backend: Awaited<ReturnType<typeof catchPosts>>;
  let store: Awaited<ReturnType<typeof catchPosts>>;
  let browser: TestBrowser;

  const whyOf = (name: string) => podvitals.json<{ verdict: Verdict }>(`/api/pods/${NAMESPACE}/${name}/why`);
  const paths = () => [
    '/api/pods',
    '/api/events',
    '/api/incidents',
    '/api/v1/alerts',
    '/api/v1/rules',
    '/api/v1/series?match[]={namespace="constructor"}',
    ...[...CRASHING, STEADY].flatMap((name) => {
      const pod = `/api/pods/${NAMESPACE}/${name}`;
      return [pod, `${pod}/why`, `${pod}/lives`, `${pod}/logs`, `${pod}/logs?previous=true`, `${pod}/events`];
    }),
  ];
  const runbookPath = (name: string, extension = '') =>
    `/runbooks/PodCrashLooping${extension}?namespace=${NAMESPACE}&pod=${name}&container=constructor`;

  beforeAll(async () => {
    webhook = await catchPosts('text/plain');
    backend = await catchPosts('application/x-protobuf');
    store = await catchPosts('text/plain');
    ports = await freePorts();
    podvitals = await startPodvitals({
      dataDir: folder.path,
      ports,
      files: [writeHostilePods(manifests.path)],
      flags: ['--webhook', webhook.url, '--remote-write-url', `${store.url}/write`],
      agent: { backOff: { base: '1s', cap: '2s' } },
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: backend.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
        OTEL_BSP_SCHEDULE_DELAY: '500',
      },
    });
    browser = await openBrowser({}, ['--host-resolver-rules=MAP evil.example 127.0.0.1']);
    await until('every crash has a cause', 90_000, async () => {
      const verdicts = await Promise.all(CRASHING.map(whyOf));
      return verdicts.every(({ verdict }) => verdict.cause !== 'None' && verdict.evidence.length > 0);
    });
    await until('an alert was sent', 60_000, () =>
      webhook.bodies.some((body) => body.includes('PodCrashLooping')),
    );
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await podvitals?.stop();
    webhook?.close();
    backend?.close();
    store?.close();
    folder.remove();
    manifests.remove();
  }, 60_000);

  describe('in a browser', () => {
    it.each([
      ['the list of pods', '/'],
      ['the page of a pod that crashes', `/pods/${NAMESPACE}/constructor`],
      ['the page of another that crashes', `/pods/${NAMESPACE}/true`],
      ['the page of a pod that talks', `/pods/${NAMESPACE}/${STEADY}`],
      ['the alerts', '/alerts'],
      ['a runbook', runbookPath('constructor')],
      ['another runbook', runbookPath('0x0')],
    ])(
      '%s shows text as text: nothing runs, nothing is added, nothing foreign is loaded',
      async (_what, path) => {
        const page = await browser.context.newPage();
        const complaints: string[] = [];
        page.on('pageerror', (error) => complaints.push(String(error)));
        page.on('dialog', (dialog) => complaints.push(`a dialog: ${dialog.message()}`));
        page.on('request', (request) => {
          if (new URL(request.url()).origin !== podvitals.url) complaints.push(request.url());
        });
        await visit(page, podvitals.url + path);
        await page.getByText('constructor').first().waitFor();
        if (path.startsWith('/pods') && !path.endsWith(STEADY))
          await page.getByText(/pwned/).first().waitFor();
        const found = (await page.evaluate(`({
        pwned: window.pwned,
        injected: document.querySelectorAll('[data-pwned], svg[onload], img[src="x"], [href^="javascript:"]').length,
        foreign: [...document.querySelectorAll('[href], [src]')].filter((element) => new URL(element.href?.baseVal ?? element.href ?? element.src, location).origin !== location.origin).length,
        inline: [...document.scripts].filter((script) => !script.src).length,
        text: document.documentElement.outerHTML,
      })`)) as { text: string };
        const { text, ...rest } = found;
        expect(rest).toEqual({ pwned: undefined, injected: 0, foreign: 0, inline: 0 });
        expect(text).not.toMatch(RAW_CONTROL);
        expect(secretsIn(text)).toEqual([]);
        expect(complaints).toEqual([]);
        await page.close();
      },
    );
  });

  it('are only text in runbooks as Markdown', async () => {
    for (const name of CRASHING) {
      const markdown = await podvitals.text(runbookPath(name, '.md'));
      expect(markdown).toContain(NAMESPACE);
      expect(markdown).not.toMatch(RAW_CONTROL);
      const headings = new Marked().lexer(markdown).filter((token) => token.type === 'heading');
      expect(headings.map((heading) => heading.raw).join('')).not.toContain('Pwned');
      expect(secretsIn(markdown)).toEqual([]);
    }
  });

  it('send nothing to a terminal that it would act on', async () => {
    const name = (pod: string) => `${NAMESPACE}/${pod}`;
    const commands = [
      ['get', 'pods', '-A'],
      ['get', 'pods', '-n', NAMESPACE, '-o', 'json'],
      ['get', 'pods', '-n', NAMESPACE, '-o', 'yaml'],
      ['get', 'pods', '-o', 'wide'],
      ['events'],
      ['events', '-o', 'json'],
      ['query', '{namespace="constructor"}'],
      ...[...CRASHING, STEADY].flatMap((pod) => [
        ['describe', 'pod', name(pod)],
        ['logs', name(pod)],
        ['logs', name(pod), '--previous'],
        ['why', name(pod)],
        ['why', name(pod), '-o', 'json'],
      ]),
    ];
    let all = '';
    for (const command of commands) {
      let printed = '';
      const print = (text: string) => {
        printed += text;
      };
      await run(command, {
        out: print,
        err: print,
        env: { PODVITALS_DATA_DIR: podvitals.dataDir, PODVITALS_SERVER: podvitals.url },
        isTty: true,
      });
      // The colours of our own headings.
      const plain = printed.replace(/\u001b\[(?:1|2|22|3[0-9])m/g, '');
      expect(RAW_CONTROL.exec(plain)?.[0], command.join(' ')).toBeUndefined();
      all += printed;
    }
    expect(all).toContain(MARKER);
    expect(all).toContain('\\x1b[2J');
  });

  it('get no say in the commands we suggest', async () => {
    const stubs = join(folder.path, 'stubs');
    const said = join(folder.path, 'said-by-stubs');
    mkdirSync(stubs);
    for (const stub of ['podvitals', 'kubectl', 'podman', 'curl', 'journalctl', 'dmesg', 'ss', 'nsenter']) {
      writeFileSync(
        join(stubs, stub),
        `#!/bin/sh\nfor word; do printf '[%s]' "$word" >>'${said}'; done; echo >>'${said}'\n`,
      );
      chmodSync(join(stubs, stub), 0o755);
    }
    const commands: string[] = [];
    for (const name of CRASHING) {
      commands.push(...(await whyOf(name)).verdict.next.map(({ command }) => command));
      const markdown = await podvitals.text(runbookPath(name, '.md'));
      commands.push(...[...markdown.matchAll(/^(`{3,})sh\n([\s\S]*?)\n\1$/gm)].map((match) => match[2]!));
    }
    expect(commands.length).toBeGreaterThan(CRASHING.length);
    const empty = join(folder.path, 'empty');
    mkdirSync(empty);
    for (const command of commands) {
      expect(command).not.toMatch(RAW_CONTROL);
      spawnSync('/bin/sh', ['-c', command], { cwd: empty, env: { PATH: `${stubs}:/usr/bin:/bin` } });
      expect(existsSync(join(empty, 'pwned')), command).toBe(false);
    }
    expect(readdirSync(empty)).toEqual([]);
    expect(readFileSync(said, 'utf8')).toContain('[constructor/constructor]');
  });

  it('are data in JSON, which no browser takes for a page', async () => {
    for (const path of paths()) {
      const response = await fetch(podvitals.url + path);
      expect(response.headers.get('content-type'), path).toMatch(/^(application\/json|text\/plain)/);
      expect(response.headers.get('x-content-type-options'), path).toBe('nosniff');
      const text = await response.text();
      if (response.headers.get('content-type')!.startsWith('application/json')) JSON.parse(text);
    }
  });

  it('are data in what webhooks get', () => {
    for (const body of webhook.bodies) {
      const message = JSON.parse(body.toString('utf8')) as { version: string; alerts: { labels: object }[] };
      expect(message.version).toBe('4');
      expect(message.alerts.length).toBeGreaterThan(0);
      expect(secretsIn(body.toString('utf8'))).toEqual([]);
    }
  });

  it('leave their secrets in the agent: not in the API, the store, or what is sent', async () => {
    const leaks: string[] = [];
    const look = (where: string, text: string) =>
      leaks.push(...secretsIn(text).map((secret) => `${where}: ${secret}`));
    let api = '';
    for (const path of paths()) {
      const text = await (await fetch(podvitals.url + path)).text();
      look(path, text);
      api += text;
    }
    const { items: incidents } = await podvitals.json<{ items: readonly { readonly id: string }[] }>(
      '/api/incidents',
    );
    expect(incidents).not.toEqual([]);
    for (const { id } of incidents)
      look('postmortem', await podvitals.text(`/api/incidents/${encodeURIComponent(id)}/postmortem`));
    const written = store.bodies.map((body) =>
      Buffer.from(snappyDecode(body, 64 * 2 ** 20)).toString('latin1'),
    );
    expect(written.join('')).toContain(STEADY);
    look('remote write', written.join(''));
    for (const file of readdirSync(folder.path).filter((name) => name.startsWith('collector.db')))
      look(file, readFileSync(join(folder.path, file)).toString('latin1'));
    const sent = Buffer.concat(backend.bodies).toString('latin1');
    look('OTLP, traces among it', sent);
    expect(sent).toContain('pod startup');
    look('output', podvitals.output());
    expect(leaks).toEqual([]);
    expect(SECRETS.length).toBeGreaterThanOrEqual(20);
    // The same places hold what is no secret: it was looked at.
    expect(api).toContain(MARKER);
    expect(api).toContain('I recite [redacted]');
    expect(sent).toContain(MARKER);
  });

  describe('a page of another origin', () => {
    let elsewhere: Server;
    let port: number;
    beforeAll(async () => {
      elsewhere = createServer((_request, response) => {
        response.setHeader('content-type', 'text/html');
        response.end('<!doctype html><title>hostile</title><body>');
      });
      port = await listen(elsewhere);
    });
    afterAll(() => elsewhere?.close());

    // What the agent sends as metrics, in the name of another node of as many letters.
    const metricsOf = (node: string) =>
      Buffer.from(
        backend.bodies
          .find((body) => body.includes('podvitals.agent') || body.includes('podvitals_agent'))!
          .toString('latin1')
          .replaceAll('test-node', node),
        'latin1',
      );
    const nodesSeen = async () => {
      const { data } = await podvitals.json<{ data: string[] }>('/api/v1/label/node/values');
      return data;
    };
    const targets = (): Target[] => {
      const attack = {
        body: metricsOf('evil-node').toString('base64'),
        contentType: 'application/x-protobuf',
      };
      return [
        {
          url: podvitals.url,
          read: '/api/pods',
          change: '/v1/metrics',
          watch: '/api/events?watch=1',
          ...attack,
        },
        { url: podvitals.agentUrl, read: '/metrics', change: '/apply', watch: '/watch', ...attack },
        {
          url: `http://127.0.0.1:${ports.otlpHttp}`,
          read: '/-/healthy',
          change: '/v1/metrics',
          watch: '/v1/logs',
          ...attack,
        },
      ];
    };

    it.each([
      ['another port of this address', '127.0.0.1'],
      ['another name for this machine', 'localhost'],
      ['another site', 'evil.example'],
    ])('of %s changes nothing and reads nothing', async (_where, host) => {
      const page = await browser.context.newPage();
      await visit(page, `http://${host}:${port}/`);
      for (const target of targets()) {
        const seen = (await page.evaluate(`(${ATTACK})(${JSON.stringify(target)})`)) as string[];
        expect(seen).toHaveLength(11);
        const got = seen.filter((line) => !/: (nothing|opaque|sent|empty)$/.test(line));
        expect(got, target.url).toEqual([]);
      }
      await page.close();
      expect(await nodesSeen()).not.toContain('evil-node');
    });

    it('that makes its own name point to us is refused everywhere', async () => {
      for (const { url, read } of targets()) {
        const page = await browser.context.newPage();
        const answer = await visit(page, `http://evil.example:${new URL(url).port}${read}`);
        expect(answer.status(), url).toBe(403);
        expect(await page.textContent('body')).toMatch(/Host header/);
        await page.close();
      }
    });

    it('would have been heard had it been no page', async () => {
      const response = await fetch(`http://127.0.0.1:${ports.otlpHttp}/v1/metrics`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body: new Uint8Array(metricsOf('good-node')),
      });
      expect(response.status).toBe(200);
      await until('the other node is known', 20_000, async () => (await nodesSeen()).includes('good-node'));
    });
  });

  it('run beside a control socket that only its owner opens', () => {
    const socket = join(folder.path, 'agent.sock');
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    expect(statSync(folder.path).mode & 0o777).toBe(0o700);
    const ask = `require('node:net').connect(${JSON.stringify(socket)}).on('connect', () => process.exit(0)).on('error', (error) => { console.log(error.code); process.exit(1); })`;
    const as = (uid: number) =>
      spawnSync(
        'setpriv',
        [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', process.execPath, '-e', ask],
        {
          encoding: 'utf8',
        },
      );
    expect(as(0)).toMatchObject({ status: 0 });
    // Not even where the folder lets others in.
    chmodSync(folder.path, 0o755);
    expect(as(65_534)).toMatchObject({ status: 1, stdout: 'EACCES\n' });
  });
});
