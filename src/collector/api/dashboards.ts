import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyPluginAsync } from 'fastify';
import { CodedError, messageOf } from '../../util/coded-error.ts';
import { toList } from './pods.ts';

export interface DashboardFile {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** Grafana's JSON, as committed. */
  readonly json: string;
}

/**
 * The Grafana dashboards of a folder, in the order of their titles.
 *
 * @throws DASHBOARD_INVALID for a file that is no JSON or has no uid.
 */
export function readDashboards(folder: string): readonly DashboardFile[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => readDashboard(join(folder, file)))
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

function readDashboard(path: string): DashboardFile {
  const json = readFileSync(path, 'utf8');
  try {
    const { uid, title, description } = JSON.parse(json) as Record<string, unknown>;
    if (typeof uid !== 'string' || typeof title !== 'string') throw new Error('it has no uid or no title');
    return { uid, title, description: typeof description === 'string' ? description : '', json };
  } catch (error) {
    throw new CodedError('DASHBOARD_INVALID', `${path} is no Grafana dashboard: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
