import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import { buildInfo } from './prometheus.ts';
import { acceptForms, apiRoute, sendJson } from './prometheus-route.ts';

/**
 * What clients of Prometheus ask for that podvitals has not, answered as Prometheus answers where it is switched off:
 * notifications to its web page, of which there are none; the admin API; reload and quit. And `/version`.
 * Source: https://prometheus.io/docs/prometheus/latest/querying/api/, web/web.go
 */
export function absentRoutes(): FastifyPluginAsync {
  return async (app) => {
    acceptForms(app);
    apiRoute(app, 'notifications', ['GET'], async () => ({ status: 'success', data: [] }));
    // As when all places of subscribers are taken: who hears it asks now and then instead.
    apiRoute(app, 'notifications/live', ['GET'], async (_form, _request, reply) => reply.code(204).send());
    for (const what of ['snapshot', 'delete_series', 'clean_tombstones'])
      apiRoute(app, `admin/tsdb/${what}`, ['POST', 'PUT'], async (_form, _request, reply) =>
        sendJson(reply.code(500), {
          status: 'error',
          errorType: 'unavailable',
          error: 'admin APIs disabled',
        }),
      );
    // Nothing happens, so that everybody may be told.
    const config = { access: 'read' as const };
    for (const url of ['/-/reload', '/-/quit']) {
      app.route({
        url,
        config,
        method: ['POST', 'PUT'],
        handler: async (_request, reply) => sayPlainly(reply, 403, 'Lifecycle API is not enabled.'),
      });
      app.get(url, { config }, async (_request, reply) =>
        sayPlainly(reply, 405, 'Only POST or PUT requests allowed'),
      );
    }
    app.get('/version', async (_request, reply) =>
      sayPlainly(reply, 200, `${JSON.stringify(buildInfo())}\n`),
    );
  };
}

const sayPlainly = (reply: FastifyReply, code: number, text: string) =>
  reply.code(code).type('text/plain; charset=utf-8').send(text);
