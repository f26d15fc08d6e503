import type { Probe } from '../../../model/kubernetes.ts';
import type { ProbeKind, ProbeResult } from '../../../model/life.ts';
import type { CancelTimer, Clock } from '../../../util/clock.ts';
import { PROBE_DEFAULTS, type ProbeRunner, type ProbeSubject, probeOf } from './probe.ts';
import { addResult, type ProbeResults } from './probe-results.ts';

export interface ContainerProberOptions {
  readonly subject: ProbeSubject;
  readonly startedAt: number;
  /** What an earlier agent knew of this very container. */
  readonly known?: { readonly started: boolean; readonly ready: boolean };
  readonly clock: Clock;
  /** 0 to 1: which part of its period a probe waits first, so that an agent's start is no storm of probes. */
  readonly jitter: number;
  readonly run: ProbeRunner;
  readonly onResult: (result: ProbeResult, inARow: number, threshold: number) => void;
  /** An answer that came after its probe had given up on it. */
  readonly onLate?: (result: ProbeResult) => void;
  /** `started` or `ready` is not what it was. */
  readonly onChange: () => void;
  /** A liveness or startup probe has failed for good: the container is to be killed. Called once. */
  readonly onFailed: (kind: 'liveness' | 'startup', graceMs: number | undefined) => void;
}

/** The probes of one life of a container. */
export interface ContainerProber {
  readonly started: boolean;
  readonly ready: boolean;
  /** The container is being ended: only readiness is still asked. */
  endKilling(): void;
  stop(): void;
}

/**
 * Probes one life: startup first, the others only once it succeeded; readiness at once when they may begin, the
 * others after their jitter. A probe that outlasts its period skips the ticks it missed.
 * Source: kubernetes/pkg/kubelet/prober/worker.go
 */
export function createContainerProber(options: ContainerProberOptions): ContainerProber {
  const { clock, subject, onChange } = options;
  const stopped = new AbortController();
  const cancels = new Map<ProbeKind, CancelTimer>();
  const results = new Map<ProbeKind, ProbeResults>();
  const kinds = (['startup', 'readiness', 'liveness'] as const).filter((kind) =>
    probeOf(subject.container, kind),
  );
  let started = options.known?.started === true || !kinds.includes('startup');
  let ready = started && (options.known?.ready === true || !kinds.includes('readiness'));
  let failed = false;

  const end = (kind: ProbeKind) => {
    cancels.get(kind)?.();
    cancels.delete(kind);
  };
  const schedule = (kind: ProbeKind, probe: Probe, atMs: number) =>
    cancels.set(
      kind,
      clock.setTimer(atMs - clock.monotonic(), () => void tick(kind, probe, atMs)),
    );
  const begin = (kind: ProbeKind) => {
    const probe = probeOf(subject.container, kind)!;
    const periodMs = periodMsOf(probe);
    const sinceStart = clock.now() - options.startedAt;
    const delay = Math.max(0, (probe.initialDelaySeconds ?? 0) * 1000 - sinceStart);
    const jitter = kind === 'readiness' ? 0 : Math.round(options.jitter * periodMs);
    schedule(kind, probe, clock.monotonic() + delay + jitter);
  };
  const begun = () => {
    for (const kind of kinds) if (kind !== 'startup') begin(kind);
  };

  const tick = async (kind: ProbeKind, probe: Probe, atMs: number) => {
    const [from, at] = [clock.monotonic(), clock.now()];
    const outcome = await options.run(probe, subject, stopped.signal, ({ ok, target, message }, tookMs) => {
      const latencyMs = Math.round(tookMs);
      options.onLate?.({ at: at + latencyMs, probe: kind, ok, target, message, latencyMs, late: true });
    });
    if (stopped.signal.aborted || !cancels.has(kind)) return;
    const threshold = thresholdsOf(probe);
    const next = addResult(results.get(kind) ?? { inARow: 0 }, outcome.ok, threshold);
    results.set(kind, next);
    const latencyMs = Math.round(clock.monotonic() - from);
    options.onResult(
      {
        at: at + latencyMs,
        probe: kind,
        ok: outcome.ok,
        target: outcome.target,
        message: outcome.message,
        latencyMs,
      },
      next.inARow,
      outcome.ok ? threshold.success : threshold.failure,
    );
    if (stopped.signal.aborted || !cancels.has(kind)) return;
    const periodMs = periodMsOf(probe);
    const missed = Math.floor((clock.monotonic() - atMs) / periodMs);
    schedule(kind, probe, atMs + (missed + 1) * periodMs);
    if (next.verdict !== undefined) judge(kind, probe, next.verdict);
  };
  const judge = (kind: ProbeKind, probe: Probe, verdict: boolean) => {
    if (kind === 'readiness') {
      if (ready === verdict) return;
      ready = verdict;
      return onChange();
    }
    if (!verdict) {
      for (const killing of ['liveness', 'startup'] as const) end(killing);
      if (failed) return;
      failed = true;
      const seconds = probe.terminationGracePeriodSeconds;
      return options.onFailed(kind, seconds === undefined ? undefined : seconds * 1000);
    }
    if (kind !== 'startup') return;
    end('startup');
    started = true;
    ready = !kinds.includes('readiness');
    begun();
    onChange();
  };

  if (started) begun();
  else begin('startup');
  return {
    get started() {
      return started;
    },
    get ready() {
      return ready;
    },
    endKilling() {
      for (const kind of ['liveness', 'startup'] as const) end(kind);
    },
    stop() {
      stopped.abort();
      for (const kind of kinds) end(kind);
    },
  };
}

const periodMsOf = (probe: Probe) => (probe.periodSeconds ?? PROBE_DEFAULTS.periodSeconds) * 1000;

const thresholdsOf = (probe: Probe) => ({
  success: probe.successThreshold ?? PROBE_DEFAULTS.successThreshold,
  failure: probe.failureThreshold ?? PROBE_DEFAULTS.failureThreshold,
});
