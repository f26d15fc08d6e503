import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { parseRequest } from '../../http/parse-request.ts';
import type { Node } from '../../model/kubernetes.ts';
import { CodedError } from '../../util/coded-error.ts';

export interface NodeRoutesOptions {
  node(): Node;
  setUnschedulable(unschedulable: boolean): boolean;
  /** @throws CodedError `TOO_MANY_DISRUPTIONS` (429). */
  evict(namespace: string, name: string, gracePeriodSeconds?: number): void;
}

const patchBody = z.strictObject({ spec: z.strictObject({ unschedulable: z.boolean() }) });
const evictionBody = z
  .object({
    deleteOptions: z
      .object({ gracePeriodSeconds: z.number().int().min(0).max(86_400).optional() })
      .optional(),
  })
  .nullish();

/** The one node, and the eviction of pods from it, in the API's paths. For the control socket. */
export function nodeRoutes(options: NodeRoutesOptions): FastifyPluginAsync {
  return async (app) => {
    const find = (name: string): Node => {
      const node = options.node();
      if (node.metadata.name === name) return node;
      throw new CodedError('NOT_FOUND', `nodes "${name}" not found; this node is ${node.metadata.name}`, {
        status: 404,
      });
    };
    app.get('/api/v1/nodes', async () => ({
      apiVersion: 'v1',
      kind: 'List',
      metadata: {},
      items: [options.node()],
    }));
    app.get<{ Params: { name: string } }>('/api/v1/nodes/:name', async ({ params }) => find(params.name));
    app.patch<{ Params: { name: string } }>('/api/v1/nodes/:name', async ({ params, body }) => {
      find(params.name);
      options.setUnschedulable(parseRequest(patchBody, body, 'body').spec.unschedulable);
      return options.node();
    });
    app.post<{ Params: { namespace: string; name: string } }>(
      '/api/v1/namespaces/:namespace/pods/:name/eviction',
      async ({ params, body }) => {
        const seconds = parseRequest(evictionBody, body, 'body')?.deleteOptions?.gracePeriodSeconds;
        options.evict(params.namespace, params.name, seconds);
        return {
          apiVersion: 'v1',
          kind: 'Status',
          metadata: {},
          status: 'Success',
          details: { name: params.name, kind: 'pods' },
        };
      },
    );
  };
}
