import { join } from 'node:path';
import type { FastifyPluginAsync } from 'fastify';
import { stringify } from 'yaml';
import { z } from 'zod';
import { parseRequest } from '../../http/parse-request.ts';
import type { Pod } from '../../model/kubernetes.ts';
import { CodedError } from '../../util/coded-error.ts';
import { debugCopy, originalCommand } from '../pod/debug-copy.ts';
import type { ManifestFile } from './objects.ts';

export interface DebugRoutesOptions {
  readonly find: (namespace: string, name: string) => Pod | undefined;
  /** Where the pod's host containers start. */
  readonly folderOf: (uid: string) => string | undefined;
  readonly apply: (files: readonly ManifestFile[]) => Promise<unknown>;
  /** From 0 up to 1. */
  readonly random: () => number;
}

/** What the agent answers: the copy's name and container, and what the container was started with. */
export interface DebugCopyMade {
  readonly namespace: string;
  readonly name: string;
  readonly container: string;
  readonly command: readonly string[];
}

const LONGEST_SECONDS = 86_400;
const body = z.strictObject({
  container: z.string().max(253).optional(),
  mode: z.enum(['sleep', 'run']),
  deadlineSeconds: z.number().int().min(1).max(LONGEST_SECONDS).default(3600),
});

/**
 * `POST …/pods/NAME/debug` makes a copy of one container that sleeps, or runs once without probes. For the control socket:
 * it runs commands. The copy ends by its deadline, and when an agent starts.
 */
export function debugRoutes({ find, folderOf, apply, random }: DebugRoutesOptions): FastifyPluginAsync {
  return async (app) => {
    app.post<{ Params: { namespace: string; name: string } }>(
      '/api/v1/namespaces/:namespace/pods/:name/debug',
      async (request): Promise<DebugCopyMade> => {
        const { namespace, name } = request.params;
        const asked = parseRequest(body, request.body, 'body');
        const pod = find(namespace, name);
        if (pod === undefined)
          throw new CodedError('NOT_FOUND', `pods "${name}" not found in namespace ${namespace}`, {
            status: 404,
          });
        const suffix = Math.floor(random() * 36 ** 5)
          .toString(36)
          .padStart(5, '0');
        const copy = debugCopy(pod, { ...asked, suffix }) as Pick<Pod, 'metadata' | 'spec'>;
        const file = { path: join(folderOf(pod.metadata.uid) ?? '/', 'debug.yaml'), text: stringify(copy) };
        await apply([file]);
        const container = copy.spec.containers[0]!.name;
        return { namespace, name: copy.metadata.name, container, command: originalCommand(pod, container) };
      },
    );
  };
}
