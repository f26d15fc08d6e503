// Source: kubernetes/pkg/probe/http/http_test.go and tcp_test.go (the behaviour)
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProbeRunner } from '../../../../src/agent/pod/prober/probe-runner.ts';
import { createFakeRuntime, type FakeRuntime } from '../../../../src/agent/pod/runtime/fake.ts';
import type { Probe } from '../../../../src/model/kubernetes.ts';
import { systemClock } from '../../../../src/util/clock.ts';

let server: Server;
let port: number;
let closedPort: number;
let seen: string[] = [];
let runtime: FakeRuntime;
let execResult = {};

const listen = (made: Server) =>
  new Promise<number>((resolve) =>
    made.listen(0, '127.0.0.1', () => resolve((made.address() as AddressInfo).port)),
  );

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(`${request.headers.host} ${request.headers['user-agent']} ${request.headers['x-shop'] ?? ''}`);
    const [, status, location] = /^\/(\d+)(?:\?to=(.*))?$/.exec(request.url!) ?? [];
    if (request.url === '/slow') return;
    response.writeHead(Number(status ?? 200), location ? { location: decodeURIComponent(location) } : {});
    response.end('x'.repeat(request.url === '/large' ? 1_000_000 : 10));
  });
  port = await listen(server);
  const other = createServer();
  closedPort = await listen(other);
  await new Promise((resolve) => other.close(resolve));
  runtime = createFakeRuntime({ clock: systemClock, exec: () => execResult });
  await runtime.runSandbox({
    podUid: 'u',
    namespace: 'shop',
    name: 'cart',
    hostname: 'cart',
    hostNetwork: false,
  });
  await runtime.startContainer({
    podUid: 'u',
    name: 'app',
    init: false,
    attempt: 0,
    image: 'host',
    command: [],
    env: [],
    mounts: [],
  });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  runtime.dispose();
});

const probe = (asked: Probe) =>
  createProbeRunner(runtime, systemClock)(
    asked,
    {
      containerId: 'fake://u/app/0',
      container: { name: 'app', ports: [{ name: 'http', containerPort: port }] },
      ip: '127.0.0.1',
    },
    new AbortController().signal,
  );
const get = (path: string, rest: object = {}) => probe({ httpGet: { path, port: 'http', ...rest } });

describe('an HTTP probe', () => {
  it('succeeds from 200 to 399 and says what it asked', async () => {
    expect(await get('/200')).toEqual({ ok: true, message: '', target: `GET http://127.0.0.1:${port}/200` });
    expect(await get('/399')).toMatchObject({ ok: true });
    expect(await get('large')).toMatchObject({ ok: true });
  });

  it('fails on other statuses in the words of the kubelet', async () => {
    expect(await get('/503')).toMatchObject({ ok: false, message: 'HTTP probe failed with statuscode: 503' });
    expect(await get('/404')).toMatchObject({ ok: false, message: 'HTTP probe failed with statuscode: 404' });
  });

  it('follows redirects on the same host, and takes one to another host for an answer', async () => {
    expect(await get(`/302?to=${encodeURIComponent('/500')}`)).toMatchObject({
      message: 'HTTP probe failed with statuscode: 500',
    });
    expect(await get(`/302?to=${encodeURIComponent('http://192.0.2.1/')}`)).toMatchObject({
      ok: true,
      message: 'Probe terminated redirects',
    });
    expect(await get(`/302?to=${encodeURIComponent('/302?to=/302')}`)).toMatchObject({ ok: true });
  });

  it('sends its headers, the Host header among them', async () => {
    seen = [];
    await get('/200', {
      httpHeaders: [
        { name: 'Host', value: 'cart.shop' },
        { name: 'X-Shop', value: 'yes' },
      ],
    });
    expect(seen).toEqual([expect.stringMatching(/^cart\.shop kube-probe\/\S+ yes$/)]);
  });

  it('fails when it gets no answer in time, or no connection', async () => {
    expect(await probe({ httpGet: { path: '/slow', port }, timeoutSeconds: 0.2 })).toMatchObject({
      ok: false,
      message: `Get "http://127.0.0.1:${port}/slow": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
    });
    expect(await probe({ httpGet: { port: closedPort } })).toMatchObject({
      ok: false,
      message: `Get "http://127.0.0.1:${closedPort}/": dial tcp 127.0.0.1:${closedPort}: connect: connection refused`,
    });
  });
});

describe('a TCP probe', () => {
  it('succeeds when the port opens, and fails when it does not', async () => {
    expect(await probe({ tcpSocket: { port: 'http' } })).toEqual({
      ok: true,
      message: '',
      target: `tcp 127.0.0.1:${port}`,
    });
    expect(await probe({ tcpSocket: { port: closedPort } })).toMatchObject({
      ok: false,
      message: `dial tcp 127.0.0.1:${closedPort}: connect: connection refused`,
    });
  });
});

describe('an exec probe', () => {
  it('goes by the exit code, and shows what the command wrote', async () => {
    execResult = { exitCode: 0, stdout: 'fine\n' };
    expect(await probe({ exec: { command: ['cat', '/tmp/ready'] } })).toEqual({
      ok: true,
      message: 'fine',
      target: 'exec cat /tmp/ready',
    });
    execResult = { exitCode: 1, stderr: 'cat: /tmp/ready: No such file or directory\n' };
    expect(await probe({ exec: { command: ['cat', '/tmp/ready'] } })).toMatchObject({
      ok: false,
      message: 'cat: /tmp/ready: No such file or directory',
    });
  });

  it('fails when it takes too long', async () => {
    execResult = { timedOut: true, exitCode: 137 };
    expect(await probe({ exec: { command: ['sleep', '9'] }, timeoutSeconds: 0.01 })).toMatchObject({
      ok: false,
      message: 'command timed out: "sleep 9" timed out after 0.01s',
    });
  });
});
