import type { KillRequest } from '../../../model/life.ts';
import type { PodmanEvent } from '../../engines/podman/event-stream.ts';

export interface DeathEvidence {
  readonly died: PodmanEvent;
  /** When that life began; nanoseconds. */
  readonly startedNano: number;
  /** All that is remembered of the container, and of its pod, in order. */
  readonly events: readonly PodmanEvent[];
  readonly podEvents: readonly PodmanEvent[];
  /** Podman removes the container itself when it ends. */
  readonly autoRemove: boolean;
  /** The kernel killed it: nobody need be looked for. */
  readonly oomKilled: boolean;
  /** The kernel saw nobody send its first process a signal: nobody asked for it. */
  readonly untouched: () => boolean;
  readonly nowMs: number;
}

export interface DeathJudgement {
  readonly request: KillRequest | null;
  /** False: evidence may still come; ask again. */
  readonly decided: boolean;
}

/** Podman tells of a stop after the death, and several processes write its events. */
const SETTLE_MS = 1500;
/** The second of two who clean up comes within 90 ms of the first on a busy host; events are handed on every 250 ms. */
const SECOND_MS = 600;
/** As slow as this host cleaned up once may it be again. */
const SLOWNESS = 4;
/** A signal that ends a container does so soon; one that does not is no cause of a later death. */
const KILL_WITHIN_NS = 15e9;
/** A stop waits for the container's own grace. */
const STOP_WITHIN_NS = 600e9;
const POD_WITHIN_NS = 60e9;

const WORDS: Readonly<Record<string, string>> = {
  kill: 'Killed by podman kill',
  stop: 'Stopped by podman stop',
  restart: 'Restarted by podman restart',
  remove: 'Removed by podman rm --force',
};

/**
 * Who asked for a death, by the events around it; null where nobody did. A `restart` before the death is a user's, one
 * after it is the restart policy's. Podman 4 loses the `stop` of most stops: there it cleans up twice, once for whoever
 * stopped and once for the death, which no crash does.
 */
export function judgeDeath(evidence: DeathEvidence): DeathJudgement {
  const { died, startedNano, events, podEvents, autoRemove, oomKilled, untouched, nowMs } = evidence;
  const after = events.filter(({ nano }) => nano > died.nano);
  const nextLife = after.findIndex(({ action }) => ['restart', 'init', 'start'].includes(action));
  const aftermath = nextLife === -1 ? after : after.slice(0, nextLife);
  const before = events.filter(({ nano }) => nano > startedNano && nano < died.nano);
  const podBefore = podEvents.filter(({ nano }) => nano > startedNano && nano < died.nano);

  const within = (list: readonly PodmanEvent[], action: string, ns: number) =>
    list.findLast((event) => event.action === action && Math.abs(died.nano - event.nano) <= ns);
  const asked =
    within(before, 'kill', KILL_WITHIN_NS) ??
    within(before, 'restart', STOP_WITHIN_NS) ??
    within([...before, ...aftermath], 'stop', STOP_WITHIN_NS) ??
    (autoRemove ? undefined : within(aftermath, 'remove', POD_WITHIN_NS)) ??
    within(podBefore, 'kill', POD_WITHIN_NS) ??
    within(podBefore, 'stop', POD_WITHIN_NS);
  if (asked) return { request: requestOf(asked), decided: true };
  if (oomKilled || untouched()) return { request: null, decided: true };
  const sinceDeath = ({ nano }: PodmanEvent) => (nano - died.nano) / 1e6;
  const settled = within(aftermath, 'cleanup', SETTLE_MS * 1e6);
  const twice = aftermath.filter(
    ({ action, nano }) => action === 'cleanup' && nano - died.nano <= SETTLE_MS * 1e6,
  );
  if (settled && twice.length > 1) return { request: requestOf({ ...died, action: 'stop' }), decided: true };
  const over = nextLife !== -1 || after.some(({ action }) => action === 'remove');
  const waitMs = settled
    ? Math.min(SETTLE_MS, sinceDeath(settled) + Math.max(SECOND_MS, SLOWNESS * sinceDeath(settled)))
    : SETTLE_MS;
  return { request: null, decided: over || nowMs - died.nano / 1e6 >= waitMs };
}

function requestOf({ action, nano, type }: PodmanEvent): KillRequest {
  const words = WORDS[action]!;
  return {
    by: action === 'remove' ? 'delete' : 'user',
    message: type === 'pod' ? words.replace('podman ', 'podman pod ') : words,
    at: Math.floor(nano / 1e6),
  };
}
