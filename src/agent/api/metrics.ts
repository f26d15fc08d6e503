import type { FastifyPluginAsync } from 'fastify';

export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

/** Renders one of the agent's paths for a scraper that sent this Accept header. */
export type Expose = (
  path: 'kube-state-metrics' | 'cadvisor' | 'kubelet',
  accept: string,
) => Promise<Exposition>;

/** The three paths a Prometheus scrapes; `/metrics` is the kubelet's and the agent's own. */
export function metricsRoutes(expose: Expose): FastifyPluginAsync {
  return async (app) => {
    const routes = {
      '/metrics': 'kubelet',
      '/metrics/cadvisor': 'cadvisor',
      '/metrics/kube-state-metrics': 'kube-state-metrics',
    } as const;
    for (const [url, path] of Object.entries(routes)) {
      app.get(url, async (request, reply) => {
        const { contentType, body } = await expose(path, request.headers.accept ?? '');
        return reply.type(contentType).send(body);
      });
    }
  };
}
