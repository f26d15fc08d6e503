import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PodSource } from '../../../../src/agent/sources/pod-source.ts';
import { eventually } from '../../../support/eventually.ts';
import { createTestPodmanSource } from '../../../support/podman-source.ts';

const STARTED = '2026-01-01T00:00:11Z';
const inspection = (name: string) => ({
  Id: name,
  Name: name,
  Image: 'i11',
  ImageName: 'localhost/cart:1',
  RestartCount: 0,
  State: { Status: 'running', Running: true, Pid: 0, StartedAt: STARTED, FinishedAt: '0001-01-01T00:00:00Z' },
  Config: { Cmd: ['serve'], Env: [], Labels: null },
  HostConfig: { Memory: 0, NanoCpus: 0 },
});
const listed = (name: string) => ({
  Id: name,
  Names: [name],
  State: 'running',
  IsInfra: false,
  StartedAt: Date.parse(STARTED) / 1000,
  ExitedAt: -1,
});

/** A Podman of containers outside pods that answers as it is told. */
interface Answers {
  version: string;
  containers: readonly string[];
  /** Of an inspection; 200 when left out. */
  status: Readonly<Record<string, number>>;
}

describe('the source beside a Podman in trouble', () => {
  let folder: string;
  let socket: string;
  let server: Server | undefined;
  let source: PodSource;
  let answers: Answers;
  let told: string[];
  const streams = new Set<ServerResponse>();

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'podvitals-source-'));
    socket = join(folder, 'podman.sock');
    answers = { version: '4.3.1', containers: ['cart'], status: {} };
    told = [];
    source = createTestPodmanSource({
      sockets: () => [{ path: socket, user: 'maria', named: true }],
      onTrouble: (message, error) => told.push(`${message}: ${(error as { code: string }).code}`),
      onRecovered: (message) => told.push(message),
      onError: (error) => expect.fail(String(error)),
    });
  });
  afterEach(async () => {
    await source.close();
    await end();
    rmSync(folder, { recursive: true, force: true });
  });

  const serve = () =>
    new Promise<void>((resolve) => {
      server = createServer(({ url = '' }, response) => {
        const path = url.replace('/v4.0.0/libpod', '');
        if (path === '/_ping')
          return response.writeHead(200, { 'libpod-api-version': answers.version }).end('OK');
        if (path.startsWith('/events')) return void streams.add(response);
        if (path.startsWith('/containers/json'))
          return response.end(JSON.stringify(answers.containers.map(listed)));
        const name = /^\/containers\/(\w+)\/json/.exec(path)?.[1];
        if (name === undefined) return response.end('[]');
        const status = answers.containers.includes(name) ? (answers.status[name] ?? 200) : 404;
        const body = status === 200 ? inspection(name) : { message: `no ${name}`, response: status };
        return response.writeHead(status).end(JSON.stringify(body));
      });
      server.listen(socket, resolve);
    });
  const end = async () => {
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
    server = undefined;
    streams.clear();
  };
  const names = () => source.views().pods.map(({ ref }) => ref.name);
  const say = (text: string) => {
    for (const stream of streams) stream.write(text);
  };

  it('says once that the socket is missing, and shows its pods when it comes', async () => {
    await source.start();
    await eventually(() => told.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(told).toEqual([`pods of maria's Podman at ${socket} are not seen: PODMAN_SOCKET_MISSING`]);
    await serve();
    await eventually(() => names().length === 1);
    await eventually(() => told.length === 2);
    expect(told[1]).toBe(`pods of maria's Podman at ${socket} are seen again`);
    expect(source.views().pods[0]!.object.metadata.labels).toEqual({ user: 'maria' });
  });

  it('says that Podman is too old', async () => {
    answers.version = '3.4.4';
    await serve();
    await source.start();
    await eventually(() => told.length === 1);
    expect(told[0]).toContain('PODMAN_API_TOO_OLD');
  });

  it('goes on after half an event, and after a break', async () => {
    await serve();
    await source.start();
    await eventually(() => names().length === 1 && streams.size === 1);
    say('{"Type": "contai\n');
    await eventually(() => told.length === 1);
    expect(told[0]).toContain('PODMAN_BAD_ANSWER');
    await end();
    await eventually(() => told.some((message) => message.includes('PODMAN_SOCKET_MISSING')));
    expect(names()).toEqual(['cart']);
    answers.containers = ['cart', 'till'];
    await serve();
    await eventually(() => names().length === 2);
  });

  it('takes no offence at a container that goes while it is read', async () => {
    answers.containers = ['cart', 'ghost'];
    answers.status = { ghost: 500 };
    await serve();
    await source.start();
    await eventually(() => names().includes('cart'));
    answers.containers = ['cart'];
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(names()).toEqual(['cart']);
    expect(told).toEqual([]);
  });

  it('shows a container that came and went unseen by what its events say, and none of Podman’s or podvitals’ own', async () => {
    await serve();
    const died: string[] = [];
    source.onTransition((transition) => {
      if (transition.kind === 'container-died') died.push(`${transition.container} ${transition.exitCode}`);
    });
    await source.start();
    await eventually(() => names().length === 1 && streams.size === 1);
    const now = Date.now() * 1e6;
    const event = (name: string, Action: string, nano: number, more: object = {}) =>
      `${JSON.stringify({ Type: 'container', Action, Actor: { ID: `id${name.replace('-', '')}`, Attributes: { name, image: 'localhost/cart:1', containerExitCode: '4', ...more } }, timeNano: now + nano })}\n`;
    const life = (name: string, more: object = {}) =>
      event(name, 'start', 1e6, more) + event(name, 'died', 2e6, more) + event(name, 'remove', 3e6, more);
    say(life('0123456789ab-infra') + life('ours', { 'io.podvitals.agent': 'a11' }) + life('task'));
    await eventually(() => died.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(died).toEqual(['task 4']);
    expect(names()).toEqual(['cart']);
  });
});
