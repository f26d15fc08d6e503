import type { Verdict } from '../../../model/verdict.ts';
import { describePod, manifestOf } from '../next-step.ts';
import { containersOf, lastEvent } from '../pod-evidence.ts';
import { brief } from '../words.ts';
import { ofWhichContainer } from './of-which-container.ts';
import { eventFact, type PodFailureOf, waitingFact } from './pod-failure.ts';

const REASONS: readonly string[] = [
  'RunContainerError',
  'CreateContainerError',
  'StartError',
  'ContainerCannotRun',
  'PostStartHookError',
];
const FAILED: readonly string[] = ['Failed', 'FailedToStart'];

/** The command never ran: it is not there, cannot be executed, or the runtime could not make its surroundings. */
export const startFailed: PodFailureOf = (pod) => {
  for (const { name, status, spec, init } of containersOf(pod)) {
    const { waiting, terminated } = status?.state ?? {};
    const waits = waiting && REASONS.includes(waiting.reason);
    const loops =
      waiting?.reason === 'CrashLoopBackOff' && REASONS.includes(status?.lastState.terminated?.reason ?? '');
    const ended = terminated && REASONS.includes(terminated.reason);
    if (!waits && !ended && !loops) continue;
    const event = lastEvent(pod, FAILED, name);
    const message =
      [
        waits ? waiting.message : undefined,
        terminated?.message,
        status?.lastState.terminated?.message,
        event?.message,
      ].find(Boolean) ?? '';
    const state = waiting ?? { reason: terminated!.reason, message };
    const { cause, because } = explain(message, spec.command ?? spec.args ?? []);
    return ofWhichContainer(
      { init, spec, name },
      {
        cause,
        confidence: cause === 'StartError' ? 'likely' : 'certain',
        summary: `Container ${name} cannot be started: ${because}.`,
        evidence: [waitingFact(pod, name, state, event)],
        next: [
          manifestOf(pod.view.ref, 'correct command, args, workingDir or mounts'),
          describePod(pod.view.ref, 'read the whole message of the runtime'),
        ],
      },
    );
  }
  return sandboxFailed(pod);
};

const WAYS: readonly (readonly [RegExp, Pick<Verdict, 'cause'>, string])[] = [
  [
    /executable file not found|exec: .{0,300}no such file or directory/i,
    { cause: 'CommandNotFound' },
    'the command does not exist in it',
  ],
  [/exec format error/i, { cause: 'WrongArchitecture' }, 'the command is built for another architecture'],
  [
    /permission denied|is a directory|not executable/i,
    { cause: 'PermissionDenied' },
    'the command cannot be executed',
  ],
];

function explain(message: string, command: readonly string[]) {
  const named = /exec: "([^"]{1,200})"/.exec(message)?.[1] ?? command[0];
  const way = WAYS.find(([pattern]) => pattern.test(message));
  if (!way)
    return {
      cause: 'StartError',
      because: brief(message, 240) || 'the runtime does not say why',
    };
  return { ...way[1], because: `${way[2]}${named === undefined ? '' : ` (${brief(named, 120)})`}` };
}

const sandboxFailed: PodFailureOf = (pod) => {
  const event = lastEvent(pod, ['FailedCreatePodSandBox']);
  if (!event || pod.view.startup.sandboxAt !== undefined) return undefined;
  return {
    cause: 'StartError',
    confidence: 'likely',
    summary: `The pod's network or cgroup cannot be set up: ${brief(event.message, 240)}`,
    evidence: [eventFact(event)],
    next: [describePod(pod.view.ref, 'read the whole message of the runtime')],
  };
};
