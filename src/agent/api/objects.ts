import { PassThrough } from 'node:stream';
import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { parseLabelSelector } from '../../http/label-selector.ts';
import { parseRequest } from '../../http/parse-request.ts';
import type { Pod } from '../../model/kubernetes.ts';
import type { KubernetesObject } from '../../model/kubernetes-object.ts';
import type { LogLine } from '../../model/life.ts';
import type { CancelTimer, Clock } from '../../util/clock.ts';
import { CodedError } from '../../util/coded-error.ts';
import { RESOURCES } from './resources.ts';

export type ObjectKind = KubernetesObject['kind'];

/** What happened to one applied object, in kubectl's words. */
export interface Applied {
  readonly kind: ObjectKind;
  readonly namespace: string;
  readonly name: string;
  readonly action: 'created' | 'configured' | 'unchanged';
}

export interface ApplyOutcome {
  readonly objects: readonly Applied[];
  readonly warnings: readonly string[];
}

export interface ManifestFile {
  readonly path: string;
  readonly text: string;
}

/** What the control socket asks of the agent. */
export interface ObjectRoutesOptions {
  /** With `create`, refuses what is there already. */
  apply(files: readonly ManifestFile[], options: { readonly create: boolean }): Promise<ApplyOutcome>;
  list(kind: ObjectKind, namespace?: string): readonly KubernetesObject[];
  /** Resolves once the deletion is under way; with `wait`, once the object is gone. */
  delete(
    target: { readonly kind: ObjectKind; readonly namespace: string; readonly name: string },
    options: { readonly gracePeriodSeconds?: number; readonly wait: boolean },
  ): Promise<void>;
  logs(
    pod: Pod,
    container: string,
    attempt: number,
    options: { readonly tail?: number; readonly sinceMs?: number },
  ): Promise<readonly LogLine[]>;
  followLogs(
    pod: Pod,
    container: string,
    attempt: number,
    onLine: (line: LogLine) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Calls the listener whenever an object may have changed; returns the unsubscribe function. */
  watch(listener: () => void): () => void;
  readonly clock: Clock;
}

const WATCH_GAP_MS = 200;

const applyBody = z.strictObject({
  files: z
    .array(z.strictObject({ path: z.string().max(4096), text: z.string() }))
    .min(1)
    .max(256),
});
const listQuery = z.object({ labelSelector: z.string().max(4096).default('') });
const applyQuery = z.strictObject({ create: z.enum(['true', 'false']).default('false') });
const deleteQuery = z.strictObject({
  gracePeriodSeconds: z.coerce.number().int().min(0).max(86_400).optional(),
  wait: z.enum(['true', 'false']).default('false'),
});
const logQuery = z.strictObject({
  container: z.string().max(253).optional(),
  previous: z.enum(['true', 'false']).default('false'),
  follow: z.enum(['true', 'false']).default('false'),
  timestamps: z.enum(['true', 'false']).default('false'),
  tailLines: z.coerce.number().int().min(0).max(100_000).optional(),
  sinceSeconds: z.coerce.number().int().min(1).optional(),
});

/**
 * Objects in the paths of the Kubernetes API, plus `POST /apply` with manifest files. Meant for the control socket:
 * whoever may open it may run commands as the agent.
 */
export function objectRoutes(options: ObjectRoutesOptions): FastifyPluginAsync {
  return async (app) => {
    app.post('/apply', { bodyLimit: 8 * 2 ** 20 }, async (request) =>
      options.apply(parseRequest(applyBody, request.body, 'body').files, {
        create: parseRequest(applyQuery, request.query, 'query').create === 'true',
      }),
    );

    // A line whenever something may have changed, at most one in WATCH_GAP_MS: who watches asks again.
    app.get('/watch', async (request, reply) => {
      const stream = new PassThrough();
      let waiting: CancelTimer | undefined;
      const unsubscribe = options.watch(() => {
        waiting ??= options.clock.setTimer(WATCH_GAP_MS, () => {
          waiting = undefined;
          // Who has not read the last line yet learns no more from another.
          if (!stream.writableNeedDrain) stream.write('changed\n');
        });
      });
      request.raw.once('close', () => {
        unsubscribe();
        waiting?.();
        stream.end();
      });
      return reply.type('text/plain; charset=utf-8').send(stream);
    });

    for (const { base, plural, kind, apiVersion } of RESOURCES) {
      const list = (query: unknown, namespace?: string) => {
        const selects = parseLabelSelector(parseRequest(listQuery, query, 'query').labelSelector);
        return {
          apiVersion: 'v1',
          kind: 'List',
          metadata: {},
          items: options
            .list(kind, namespace)
            .filter(({ metadata }) => selects(metadata.labels ?? {}))
            .map(withoutSecrets),
        };
      };
      const find = (namespace: string, name: string) => {
        const found = options.list(kind, namespace).find((object) => object.metadata.name === name);
        if (!found) throw notFound(apiVersion, plural, namespace, name, options.list(kind));
        return found;
      };
      app.get(`${base}/${plural}`, async ({ query }) => list(query));
      app.get<{ Params: { namespace: string } }>(
        `${base}/namespaces/:namespace/${plural}`,
        async ({ query, params }) => list(query, params.namespace),
      );
      app.get<{ Params: { namespace: string; name: string } }>(
        `${base}/namespaces/:namespace/${plural}/:name`,
        async (request) => withoutSecrets(find(request.params.namespace, request.params.name)),
      );
      app.delete<{ Params: { namespace: string; name: string } }>(
        `${base}/namespaces/:namespace/${plural}/:name`,
        async (request) => {
          const { namespace, name } = request.params;
          const query = parseRequest(deleteQuery, request.query, 'query');
          find(namespace, name);
          await options.delete(
            { kind, namespace, name },
            {
              wait: query.wait === 'true',
              ...(query.gracePeriodSeconds === undefined
                ? {}
                : { gracePeriodSeconds: query.gracePeriodSeconds }),
            },
          );
          return {
            apiVersion: 'v1',
            kind: 'Status',
            metadata: {},
            status: 'Success',
            details: { name, kind: plural },
          };
        },
      );
      if (kind !== 'Pod') continue;
      app.get<{ Params: { namespace: string; name: string } }>(
        `${base}/namespaces/:namespace/pods/:name/log`,
        async (request, reply) => {
          const query = parseRequest(logQuery, request.query, 'query');
          const pod = find(request.params.namespace, request.params.name) as Pod;
          const { container, attempt } = lifeOf(pod, query.container, query.previous === 'true');
          const lines = await options.logs(pod, container, attempt, {
            ...(query.tailLines === undefined ? {} : { tail: query.tailLines }),
            ...(query.sinceSeconds === undefined ? {} : { sinceMs: query.sinceSeconds * 1000 }),
          });
          const print = (line: LogLine) =>
            `${query.timestamps === 'true' ? `${new Date(line.at).toISOString()} ` : ''}${line.text}\n`;
          reply.type('text/plain; charset=utf-8');
          if (query.follow !== 'true') return lines.map(print).join('');
          const stream = new PassThrough();
          const stop = new AbortController();
          request.raw.once('close', () => stop.abort());
          for (const line of lines) stream.write(print(line));
          options
            .followLogs(
              pod,
              container,
              attempt,
              (line) => {
                // A reader that does not keep up is cut off rather than buffered without end.
                if (stream.writableLength > 2 ** 20) stop.abort();
                else stream.write(print(line));
              },
              stop.signal,
            )
            .catch((error: unknown) => request.log.warn({ err: error }, 'a log is followed no further'))
            .finally(() => stream.end());
          return reply.send(stream);
        },
      );
    }
  };
}

/** Which life of which container a log request means. */
function lifeOf(
  pod: Pod,
  wanted: string | undefined,
  previous: boolean,
): { container: string; attempt: number } {
  const names = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(
    (container) => container.name,
  );
  const container = wanted ?? pod.spec.containers[0]!.name;
  if (!names.includes(container)) {
    throw new CodedError(
      'CONTAINER_NOT_FOUND',
      `container ${container} is not in pod ${pod.metadata.name}; it has: ${names.join(', ')}`,
      { status: 400 },
    );
  }
  const statuses = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])];
  const status = statuses.find((candidate) => candidate.name === container);
  const newest = status?.restartCount ?? 0;
  // While it waits to be started again, the newest life is the one that died.
  const attempt = status?.state.waiting && newest > 0 && !status.lastState.terminated ? newest - 1 : newest;
  if (!previous) return { container, attempt };
  if (attempt === 0) {
    throw new CodedError(
      'NO_PREVIOUS_LIFE',
      `container ${container} of pod ${pod.metadata.name} has not been restarted: there is no previous log`,
      { status: 400 },
    );
  }
  return { container, attempt: attempt - 1 };
}

function withoutSecrets(object: KubernetesObject): KubernetesObject {
  if (object.kind !== 'Secret') return object;
  return {
    ...object,
    data: Object.fromEntries(Object.keys(object.data ?? {}).map((key) => [key, '<redacted>'])),
  };
}

function notFound(
  apiVersion: string,
  plural: string,
  namespace: string,
  name: string,
  all: readonly KubernetesObject[],
): CodedError {
  const group = apiVersion.includes('/') ? `${plural}.${apiVersion.split('/')[0]}` : plural;
  const elsewhere = all
    .filter((object) => object.metadata.name === name)
    .map((object) => object.metadata.namespace);
  const hint = elsewhere.length > 0 ? `; it exists in namespace ${elsewhere.join(', ')} (use -n)` : '';
  return new CodedError('NOT_FOUND', `${group} "${name}" not found in namespace ${namespace}${hint}`, {
    status: 404,
  });
}
