import type { FastifyPluginAsync } from 'fastify';
import { POD_VERBS, type PodVerb } from '../pod/worker/pod-control.ts';

/** What a person may do with a pod as a whole, in paths below the pod's own. For the control socket. */
export function podControlRoutes(
  control: (target: { readonly namespace: string; readonly name: string }, verb: PodVerb) => Promise<void>,
): FastifyPluginAsync {
  return async (app) => {
    for (const verb of POD_VERBS) {
      app.post<{ Params: { namespace: string; name: string } }>(
        `/api/v1/namespaces/:namespace/pods/:name/${verb}`,
        async (request) => {
          const { namespace, name } = request.params;
          await control({ namespace, name }, verb);
          return {
            apiVersion: 'v1',
            kind: 'Status',
            metadata: {},
            status: 'Success',
            details: { name, kind: 'pods' },
          };
        },
      );
    }
  };
}
