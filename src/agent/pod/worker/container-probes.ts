import type { KillRequest } from '../../../model/life.ts';
import type { ContainerRecord } from '../pod-record.ts';
import { type ContainerProber, createContainerProber } from '../prober/container-prober.ts';
import type { ContainerScope } from './container-scope.ts';
import { graceMsOf } from './decision.ts';

// Probes of containers met this soon after the agent's start are spread over their period.
const FRESH_MS = 10_000;

/** The probers of one pod's containers that run, and what follows from what they find. */
export interface ContainerProbes {
  /** Begins with a life; `known` is what was found of it before. A pod held still is not probed. */
  watch(container: ContainerRecord, known?: { readonly started: boolean; readonly ready: boolean }): void;
  has(container: ContainerRecord): boolean;
  /** It is about to end: nothing it fails now matters. */
  endKilling(container: ContainerRecord): void;
  stop(container: ContainerRecord): void;
  close(): void;
}

export function createContainerProbes(
  { pod, context, sync, about, subjectOf }: ContainerScope,
  kill: (container: ContainerRecord, graceMs: number, request: KillRequest) => void,
): ContainerProbes {
  const { clock } = context;
  const probers = new Map<string, ContainerProber>();

  function watch(
    container: ContainerRecord,
    known?: { readonly started: boolean; readonly ready: boolean },
  ): void {
    const life = container.life!;
    if (pod.pausedAt !== undefined) return;
    const fresh = clock.now() - context.agentStartedAt < FRESH_MS;
    const prober = createContainerProber({
      subject: subjectOf(container),
      startedAt: life.startedAt,
      ...(known === undefined ? {} : { known }),
      clock,
      jitter: fresh ? context.random() : 0,
      run: context.runProbe,
      onResult: (result, inARow, threshold) => {
        const counts = container.probes[result.probe] ?? { succeeded: 0, failed: 0 };
        container.probes[result.probe] = counts;
        counts[result.ok ? 'succeeded' : 'failed'] += 1;
        context.emit({ ...about(container), kind: 'probe', result, inARow, threshold });
      },
      onLate: (result) => context.emit({ ...about(container), kind: 'late-answer', result }),
      onChange: () => {
        note(container, prober);
        sync();
      },
      onFailed: (kind, graceMs) => {
        const message = `Container ${container.name} failed ${kind} probe, will be restarted`;
        kill(container, graceMs ?? graceMsOf(pod), { by: 'probe', message, at: clock.now() });
        sync();
      },
    });
    probers.set(container.name, prober);
    note(container, prober);
  }

  function note(container: ContainerRecord, prober: ContainerProber): void {
    container.started = prober.started;
    container.ready = prober.ready;
  }

  return {
    watch,
    has: ({ name }) => probers.has(name),
    endKilling: ({ name }) => probers.get(name)?.endKilling(),
    stop({ name }) {
      probers.get(name)?.stop();
      probers.delete(name);
    },
    close() {
      for (const prober of probers.values()) prober.stop();
      probers.clear();
    },
  };
}
