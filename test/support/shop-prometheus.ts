import type { FastifyPluginAsync } from 'fastify';

const MIB = 2 ** 20;

/** How CPU (cores) and memory (bytes) of the shop's pods run, `seconds` before now. */
const PODS: Readonly<
  Record<string, { cpu(ago: number): number; memory(ago: number): number; recent?: boolean }>
> = {
  'web-6d5f7c9b8-x2k9p': { cpu: (ago) => 0.021 + 0.004 * Math.sin(ago / 40), memory: () => 47 * MIB },
  'web-6d5f7c9b8-7hfqd': {
    cpu: (ago) => 0.018 + 0.006 * Math.sin(ago / 55),
    memory: (ago) => 46 * MIB + (ago % 300) * 2000,
  },
  'web-6d5f7c9b8-m4tzw': { cpu: (ago) => 0.024 + 0.003 * Math.cos(ago / 30), memory: () => 48 * MIB },
  'worker-84c5d7f6b-j3n5r': {
    cpu: (ago) => 0.05 + 0.02 * Math.sin(ago / 9),
    memory: (ago) => (38 + ((10_000 - ago) % 25) * 3.6) * MIB,
  },
  'search-59f7b8d6c-v6b1y': { cpu: () => 0.09, memory: () => 44 * MIB, recent: true },
};

export interface ShopAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
  readonly activeAt: string;
  readonly value: string;
}

export function shopAlerts(now: number): readonly ShopAlert[] {
  const cart = {
    namespace: 'shop',
    pod: 'cart-7b9c6d4f5-q8w2e',
    container: 'cart',
    workload: 'cart',
    workload_type: 'deployment',
  };
  const worker = {
    namespace: 'shop',
    pod: 'worker-84c5d7f6b-j3n5r',
    container: 'worker',
    workload: 'worker',
    workload_type: 'deployment',
  };
  return [
    {
      labels: { alertname: 'PodOOMKilled', severity: 'ticket', ...worker },
      annotations: { summary: 'Container worker of shop/worker-84c5d7f6b-j3n5r ran out of memory.' },
      state: 'firing',
      activeAt: new Date(now - 840_000).toISOString(),
      value: '4e+00',
    },
    {
      labels: { alertname: 'PodCrashLooping', severity: 'page', ...cart },
      annotations: { summary: 'Container cart of shop/cart-7b9c6d4f5-q8w2e is crash looping.' },
      state: 'firing',
      activeAt: new Date(now - 880_000).toISOString(),
      value: '7e+00',
    },
    {
      labels: {
        alertname: 'PodNotReady',
        severity: 'page',
        namespace: 'shop',
        pod: 'search-59f7b8d6c-v6b1y',
        workload: 'search',
      },
      annotations: {
        summary: 'shop/search-59f7b8d6c-v6b1y has not been ready beyond its start-up objective.',
      },
      state: 'pending',
      activeAt: new Date(now - 8_000).toISOString(),
      value: '0e+00',
    },
    {
      labels: { alertname: 'Watchdog', severity: 'none' },
      annotations: {},
      state: 'firing',
      activeAt: new Date(now).toISOString(),
      value: '1',
    },
  ];
}

/** A Prometheus API that answers in the right shape with the shop's curves: for looking at the console alone. */
export function shopPrometheus(clock: () => number): FastifyPluginAsync {
  return async (app) => {
    app.get('/api/v1/rules', async () => ({ status: 'success', data: { groups: [] } }));
    app.get('/api/v1/alerts', async () => ({ status: 'success', data: { alerts: shopAlerts(clock()) } }));
    app.get<{ Querystring: { query: string; start: string; end: string; step: string } }>(
      '/api/v1/query_range',
      async ({ query: { query, start, end, step } }) => {
        const times: number[] = [];
        for (let time = Number(start); time <= Number(end); time += Number(step)) times.push(time);
        const result = answered(query).map(({ metric, value, recent }) => ({
          metric,
          values: times
            .filter((time) => !recent || time > clock() / 1000 - 40)
            .map((time) => [time, String(value(clock() / 1000 - time))]),
        }));
        return {
          status: 'success',
          data: { resultType: 'matrix', result: result.filter(({ values }) => values.length > 0) },
        };
      },
    );
    app.get<{ Querystring: { query: string; time: string } }>(
      '/api/v1/query',
      async ({ query: { query, time } }) => ({
        status: 'success',
        data: {
          resultType: 'vector',
          result: answered(query).map(({ metric, value }) => ({
            metric,
            value: [Number(time), String(value(0))],
          })),
        },
      }),
    );
    app.get<{ Params: { label: string } }>('/api/v1/label/:label/values', async ({ params: { label } }) => ({
      status: 'success',
      data:
        {
          namespace: ['shop'],
          workload: ['cart', 'search', 'web', 'worker'],
          pod: Object.keys(PODS),
          node: ['thinkpad'],
        }[label] ?? [],
    }));
  };
}

function answered(query: string) {
  const memory = /memory/.test(query);
  const pod = /pod="([^"]+)"/.exec(query)?.[1];
  const byContainer = /by \([^)]*container/.test(query);
  return Object.entries(PODS)
    .filter(([name]) => pod === undefined || name === pod)
    .map(([name, { cpu, memory: bytes, recent = false }]) => ({
      metric: byContainer
        ? { container: name.split('-')[0]! }
        : { namespace: 'shop', pod: name, workload: name.split('-')[0]! },
      value: memory ? bytes : cpu,
      recent,
    }));
}
