import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { parseLabelSelector } from '../../http/label-selector.ts';
import { parseRequest } from '../../http/parse-request.ts';
import type { Pod } from '../../model/kubernetes.ts';
import type { LogLine } from '../../model/life.ts';
import type { PodRef } from '../../model/pod-ref.ts';
import type { PodState } from '../../model/record.ts';
import { CodedError } from '../../util/coded-error.ts';
import type { EventLog } from '../storage/storage.ts';
import { MOST_PODS, newestPod, podNotFound } from './pods-lookup.ts';
import { WHY_KINDS, why } from './pods-why.ts';

/** Lines of a container that runs or ran last, oldest first; undefined where the agent cannot be asked. */
export type ReadLogs = (
  pod: PodRef,
  container: string,
  options: { readonly previous: boolean; readonly tail: number },
) => Promise<readonly LogLine[] | undefined>;

export interface PodRoutesOptions {
  readonly log: EventLog;
  /** Left out: only what was recorded at deaths can be read. */
  readonly logs?: ReadLogs | undefined;
}

const name = z.string().min(1).max(253);
const listQuery = z.object({ namespace: name.optional(), labelSelector: z.string().max(4096).default('') });
const podPath = z.object({ namespace: name, pod: name });
const limit = (byDefault: number) => z.coerce.number().int().min(1).max(MOST_PODS).default(byDefault);
const whyQuery = z.object({ kind: z.enum(WHY_KINDS).optional() });
const livesQuery = z.object({ container: name.optional(), limit: limit(20) });
const eventsQuery = z.object({ container: name.optional(), limit: limit(200) });
const flag = z
  .enum(['true', 'false', '1', '0'])
  .default('false')
  .transform((text) => text === 'true' || text === '1');
const logsQuery = z.object({
  container: name.optional(),
  previous: flag,
  tail: z.coerce.number().int().min(0).max(100_000).default(1_000),
});

/** Pods as Kubernetes objects, and what is recorded of them: verdict, lives, log lines, events. Newest first. */
export function podRoutes(options: PodRoutesOptions): FastifyPluginAsync {
  const { log } = options;
  return async (app) => {
    app.get('/api/pods', async (request) => {
      const query = parseRequest(listQuery, request.query, 'query');
      const selects = parseLabelSelector(query.labelSelector);
      const states = log.pods({ ...(query.namespace && { namespace: query.namespace }), limit: MOST_PODS });
      const pods = states.filter(({ deleted }) => !deleted).map(({ object }) => object);
      return toList(pods.filter(({ metadata }) => selects(metadata.labels ?? {})).sort(byName));
    });

    app.get('/api/pods/:namespace/:pod', async (request) => {
      const { namespace, pod } = parseRequest(podPath, request.params, 'path');
      const state = known(log, namespace, pod);
      if (!state.deleted) return state.object;
      throw new CodedError(
        'POD_DELETED',
        `pod "${namespace}/${pod}" was deleted by ${new Date(state.at).toISOString()}; its why, lives, logs and events are kept`,
        { status: 404 },
      );
    });

    app.get('/api/pods/:namespace/:pod/why', async (request) => {
      const { namespace, pod } = parseRequest(podPath, request.params, 'path');
      const { kind } = parseRequest(whyQuery, request.query, 'query');
      return why(log, namespace, pod, kind);
    });

    app.get('/api/pods/:namespace/:pod/lives', async (request) => {
      const { namespace, pod } = parseRequest(podPath, request.params, 'path');
      const query = parseRequest(livesQuery, request.query, 'query');
      known(log, namespace, pod);
      return toList(log.lives({ namespace, pod, ...withContainer(query.container), limit: query.limit }));
    });

    app.get('/api/pods/:namespace/:pod/events', async (request) => {
      const { namespace, pod } = parseRequest(podPath, request.params, 'path');
      const query = parseRequest(eventsQuery, request.query, 'query');
      known(log, namespace, pod);
      return toList(log.events({ namespace, pod, ...withContainer(query.container), limit: query.limit }));
    });

    app.get('/api/pods/:namespace/:pod/logs', async (request, reply) => {
      const { namespace, pod } = parseRequest(podPath, request.params, 'path');
      const query = parseRequest(logsQuery, request.query, 'query');
      const lines = await logLines(options, known(log, namespace, pod), query);
      reply.type('text/plain; charset=utf-8');
      return lines.map(({ text }) => `${text}\n`).join('');
    });
  };
}

/** A v1 List. */
export function toList<Item>(items: readonly Item[]) {
  return { kind: 'List', apiVersion: 'v1', metadata: {}, items } as const;
}

function known(log: EventLog, namespace: string, pod: string): PodState {
  const state = newestPod(log, namespace, pod);
  if (state === undefined) throw podNotFound(log, namespace, pod);
  return state;
}

async function logLines(
  { log, logs }: PodRoutesOptions,
  { pod, object, deleted }: PodState,
  query: { readonly container?: string | undefined; readonly previous: boolean; readonly tail: number },
): Promise<readonly LogLine[]> {
  const container = containerOf(object, query.container);
  const live = deleted ? undefined : await logs?.(pod, container, query);
  if (live !== undefined) return tailOf(live, query.tail);
  const lives = log.lives({ namespace: pod.namespace, pod: pod.name, uid: pod.uid, container, limit: 1 });
  return tailOf(lives[0]?.log ?? [], query.tail);
}

function tailOf(lines: readonly LogLine[], tail: number): readonly LogLine[] {
  return tail === 0 ? [] : lines.slice(-tail);
}

/** @throws CONTAINER_NOT_FOUND (400) naming the containers there are. */
function containerOf({ metadata, spec }: Pod, wanted: string | undefined): string {
  const names = [...spec.containers, ...(spec.initContainers ?? [])].map((container) => container.name);
  if (wanted === undefined) return names[0]!;
  if (names.includes(wanted)) return wanted;
  throw new CodedError(
    'CONTAINER_NOT_FOUND',
    `container ${wanted} is not in pod ${metadata.name}; it has: ${names.join(', ')}`,
    { status: 400 },
  );
}

const withContainer = (container: string | undefined) => (container === undefined ? {} : { container });

const byName = (a: Pod, b: Pod) => {
  const [left, right] = [a, b].map(({ metadata }) => `${metadata.namespace}/${metadata.name}`) as [
    string,
    string,
  ];
  return left < right ? -1 : left > right ? 1 : 0;
};
