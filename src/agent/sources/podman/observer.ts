import { backOffDelay } from '../../../util/back-off.ts';
import { type CancelTimer, type Clock, sleep } from '../../../util/clock.ts';
import { isCodedError } from '../../../util/coded-error.ts';
import type { ContainerInspection } from '../../engines/podman/answers.ts';
import type { PodmanEvent } from '../../engines/podman/event-stream.ts';
import type { PodmanClient } from '../../engines/podman/podman-client.ts';
import { AGENT_LABEL } from '../../pod/runtime/podman/labels.ts';
import { isCrashLooping } from './crash-loop.ts';
import { ALIVE_STATES, isInfra } from './found.ts';
import type { PodKeeper } from './pod-keeper.ts';
import type { PositionKeeper } from './position.ts';
import type { RecentEvents } from './recent-events.ts';

export interface ObserverOptions {
  readonly client: PodmanClient;
  readonly clock: Clock;
  readonly events: RecentEvents;
  readonly position: PositionKeeper;
  readonly keeper: PodKeeper;
  /** Told once each time the trouble becomes another. */
  readonly onTrouble: (error: unknown) => void;
  readonly onRecovered: () => void;
}

/** Looks at one Podman until it is closed. */
export interface Observer {
  close(): Promise<void>;
}

const LIST_EVERY_MS = 10_000;
const COLLECT_MS = 20;
const BACK_OFF = { baseMs: 1000, capMs: 30_000 };
const INSPECTED_AT_ONCE = 4;
const MOST_UNCLEAR = 10;
const UNCLEAR_MS = 200;
/** Processes write events beside each other: some may come up after a later one. */
const OVERLAP_NS = 10e9;

/**
 * When to look, and at what: at whatever an event names or a list shows to differ from what is known, until nothing is
 * open. A list and its inspections are the truth; events make us look earlier.
 */
export function observePodman(options: ObserverOptions): Observer {
  const { client, clock, events, position, keeper } = options;
  const dirty = new Set<string>();
  const passedOver = new Set<string>();
  const unclear = new Map<string, number>();
  const end = new AbortController();
  let received = 0;
  let podRemoved = false;
  let firstList = position.nano === undefined;
  let looking: Promise<void> | undefined;
  let cancelLook: CancelTimer | undefined;
  let cancelList: CancelTimer | undefined;
  let trouble: string | undefined;

  // The same trouble is told once, until it is over.
  const onTrouble = (error: unknown) => {
    const code = isCodedError(error) ? error.code : String(error);
    if (trouble === code) return;
    trouble = code;
    options.onTrouble(error);
  };
  const onWell = () => {
    if (trouble !== undefined) options.onRecovered();
    trouble = undefined;
  };

  const lookSoon = (ms: number) => {
    if (end.signal.aborted) return;
    cancelLook?.();
    cancelLook = clock.setTimer(
      ms,
      () => {
        cancelLook = undefined;
        looking = (looking ?? Promise.resolve()).then(look);
      },
      { unref: true },
    );
  };

  const onEvent = (event: PodmanEvent) => {
    if (event.type !== 'container' && event.type !== 'pod') return;
    if (passedOver.has(event.id) || event.attributes[AGENT_LABEL] !== undefined || isInfra(event)) return;
    events.add(event);
    received = Math.max(received, event.nano);
    if (event.type === 'container') dirty.add(event.id);
    if (event.type === 'pod')
      for (const id of Object.keys(keeper.pods.get(event.id)?.containers ?? {})) dirty.add(id);
    podRemoved ||= event.type === 'pod' && event.action === 'remove';
    lookSoon(COLLECT_MS);
  };

  /** All there is, held against what is known: whatever differs is looked at. */
  const list = async () => {
    const listed = await client.containers();
    const ids = new Set(listed.map(({ Id }) => Id));
    for (const { Id, State, StartedAt, Labels, IsInfra, Status } of listed) {
      if (IsInfra || Labels[AGENT_LABEL] !== undefined) {
        passedOver.add(Id);
        continue;
      }
      const memory = keeper.memoryOf(Id);
      const alive = ALIVE_STATES.includes(State);
      // Whatever ended before anybody looked for the first time is no news.
      if (memory === undefined && !alive && (firstList || StartedAt <= 0 || events.of(Id).length === 0))
        continue;
      const isSame =
        memory !== undefined &&
        memory.lives.alive === alive &&
        StartedAt * 1000 <= (memory.lives.startedMs ?? 0) + 1000 &&
        Status === '' &&
        !isCrashLooping(memory, clock.now());
      if (!isSame) dirty.add(Id);
    }
    for (const pod of keeper.pods.values())
      for (const id of Object.keys(pod.containers)) if (!ids.has(id)) dirty.add(id);
    for (const id of passedOver) if (!ids.has(id)) passedOver.delete(id);
    if (firstList) {
      position.advance(clock.now() * 1e6 - 5e9);
    }
    await keeper.forgetEmptyPods();
    looking = (looking ?? Promise.resolve()).then(look);
    await looking;
    firstList = false;
  };
  const listAgain = () => {
    cancelList?.();
    cancelList = clock.setTimer(
      LIST_EVERY_MS,
      () =>
        void list()
          .then(onWell, onTrouble)
          .finally(() => !end.signal.aborted && listAgain()),
      { unref: true },
    );
  };

  async function look(): Promise<void> {
    const upTo = received;
    const ids = [...dirty];
    dirty.clear();
    for (let from = 0; from < ids.length && !end.signal.aborted; from += INSPECTED_AT_ONCE) {
      const some = ids.slice(from, from + INSPECTED_AT_ONCE);
      try {
        const found = await Promise.all(some.map(inspect));
        for (const [index, id] of some.entries())
          if (found[index] !== 'unclear') await takeIn(id, found[index]);
      } catch (error) {
        // Podman is away: its next list looks again at whatever differs.
        for (const id of ids.slice(from)) dirty.add(id);
        onTrouble(error);
        return;
      }
    }
    // Nothing is open: an agent that starts again need not hear of it.
    if (dirty.size === 0) position.advance(upTo);
    if (!podRemoved) return;
    podRemoved = false;
    await keeper.forgetEmptyPods().catch(onTrouble);
  }

  /** Undefined: it is gone. `unclear`: it is being removed, or Podman stumbles over it; it is looked at again. */
  async function inspect(id: string): Promise<ContainerInspection | 'unclear' | undefined> {
    try {
      const found = await client.container(id);
      unclear.delete(id);
      return found;
    } catch (error) {
      if (isNotFound(error)) {
        unclear.delete(id);
        return undefined;
      }
      if (!isCodedError(error) || !['PODMAN_FAILED', 'PODMAN_BAD_ANSWER'].includes(error.code)) throw error;
      const times = (unclear.get(id) ?? 0) + 1;
      unclear.set(id, times);
      // Beyond that the next list asks again.
      if (times === MOST_UNCLEAR) onTrouble(error);
      if (times < MOST_UNCLEAR) {
        dirty.add(id);
        lookSoon(UNCLEAR_MS);
      }
      return 'unclear';
    }
  }

  async function takeIn(id: string, found: ContainerInspection | undefined): Promise<void> {
    if (found?.IsInfra || found?.Config.Labels[AGENT_LABEL] !== undefined) {
      passedOver.add(id);
      return;
    }
    const lookAgainMs = await keeper.takeIn(id, found, firstList);
    if (lookAgainMs === undefined) return;
    dirty.add(id);
    lookSoon(lookAgainMs);
  }

  async function run(): Promise<void> {
    for (let failures = 0; !end.signal.aborted; failures += 1) {
      try {
        await client.check();
        break;
      } catch (error) {
        onTrouble(error);
        await sleep(clock, backOffDelay(BACK_OFF, failures), end.signal).catch(() => {});
      }
    }
    if (end.signal.aborted) return;
    const since = position.nano;
    await client.followEvents({
      clock,
      ...(since === undefined ? {} : { since: since - OVERLAP_NS }),
      onEvent,
      onConnected: () => void list().then(onWell, onTrouble).finally(listAgain),
      onTrouble,
      onBadEvent: onTrouble,
      signal: end.signal,
      backOff: BACK_OFF,
    });
  }
  const running = run();

  return {
    async close() {
      end.abort();
      cancelLook?.();
      cancelList?.();
      await running;
      await looking;
    },
  };
}

const isNotFound = (error: unknown) => isCodedError(error) && error.code === 'PODMAN_NOT_FOUND';
