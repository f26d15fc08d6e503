import type { FastifyBaseLogger, FastifyPluginAsync } from 'fastify';
import { createHttpServer } from '../http/server.ts';
import type { Pod } from '../model/kubernetes.ts';
import type { Clock } from '../util/clock.ts';
import { CodedError } from '../util/coded-error.ts';
import { debugRoutes } from './api/debug.ts';
import { nodeRoutes } from './api/nodes.ts';
import { type ObjectRoutesOptions, objectRoutes } from './api/objects.ts';
import { podControlRoutes } from './api/pod-control.ts';
import { answerSessions } from './api/sessions.ts';
import { workloadRoutes } from './api/workloads.ts';
import type { PodManager } from './pod/pod-manager.ts';
import type { Runtime } from './pod/runtime/runtime.ts';
import type { WatchedPods } from './watched-pods.ts';

export interface ControlServerOptions {
  readonly controlSocket: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: FastifyBaseLogger;
}

/** What commands ask of the agent, on a socket that only its user may open. */
export async function openControlServer(
  options: ControlServerOptions,
  manager: PodManager,
  runtime: Runtime,
  pods: WatchedPods,
  apply: ObjectRoutesOptions['apply'],
  usage: FastifyPluginAsync,
) {
  const control = await createHttpServer({
    name: 'agent',
    listen: { socket: options.controlSocket },
    logger: options.logger,
    clock: options.clock,
  });
  await control.app.register(
    objectRoutes({
      apply,
      list: (kind, namespace) =>
        kind === 'Pod'
          ? [...manager.list(kind, namespace), ...pods.foreign(namespace)]
          : manager.list(kind, namespace),
      async delete(target, { gracePeriodSeconds, wait }) {
        const theirs = target.kind === 'Pod' ? pods.theirs(target.namespace, target.name) : undefined;
        if (theirs) {
          const removed = theirs.source.remove(theirs.pod.metadata.uid, gracePeriodSeconds);
          if (wait) await removed;
          else removed.catch((error) => options.logger.error({ err: error }, 'a pod could not be removed'));
          return;
        }
        const { gone } = manager.delete({
          ...target,
          ...(gracePeriodSeconds === undefined
            ? {}
            : { gracePeriodSeconds, force: gracePeriodSeconds === 0 }),
          request: { by: 'user', message: 'Deleted by podvitals delete' },
        });
        if (wait) await gone;
      },
      logs: (pod: Pod, container, attempt, logOptions) =>
        pods.logs(pod.metadata.uid, container, attempt, logOptions),
      followLogs: (pod: Pod, container, attempt, onLine, signal) =>
        pods.followLogs(pod.metadata.uid, container, attempt, onLine, signal),
      watch: (listener) => pods.onTransition(listener),
      clock: options.clock,
    }),
  );
  await control.app.register(nodeRoutes(manager));
  await control.app.register(workloadRoutes((target, change) => manager.change(target, change)));
  await control.app.register(
    podControlRoutes(async (target, verb) => {
      const theirs = pods.theirs(target.namespace, target.name);
      if (theirs) await theirs.source.control(theirs.pod.metadata.uid, verb);
      else await manager.control(target, verb);
    }),
  );
  await control.app.register(usage);
  answerSessions(control.app, {
    findPod: (namespace, name) =>
      pods.theirs(namespace, name)?.pod ?? (manager.get('Pod', namespace, name) as Pod | undefined),
    async exec(pod, container, command, execOptions) {
      const { namespace, name, uid } = pod.metadata;
      const theirs = pods.theirs(namespace, name);
      return theirs
        ? theirs.source.exec(uid, container, command, execOptions)
        : runtime.openExec(runningId(manager, pod, container), command, execOptions);
    },
    async dial({ metadata: { namespace, name, uid } }, port) {
      return (pods.theirs(namespace, name)?.source ?? runtime).dial(uid, port);
    },
    onError: (error) => options.logger.error({ err: error }, 'a session ended by a failure'),
  });
  await control.app.register(
    debugRoutes({
      find: (namespace, name) => manager.get('Pod', namespace, name) as Pod | undefined,
      folderOf: manager.folderOf,
      apply: (files) => apply(files, { create: true }),
      random: options.random,
    }),
  );
  await control.listen();
  return control;
}

function runningId(manager: PodManager, pod: Pod, container: string): string {
  const found = manager.view(pod.metadata.uid)?.containers.find(({ name }) => name === container);
  if (found?.running) return found.running.id;
  throw new CodedError(
    'CONTAINER_NOT_RUNNING',
    `container ${container} of pod ${pod.metadata.name} is not running; see: podvitals describe pod ${pod.metadata.namespace}/${pod.metadata.name}`,
    { status: 409 },
  );
}
