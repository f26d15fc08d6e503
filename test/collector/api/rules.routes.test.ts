import Fastify from 'fastify';
import { afterEach, expect, it } from 'vitest';
import { ruleRoutes } from '../../../src/collector/api/rules.ts';
import { createBench, series } from '../rules/bench.ts';

let bench: ReturnType<typeof createBench>;
afterEach(() => bench.manager.stop());

const FILE = `
groups:
  - name: web
    interval: 30s
    rules:
      - record: job:up:sum
        expr: sum by(job)(up)
        labels: { team: shop }
      - alert: Down
        expr: up==0
        for: 1m
        labels: { severity: page }
        annotations: { summary: '{{ $labels.instance }} is down' }
`;

async function get(path: string) {
  const app = Fastify();
  await app.register(ruleRoutes({ groups: () => bench.manager.groups() }));
  const response = await app.inject(path);
  return { status: response.statusCode, body: response.json() };
}

async function started() {
  bench = createBench({ 'rules/web.yaml': FILE });
  await bench.push([series('up{job="web", instance="a"}'), 0], [series('up{job="web", instance="b"}'), 1]);
  await bench.manager.start();
}

it('shows rules as Prometheus does', async () => {
  await started();
  const { status, body } = await get('/api/v1/rules');
  const at = expect.stringMatching(/^2026-01-01T00:00:00/);
  expect(status).toBe(200);
  expect(body).toEqual({
    status: 'success',
    data: {
      groups: [
        {
          name: 'web',
          file: 'rules/web.yaml',
          interval: 30,
          limit: 0,
          evaluationTime: 0,
          lastEvaluation: at,
          missed: 0,
          rules: [
            {
              type: 'recording',
              name: 'job:up:sum',
              query: 'sum by (job) (up)',
              labels: { team: 'shop' },
              health: 'ok',
              evaluationTime: 0,
              lastEvaluation: at,
            },
            {
              type: 'alerting',
              name: 'Down',
              query: 'up == 0',
              duration: 60,
              keepFiringFor: 0,
              state: 'pending',
              labels: { severity: 'page' },
              annotations: { summary: '{{ $labels.instance }} is down' },
              health: 'ok',
              evaluationTime: 0,
              lastEvaluation: at,
              alerts: [
                {
                  labels: { alertname: 'Down', instance: 'a', job: 'web', severity: 'page' },
                  annotations: { summary: 'a is down' },
                  state: 'pending',
                  activeAt: '2026-01-01T00:00:00.000Z',
                  value: '0e+00',
                },
              ],
            },
          ],
        },
      ],
    },
  });
});

it('shows a part of them when asked', async () => {
  await started();
  const names = async (query: string) => {
    const { body } = await get(`/api/v1/rules?${query}`);
    return body.data.groups.flatMap((group: { rules: { name: string }[] }) =>
      group.rules.map(({ name }) => name),
    );
  };
  expect(await names('type=alert')).toEqual(['Down']);
  expect(await names('type=record')).toEqual(['job:up:sum']);
  expect(await names('rule_name[]=Down&rule_name[]=Other')).toEqual(['Down']);
  expect(await names('rule_group[]=other')).toEqual([]);
  expect(await names('file[]=rules/web.yaml')).toHaveLength(2);
  const { body } = await get('/api/v1/rules?exclude_alerts=true&type=alert');
  expect(body.data.groups[0].rules[0].alerts).toBeNull();
});

it('refuses a type it does not know as Prometheus does', async () => {
  await started();
  const { status, body } = await get('/api/v1/rules?type=all');
  expect(status).toBe(400);
  expect(body).toMatchObject({
    status: 'error',
    errorType: 'bad_data',
    error: expect.stringContaining('"type"'),
  });
});

it('shows alerts that are pending or firing, not those that are over', async () => {
  await started();
  const states = async () =>
    (await get('/api/v1/alerts')).body.data.alerts.map(({ state }: { state: string }) => state);
  expect(await states()).toEqual(['pending']);
  await bench.clock.advance(90_000);
  expect(await states()).toEqual(['firing']);
  await bench.push([series('up{job="web", instance="a"}'), 1]);
  await bench.clock.advance(30_000);
  expect(await states()).toEqual([]);
});

it('has no Alertmanagers', async () => {
  await started();
  expect((await get('/api/v1/alertmanagers')).body).toEqual({
    status: 'success',
    data: { activeAlertmanagers: [], droppedAlertmanagers: [] },
  });
});
