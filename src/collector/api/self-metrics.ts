import type { FastifyPluginAsync } from 'fastify';
import type { Registry } from 'prom-client';

/** The collector's own `/metrics`. */
export function selfMetricsRoutes(registry: Registry): FastifyPluginAsync {
  return async (app) => {
    app.get('/metrics', async (_request, reply) =>
      reply.type(registry.contentType).send(await registry.metrics()),
    );
  };
}
