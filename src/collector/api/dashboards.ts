import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyPluginAsync } from 'fastify';
import { CodedError, messageOf } from '../../util/coded-error.ts';
import { toList } from './pods.ts';

export interface DashboardFile {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** Grafana's JSON, as committed but for the prices. */
  readonly json: string;
}

/** What usage costs, in the currency of whoever reads it; those of the dashboards when left out. */
export interface Prices {
  readonly cpuCoreHour?: number;
  readonly memoryGiBHour?: number;
}

/**
 * The Grafana dashboards of a folder, in the order of their titles.
 *
 * @throws DASHBOARD_INVALID for a file that is no JSON or has no uid.
 */
export function readDashboards(folder: string, prices: Prices = {}): readonly DashboardFile[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => readDashboard(join(folder, file), prices))
    .sort((a, b) => (a.title < b.title ? -1 : 1));
}

/** `GET /api/dashboards` lists them; `GET /dashboards/<uid>.json` is Grafana's JSON, to import or to draw. */
export function dashboardRoutes(dashboards: readonly DashboardFile[]): FastifyPluginAsync {
  const byUid = new Map(dashboards.map((dashboard) => [dashboard.uid, dashboard]));
  return async (app) => {
    app.get('/api/dashboards', async () =>
      toList(dashboards.map(({ uid, title, description }) => ({ uid, title, description }))),
    );
    app.get<{ Params: { uid: string } }>(
      '/dashboards/:uid(^[A-Za-z0-9_-]{1,40}).json',
      async (request, reply) => {
        const dashboard = byUid.get(request.params.uid);
        if (dashboard === undefined) {
          throw new CodedError(
            'DASHBOARD_NOT_FOUND',
            `dashboard "${request.params.uid}" not found; there are: ${[...byUid.keys()].join(', ')}`,
            { status: 404 },
          );
        }
        return reply.type('application/json; charset=utf-8').send(dashboard.json);
      },
    );
  };
}

const PRICE_VARIABLES: Readonly<Record<string, keyof Prices>> = {
  cpu_core_hour: 'cpuCoreHour',
  memory_gib_hour: 'memoryGiBHour',
};

interface Variable {
  readonly name?: unknown;
}

/** The dashboard with the prices of the configuration in place of those it comes with. */
function withPrices(dashboard: Record<string, unknown>, prices: Prices): Record<string, unknown> {
  const { list = [] } = (dashboard.templating ?? {}) as { readonly list?: readonly Variable[] };
  const priced = list.map((variable) => {
    const which = PRICE_VARIABLES[String(variable.name)];
    const price = which && prices[which];
    if (price === undefined) return variable;
    const value = String(price);
    return { ...variable, query: value, current: { selected: true, text: value, value } };
  });
  return { ...dashboard, templating: { ...(dashboard.templating as object), list: priced } };
}

function readDashboard(path: string, prices: Prices): DashboardFile {
  const json = readFileSync(path, 'utf8');
  try {
    const dashboard = JSON.parse(json) as Record<string, unknown>;
    const { uid, title, description } = dashboard;
    if (typeof uid !== 'string' || typeof title !== 'string') throw new Error('it has no uid or no title');
    const isPriced = Object.values(prices).some((price) => price !== undefined);
    return {
      uid,
      title,
      description: typeof description === 'string' ? description : '',
      json: isPriced ? `${JSON.stringify(withPrices(dashboard, prices), null, 2)}\n` : json,
    };
  } catch (error) {
    throw new CodedError('DASHBOARD_INVALID', `${path} is no Grafana dashboard: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
