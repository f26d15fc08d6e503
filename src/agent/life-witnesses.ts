import type { Clock } from '../util/clock.ts';
import type { FlightRecorder } from './events/flight-recorder.ts';
import { createNetworkLives } from './events/network-lives.ts';
import { openSignalTrace } from './host/signal-trace.ts';
import type { PodManager } from './pod/pod-manager.ts';
import type { Runtime } from './pod/runtime/runtime.ts';
import type { PodTransition } from './pod/transition.ts';
import { createDenialWatch } from './stats/denial-watch.ts';
import { createFaultWatch } from './stats/fault-watch.ts';
import { createSenderWatch } from './stats/sender-watch.ts';
import type { StatsReader } from './stats/stats-reader.ts';
import type { WatchedPods } from './watched-pods.ts';

export interface LifeWitnessesOptions {
  readonly clock: Clock;
  readonly flightRecorder: FlightRecorder;
  readonly stats: Pick<StatsReader, 'readPod'>;
  readonly view: WatchedPods['view'];
}

/** What the kernel and the network can tell of a life beside its own words: noted in the flight recorder as it ends. */
export interface LifeWitnesses {
  /** To be called with every transition, at the moment it happens. */
  saw(transition: PodTransition): void;
  /** Lives that began before this agent. */
  adopt(pods: ReturnType<PodManager['views']>['pods']): void;
  /** The same runtime; commands that users run by it are known when they send signals. */
  watching(runtime: Runtime): Runtime;
  /** Nobody has sent the first process of a life that goes on a signal since it began; false where that cannot be told. */
  isUntouched(containerId: string): boolean;
  close(): void;
}

export async function openLifeWitnesses(options: LifeWitnessesOptions): Promise<LifeWitnesses> {
  const { clock, flightRecorder, stats, view } = options;
  const faults = createFaultWatch();
  const denials = createDenialWatch();
  const senders = createSenderWatch({
    trace: await openSignalTrace(),
    now: () => clock.now(),
    kernelNow: () => Number(process.hrtime.bigint() / 1_000_000n),
  });
  const network = createNetworkLives((uid) => stats.readPod(uid).pods.get(uid)?.tcp, flightRecorder);

  const started = (transition: PodTransition & { readonly kind: 'container-started' }) => {
    network.started(transition);
    faults.started(transition.containerId, transition.pid);
    senders.started(transition);
    denials.started(transition.containerId, transition.pid);
  };
  const died = (transition: PodTransition & { readonly kind: 'container-died' }) => {
    const { containerId } = transition;
    network.died(transition);
    const fault = faults.ended(containerId, transition.signal);
    if (fault) flightRecorder.recordFault(containerId, fault);
    const denial = denials.ended(containerId);
    if (denial) flightRecorder.recordDenial(containerId, denial);
    const sender = senders.ended(transition);
    if (sender) flightRecorder.recordSender(containerId, sender);
  };
  // What the pod listens on at the moment a probe finds nobody: a short life may have no other look at it.
  const probeFailed = ({ pod, container }: PodTransition & { readonly kind: 'probe' }) => {
    const id = view(pod.uid)?.containers.find(({ name }) => name === container)?.running?.id;
    const listening = stats.readPod(pod.uid).pods.get(pod.uid)?.listening;
    if (id !== undefined && listening) flightRecorder.recordListening(id, listening);
  };

  return {
    saw(transition) {
      if (transition.kind === 'container-started') started(transition);
      else if (transition.kind === 'container-died') died(transition);
      else if (transition.kind === 'probe' && !transition.result.ok) probeFailed(transition);
      else if (transition.kind === 'pod-deleted') network.forget(transition.pod.uid);
    },
    adopt(pods) {
      for (const { ref, containers } of pods)
        for (const { name, running } of containers)
          if (running)
            senders.started({ pod: ref, container: name, containerId: running.id, pid: running.pid });
    },
    watching: (runtime) => ({
      ...runtime,
      async openExec(containerId, command, asked) {
        const session = await runtime.openExec(containerId, command, asked);
        if (session.pid !== undefined) senders.ran(session.pid);
        return session;
      },
    }),
    isUntouched: (containerId) => senders.isUntouched(containerId),
    close() {
      senders.close();
      denials.close();
      faults.close();
    },
  };
}
