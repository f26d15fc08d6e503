import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createNotifier } from '../../../../src/collector/alerting/notifier.ts';
import { webhookReceiver } from '../../../../src/collector/alerting/receivers/webhook.ts';
import { createMemoryStore } from '../../../../src/collector/tsdb/memory-store.ts';
import type { Alert } from '../../../../src/model/alert.ts';
import { toLabels } from '../../../../src/model/labels.ts';
import { createFakeClock, systemClock } from '../../../../src/util/clock.ts';

interface Heard {
  readonly method: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
}

let server: Server;
let url: string;
let heard: Heard[];
let answer: (response: ServerResponse) => void;

beforeEach(async () => {
  heard = [];
  answer = (response) => response.end('ok');
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      heard.push({ method: request.method!, headers: request.headers, body: JSON.parse(text) });
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
});
afterEach(() => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});

const alert = (pod: string, state: Alert['state'] = 'firing'): Alert => ({
  labels: toLabels({
    alertname: 'PodCrashLooping',
    namespace: 'shop',
    workload: 'cart',
    pod,
    severity: 'page',
  }),
  annotations: toLabels({
    summary: 'looping',
    runbook_url: `http://p.example/runbooks/PodCrashLooping?pod=${pod}`,
  }),
  state,
  value: 3,
  activeAt: Date.UTC(2026, 0, 1),
  firedAt: Date.UTC(2026, 0, 1, 0, 1),
  ...(state === 'resolved' ? { resolvedAt: Date.UTC(2026, 0, 1, 1) } : {}),
});
const notification = (...alerts: Alert[]) => ({
  groupKey: '{}:{alertname="PodCrashLooping"}',
  groupLabels: toLabels({ alertname: 'PodCrashLooping' }),
  alerts,
  externalUrl: 'http://p.example',
});
const never = new AbortController().signal;

it("posts Alertmanager's message, version 4", async () => {
  const receiver = webhookReceiver({ url, clock: systemClock });
  expect(await receiver.send(notification(alert('a'), alert('b', 'resolved')), never)).toEqual({ ok: true });
  const labels = { alertname: 'PodCrashLooping', namespace: 'shop', severity: 'page', workload: 'cart' };
  expect(heard).toHaveLength(1);
  expect(heard[0]).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json' } });
  expect(heard[0]!.body).toEqual({
    version: '4',
    groupKey: '{}:{alertname="PodCrashLooping"}',
    truncatedAlerts: 0,
    status: 'firing',
    receiver: receiver.name,
    groupLabels: { alertname: 'PodCrashLooping' },
    commonLabels: labels,
    commonAnnotations: { summary: 'looping' },
    externalURL: 'http://p.example',
    alerts: [
      {
        status: 'firing',
        labels: { ...labels, pod: 'a' },
        annotations: { summary: 'looping', runbook_url: 'http://p.example/runbooks/PodCrashLooping?pod=a' },
        startsAt: '2026-01-01T00:01:00.000Z',
        endsAt: '0001-01-01T00:00:00Z',
        generatorURL: 'http://p.example',
        fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      },
      {
        status: 'resolved',
        labels: { ...labels, pod: 'b' },
        annotations: { summary: 'looping', runbook_url: 'http://p.example/runbooks/PodCrashLooping?pod=b' },
        startsAt: '2026-01-01T00:01:00.000Z',
        endsAt: '2026-01-01T01:00:00.000Z',
        generatorURL: 'http://p.example',
        fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      },
    ],
  });
});

it('counts the alerts that are too many for one request', async () => {
  const alerts = Array.from({ length: 501 }, (_, index) => alert(`p${index}`));
  await webhookReceiver({ url, clock: systemClock }).send(notification(...alerts), never);
  expect(heard[0]!.body).toMatchObject({ truncatedAlerts: 1 });
  expect(heard[0]!.body.alerts).toHaveLength(500);
});

it('sends a user and password as basic authentication, and names itself without them or the path', async () => {
  const secret = url.replace('http://', 'http://ops:p%40ss@').replace('/hook', '/hook/T0KEN');
  const receiver = webhookReceiver({ url: secret, clock: systemClock });
  expect(await receiver.send(notification(alert('a')), never)).toEqual({ ok: true });
  expect(heard[0]!.headers.authorization).toBe(`Basic ${Buffer.from('ops:p@ss').toString('base64')}`);
  expect(receiver.name).not.toMatch(/ops|p%40ss|T0KEN/);
});

it.each([
  [500, true],
  [503, true],
  [429, true],
  [408, true],
  [400, false],
  [404, false],
  [302, false],
])('status %i: worth another try is %s', async (status, retry) => {
  answer = (response) =>
    response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end('x'.repeat(100_000));
  const outcome = await webhookReceiver({ url, clock: systemClock }).send(notification(alert('a')), never);
  expect(outcome).toEqual({ ok: false, retry, error: `${new URL(url).origin} answered ${status}` });
});

it('nobody listening is worth another try, and says who', async () => {
  await new Promise((resolve) => server.close(resolve));
  const outcome = await webhookReceiver({ url, clock: systemClock }).send(notification(alert('a')), never);
  expect(outcome).toEqual({ ok: false, retry: true, error: expect.stringContaining('ECONNREFUSED') });
});

it('no answer is waited for ten seconds', async () => {
  answer = () => {};
  const clock = createFakeClock();
  const sending = webhookReceiver({ url, clock }).send(notification(alert('a')), never);
  await vi.waitFor(() => expect(heard).toHaveLength(1), { timeout: 10_000 });
  await clock.advance(10_000);
  expect(await sending).toEqual({
    ok: false,
    retry: true,
    error: expect.stringContaining('no answer within 10 s'),
  });
});

it.each(['nonsense', 'ftp://host/x', 'http://'])('%s is no address for a webhook', (wrong) => {
  expect(() => webhookReceiver({ url: wrong, clock: systemClock })).toThrow(
    expect.objectContaining({ code: 'RECEIVER_INVALID', message: expect.stringContaining('url: ') }),
  );
});

it('is paged once: a server that fails twice, a restart, and then the end', async () => {
  const clock = createFakeClock();
  const store = createMemoryStore({ clock });
  const create = () =>
    createNotifier({
      receivers: [webhookReceiver({ url, clock })],
      keyValue: store.keyValue,
      clock,
      externalUrl: 'http://p.example',
    });
  const hears = async (count: number) => {
    await vi.waitFor(
      async () => {
        await clock.advance(1000);
        expect(heard.length).toBeGreaterThanOrEqual(count);
      },
      { timeout: 20_000, interval: 20 },
    );
  };
  const first = create();
  answer = (response) => response.writeHead(heard.length <= 2 ? 503 : 200).end();
  first.notify([alert('a')]);
  await hears(3);
  await vi.waitFor(() => expect(first.state().receivers[0]!.sent).toBe(1), { timeout: 10_000 });
  await first.stop();
  const second = create();
  second.notify([alert('a')]);
  await clock.advance(60_000);
  expect(heard).toHaveLength(3);
  second.notify([alert('a', 'resolved')]);
  await clock.advance(300_000);
  await hears(4);
  expect(heard.map(({ body }) => body.status)).toEqual(['firing', 'firing', 'firing', 'resolved']);
  await vi.waitFor(() => expect(second.state().receivers[0]!.sent).toBe(1), { timeout: 10_000 });
  await second.stop();
});
