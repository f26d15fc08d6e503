import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { parseRequest } from '../../http/parse-request.ts';
import type { KubernetesObject } from '../../model/kubernetes-object.ts';
import type { WorkloadChange } from '../pod/workload/workload-change.ts';
import { RESOURCES } from './resources.ts';

const scaleBody = z.strictObject({ replicas: z.number().int().min(0) });
const undoBody = z.strictObject({ toRevision: z.number().int().min(0).optional() });
const noBody = z.strictObject({}).nullish();

/** What `scale` and `rollout` ask of a workload, in paths below the object's own. For the control socket. */
export function workloadRoutes(
  change: (
    target: { readonly kind: KubernetesObject['kind']; readonly namespace: string; readonly name: string },
    change: WorkloadChange,
  ) => Promise<void>,
): FastifyPluginAsync {
  return async (app) => {
    for (const { base, plural, kind } of RESOURCES) {
      const verb = (word: WorkloadChange['verb'], read: (body: unknown) => WorkloadChange) =>
        app.post<{ Params: { namespace: string; name: string } }>(
          `${base}/namespaces/:namespace/${plural}/:name/${word}`,
          async (request) => {
            const { namespace, name } = request.params;
            await change({ kind, namespace, name }, read(request.body));
            return {
              apiVersion: 'v1',
              kind: 'Status',
              metadata: {},
              status: 'Success',
              details: { name, kind: plural },
            };
          },
        );
      verb('scale', (body) => ({ verb: 'scale', ...parseRequest(scaleBody, body, 'body') }));
      verb('undo', (body) => {
        const { toRevision } = parseRequest(undoBody, body ?? {}, 'body');
        return { verb: 'undo', ...(toRevision === undefined ? {} : { toRevision }) };
      });
      // Of pods these words mean something else.
      if (kind === 'Pod') continue;
      for (const word of ['restart', 'pause', 'resume'] as const) {
        verb(word, (body) => {
          parseRequest(noBody, body, 'body');
          return { verb: word };
        });
      }
    }
  };
}
