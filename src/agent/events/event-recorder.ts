import type { PodEvent } from '../../model/event.ts';
import type { Life, LogLine, OomKill } from '../../model/life.ts';
import type { PodRef } from '../../model/pod-ref.ts';
import type { AgentRecord, NodeState } from '../../model/record.ts';
import type { Verdict } from '../../model/verdict.ts';
import type { CancelTimer, Clock } from '../../util/clock.ts';
import type { KeyValue } from '../pod/key-value.ts';
import type { PodTransition } from '../pod/transition.ts';
import type { PodView, WorkloadView } from '../pod/view.ts';
import type { WorkloadEvent } from '../pod/workload/workload-event.ts';
import { redactObject, redactText } from '../redaction/redaction.ts';
import { diagnosePod } from '../triage/diagnose-pod.ts';
import { isDependencyDeath } from '../triage/pod-evidence.ts';
import { createDepartures } from './departures.ts';
import type { FlightRecorder } from './flight-recorder.ts';
import { createLifeHistory } from './life-history.ts';
import { MOST_LOG_LINES } from './log-tail.ts';
import { type ContainerDied, diedEvent, toLife } from './obituary.ts';
import { type OomVictim, oomKillEvent } from './oom-kill-event.ts';
import { createPodStates, type PodStates } from './pod-states.ts';
import { recordId } from './record-id.ts';
import { createRepetition, type Repetition } from './repetition.ts';
import { type Wording, wordingOf } from './wording.ts';
import { createWorkloadEvents } from './workload-events.ts';

/** How long a death waits for its log, and for the kernel's record of an OOM kill that its counter has shown. */
const LOG_WAIT_MS = 2000;
const VICTIM_WAIT_MS = 250;
/** How often time alone may change a verdict: a start becomes slow, an old death stops to matter. */
const LOOK_MS = 5000;
const MOST_EVENTS = 50;
const MOST_VICTIMS = 100;
const MOST_MESSAGE = 1024;

export interface EventRecorderOptions {
  readonly node: string;
  readonly clock: Clock;
  readonly flightRecorder: FlightRecorder;
  /** The end of one life's log, oldest line first. */
  readonly logs: (
    podUid: string,
    container: string,
    attempt: number,
    tail: number,
  ) => Promise<readonly LogLine[]>;
  /** The pod as it is now; undefined when it is gone. */
  readonly view: (podUid: string) => PodView | undefined;
  /** How far the node's clock is ahead of the true time; undefined: not known. */
  readonly clockOffsetSeconds?: () => number | undefined;
  /** Where the last lives are kept over a restart; left out: they are not. */
  readonly keyValue?: KeyValue;
  /** Called with records that belong together, in order; they are to be sent as one. */
  readonly emit: (records: readonly AgentRecord[]) => void;
}

export interface EventRecorder {
  onTransition(transition: PodTransition): void;
  onOomKill(victim: OomVictim): void;
  /** What a controller did or saw. */
  onWorkloadEvent(event: WorkloadEvent): void;
  /** The pod's object may have changed. */
  podChanged(view: PodView): void;
  workloadChanged(view: WorkloadView, deleted?: boolean): void;
  nodeChanged(node: Pick<NodeState, 'version' | 'level' | 'notEnforced'>): void;
  /** The last ten lives of each container of a pod that is there, oldest first. */
  lives(podUid: string, container?: string): readonly Life[];
  verdict(podUid: string): Verdict | undefined;
  /** Resolves when every death so far is told, of one pod or of all. */
  settled(podUid?: string): Promise<void>;
  /** Events not told because their pod told too many. */
  readonly dropped: number;
  close(): void;
}

interface PodMemory {
  readonly ref: PodRef;
  readonly repetition: Repetition;
  readonly states: PodStates;
  events: readonly PodEvent[];
  /** Container ids of lives that run, by container. */
  readonly running: Map<string, string>;
  /** Victims of lives that have not ended, by container and attempt; and who waits for one. */
  readonly victims: Map<string, OomKill[]>;
  readonly awaited: Map<string, () => void>;
  ending: boolean;
  /** Deaths whose record is being made. */
  readonly dying: Set<Promise<void>>;
}

/**
 * Turns what happens to pods into records: events in Kubernetes' words, a life at each death, and the pod's state with
 * its verdict when it changes. A death, its OOM kills, its life and the new state go out together.
 */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { clock, flightRecorder, emit } = options;
  const pods = new Map<string, PodMemory>();
  const history = createLifeHistory(options.keyValue);
  const departures = createDepartures(options.keyValue);
  const workloadEvents = createWorkloadEvents(options.node, clock, (event) =>
    emit([{ kind: 'event', event: redactEvent(event) }]),
  );
  let droppedBefore = 0;
  let cancelLook: CancelTimer | undefined;

  const memoryOf = (ref: PodRef): PodMemory => {
    const known = pods.get(ref.uid);
    if (known) return known;
    const memory: PodMemory = {
      ref,
      repetition: createRepetition(clock, (event) => {
        memory.events = [...memory.events.slice(1 - MOST_EVENTS), event];
        emit([{ kind: 'event', event }]);
      }),
      states: createPodStates({
        clock,
        diagnose: (view) => diagnosePod(evidenceOf(memory, view)),
        emit: (state) => emit([{ kind: 'pod', state }]),
      }),
      events: [],
      running: new Map(),
      victims: new Map(),
      awaited: new Map(),
      ending: false,
      dying: new Set(),
    };
    pods.set(ref.uid, memory);
    return memory;
  };

  const relatedLives = (ref: PodRef) => {
    const lives = history.of(ref.uid);
    if (ref.workloadType === 'barepod' || !lives.some(isDependencyDeath)) return { lives };
    const siblings = [...pods.values()].flatMap(({ ref: other }) =>
      other.uid !== ref.uid && other.namespace === ref.namespace && other.workload === ref.workload
        ? history.of(other.uid)
        : [],
    );
    return { lives, siblings };
  };
  const evidenceOf = ({ events, ref, running }: PodMemory, view: PodView) => {
    const flights = view.containers.map((container) => {
      const id = container.running?.id ?? running.get(container.name);
      return [container.name, id === undefined ? undefined : flightRecorder.now(id)] as const;
    });
    const listening = flights.find(([, flight]) => flight?.listening !== undefined)?.[1]?.listening;
    return {
      view,
      ...relatedLives(ref),
      events,
      probes: new Map(flights.map(([name, flight]) => [name, flight?.probes ?? []])),
      throttled: new Map(
        flights.flatMap(([name, flight]) =>
          flight?.throttledRatio === undefined ? [] : [[name, flight.throttledRatio] as const],
        ),
      ),
      networkErrors: new Map(
        flights.flatMap(([name, flight]) => (flight?.network ? [[name, flight.network] as const] : [])),
      ),
      ...(listening === undefined ? {} : { listening }),
      now: clock.now(),
    };
  };

  const follow = (memory: PodMemory, transition: PodTransition) => {
    if (transition.kind === 'container-started')
      memory.running.set(transition.container, transition.containerId);
    if (transition.kind === 'probe' || transition.kind === 'late-answer') {
      const id = containerId(memory, transition.container);
      const { result } = transition;
      const message = redactText(result.message.slice(0, MOST_MESSAGE));
      if (id !== undefined)
        flightRecorder.recordProbe(id, { ...result, message, target: redactText(result.target) });
    }
  };
  // An adopted container was not seen to start; the view knows it.
  const containerId = (memory: PodMemory, container: string) =>
    memory.running.get(container) ??
    options.view(memory.ref.uid)?.containers.find(({ name }) => name === container)?.running?.id;

  const die = (memory: PodMemory, death: ContainerDied) => {
    const flight = flightRecorder.take(death.containerId);
    if (memory.running.get(death.container) === death.containerId) memory.running.delete(death.container);
    const dying = bury(memory, death, flight).finally(() => memory.dying.delete(dying));
    memory.dying.add(dying);
  };

  const bury = async (
    memory: PodMemory,
    death: ContainerDied,
    flight: ReturnType<FlightRecorder['take']>,
  ) => {
    const key = `${death.container} ${death.attempt}`;
    const [log] = await Promise.all([logOf(death), victimsOf(memory, key, death)]);
    const oomKills = memory.victims.get(key) ?? [];
    memory.victims.delete(key);
    const { uid } = death.pod;
    const view = options.view(uid) ?? memory.states.view;
    const earlier = history.of(uid, death.container).filter(({ attempt }) => attempt < death.attempt);
    const well = wellOf(death);
    const clockOffsetSeconds = options.clockOffsetSeconds?.();
    const life = toLife(death, {
      log,
      flight,
      oomKills,
      earlier,
      view,
      clockOffsetSeconds,
      ...(well ? { well } : {}),
    });
    history.add(life);
    const events = [...unseenKillEvents(life, oomKills), diedEvent(life)];
    memory.events = [...memory.events, ...events].slice(-MOST_EVENTS);
    emit([
      ...events.map((event) => ({ kind: 'event', event }) as const),
      // A command's words may hold a secret; triage compares them as they are, nobody else sees them so.
      { kind: 'life', life: { ...life, config: redactObject(life.config) } },
      ...(view ? [{ kind: 'pod', state: memory.states.state(view) } as const] : []),
    ]);
  };

  /** The same container in a pod of its workload that is ready, the longest. */
  const wellOf = ({ pod, container }: ContainerDied) => {
    if (pod.workloadType === 'barepod') return undefined;
    const others = [...pods.values()].flatMap(({ ref }) => {
      const isOther = ref.uid !== pod.uid && ref.namespace === pod.namespace && ref.workload === pod.workload;
      const view = isOther ? options.view(ref.uid) : undefined;
      const found = view?.containers.find(({ name }) => name === container);
      const ready = view?.object.status.conditions.some(
        ({ type, status }) => type === 'Ready' && status === 'True',
      );
      return ready && found?.running
        ? [{ config: found.config, pod: ref, startedAt: found.running.startedAt }]
        : [];
    });
    return others.sort((a, b) => a.startedAt - b.startedAt)[0];
  };
  const logOf = (death: ContainerDied) =>
    within(
      clock,
      LOG_WAIT_MS,
      options.logs(death.pod.uid, death.container, death.attempt, MOST_LOG_LINES).catch(() => []),
      [] as readonly LogLine[],
    );
  // The counter is read at the exit; the kernel's log may be read a moment later.
  const victimsOf = (memory: PodMemory, key: string, { oomKills = 0 }: ContainerDied) => {
    if (oomKills === 0 || (memory.victims.get(key)?.length ?? 0) >= oomKills) return undefined;
    const victim = new Promise<void>((resolve) => memory.awaited.set(key, resolve));
    return within(clock, VICTIM_WAIT_MS, victim, undefined).finally(() => memory.awaited.delete(key));
  };

  const end = async (memory: PodMemory) => {
    while (memory.dying.size > 0) await Promise.all(memory.dying);
    const { uid } = memory.ref;
    memory.repetition.flush();
    const departure = departures.of(uid);
    const state = departure?.state ?? memory.states.deleted(departure?.view);
    departures.left(uid, state);
    if (state) emit([{ kind: 'pod', state }]);
    droppedBefore += memory.repetition.dropped;
    history.forget(uid);
    pods.delete(uid);
  };

  const leave = (memory: PodMemory) => {
    const view = options.view(memory.ref.uid) ?? memory.states.view;
    if (view) departures.leaving(view);
  };

  const look = () => {
    for (const { states } of pods.values()) states.look();
    cancelLook = clock.setTimer(LOOK_MS, look, { unref: true });
  };
  cancelLook = clock.setTimer(LOOK_MS, look, { unref: true });
  const endings = new Map<Promise<void>, string>();

  return {
    onTransition(transition) {
      const memory = memoryOf(transition.pod);
      follow(memory, transition);
      if (transition.kind === 'container-died') return die(memory, transition);
      for (const wording of wordingOf(transition)) memory.repetition.tell(toEvent(transition, wording));
      if (transition.kind === 'pod-deleting') leave(memory);
      if (transition.kind !== 'pod-deleted') return;
      memory.ending = true;
      const ending = end(memory).finally(() => endings.delete(ending));
      endings.set(ending, transition.pod.uid);
    },
    onOomKill(victim) {
      const memory = memoryOf(victim.pod);
      const key = `${victim.container} ${victim.attempt}`;
      const known = memory.victims.get(key) ?? [];
      if (known.some(({ pid }) => pid !== undefined && pid === victim.kill.pid)) return;
      memory.repetition.tell(redactEvent(oomKillEvent(victim)));
      const isOver = history
        .of(victim.pod.uid, victim.container)
        .some(({ attempt }) => attempt === victim.attempt);
      if (isOver) return;
      memory.victims.set(key, [...known.slice(1 - MOST_VICTIMS), victim.kill]);
      memory.awaited.get(key)?.();
    },
    onWorkloadEvent: workloadEvents.tell,
    podChanged(view) {
      // A view may be older than the end of its pod: nothing that is told after that end may bring it back.
      if (!departures.has(view.ref.uid) && !pods.get(view.ref.uid)?.ending)
        memoryOf(view.ref).states.changed(view);
    },
    workloadChanged(view, deleted = false) {
      if (!view.object) return;
      const at = clock.now();
      const object = redactObject(view.object);
      const id = recordId(object.metadata.uid, 'workload', at, JSON.stringify(object), deleted ? 1 : 0);
      emit([{ kind: 'workload', state: { id, at, node: options.node, object, deleted } }]);
    },
    nodeChanged(node) {
      const at = clock.now();
      const id = recordId(options.node, 'node', at, JSON.stringify(node));
      emit([{ kind: 'node', state: { id, at, node: options.node, ...node } }]);
    },
    lives: (podUid, container) => history.of(podUid, container),
    verdict: (podUid) => pods.get(podUid)?.states.verdict,
    async settled(podUid) {
      for (;;) {
        const memories = podUid === undefined ? [...pods.values()] : [pods.get(podUid) ?? []].flat();
        const waiting = [
          ...[...endings]
            .filter(([, uid]) => podUid === undefined || uid === podUid)
            .map(([ending]) => ending),
          ...memories.flatMap(({ dying }) => [...dying]),
        ];
        if (waiting.length === 0) return;
        await Promise.all(waiting);
      }
    },
    get dropped() {
      const before = droppedBefore + workloadEvents.dropped;
      return [...pods.values()].reduce((sum, { repetition }) => sum + repetition.dropped, before);
    },
    close() {
      cancelLook?.();
      workloadEvents.flush();
      for (const { states, repetition } of pods.values()) {
        repetition.flush();
        states.close();
      }
    },
  };
}

function toEvent(transition: PodTransition, { sequence, ...wording }: Wording): PodEvent {
  const container = 'container' in transition ? transition.container : undefined;
  const attempt = 'attempt' in transition ? transition.attempt : undefined;
  return redactEvent({
    id: recordId(transition.pod.uid, container, attempt, wording.reason, sequence),
    at: transition.at,
    pod: transition.pod,
    ...(container === undefined ? {} : { container }),
    ...(attempt === undefined ? {} : { attempt }),
    ...wording,
  });
}

const redactEvent = (event: PodEvent): PodEvent => ({
  ...event,
  message: redactText(event.message.slice(0, MOST_MESSAGE)),
  ...(event.details ? { details: redactObject(event.details) } : {}),
});

/** Kills that only the counter told of. */
function unseenKillEvents(life: Life, seen: readonly OomKill[]): readonly PodEvent[] {
  return life.oomKills.slice(seen.length).map((kill, index) => {
    const event = oomKillEvent({ pod: life.pod, container: life.container, attempt: life.attempt, kill });
    return {
      ...event,
      id: recordId(life.pod.uid, life.container, life.attempt, 'OOMKill', `unseen ${index}`),
    };
  });
}

/** What `promise` gives, or `otherwise` after `ms`. */
function within<T>(clock: Clock, ms: number, promise: Promise<T>, otherwise: T): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimer(ms, () => resolve(otherwise));
    promise.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error) => {
        cancel();
        reject(error);
      },
    );
  });
}
