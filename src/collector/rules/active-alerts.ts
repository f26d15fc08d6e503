import type { Alert } from '../../model/alert.ts';
import { type Labels, toLabels, toRecord } from '../../model/labels.ts';
import type { AlertingRule } from '../../model/rule-group.ts';

/** An alert as its rule remembers it between evaluations. */
export interface ActiveAlert extends Alert {
  /** When the condition ended for an alert that `keep_firing_for` keeps firing. */
  readonly keepFiringSince?: number;
}

/** Alerts of one rule by `labelsKey` of their labels. */
export type ActiveAlerts = ReadonlyMap<string, ActiveAlert>;

/** What one evaluation says about one alert. */
export interface AlertOutcome {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly value: number;
}

/** Resolved alerts are kept so long, so that whoever missed the news can still hear it. */
export const RESOLVED_RETENTION_MS = 15 * 60_000;

/**
 * The alerts of `rule` after an evaluation at `atMs` gave `outcomes`.
 *
 * A new outcome is pending, and firing once it has held for `forMs`. An alert without an outcome resolves, or is
 * forgotten when it was pending; unless `unknownWhy` gives a reason to think that nobody could know: then it is held
 * as it was and says so. Source: prometheus/rules/alerting.go
 */
export function advanceAlerts(
  rule: Pick<AlertingRule, 'forMs' | 'keepFiringForMs'>,
  active: ActiveAlerts,
  outcomes: ReadonlyMap<string, AlertOutcome>,
  atMs: number,
  unknownWhy: (labels: Labels) => string | undefined,
): ActiveAlerts {
  const after = new Map<string, ActiveAlert>();
  for (const [key, alert] of active) {
    if (outcomes.has(key)) continue;
    const next = withoutOutcome(rule, alert, atMs, unknownWhy);
    if (next !== undefined) after.set(key, next);
  }
  for (const [key, outcome] of outcomes) after.set(key, withOutcome(rule, active.get(key), outcome, atMs));
  return after;
}

function withOutcome(
  rule: Pick<AlertingRule, 'forMs'>,
  known: ActiveAlert | undefined,
  outcome: AlertOutcome,
  atMs: number,
): ActiveAlert {
  const held = known === undefined || known.state === 'resolved' ? undefined : known;
  const activeAt = held?.activeAt ?? atMs;
  if (held?.state === 'firing')
    return { ...outcome, state: 'firing', activeAt, firedAt: held.firedAt ?? atMs };
  if (atMs - activeAt < rule.forMs) return { ...outcome, state: 'pending', activeAt };
  return { ...outcome, state: 'firing', activeAt, firedAt: atMs };
}

function withoutOutcome(
  rule: Pick<AlertingRule, 'keepFiringForMs'>,
  alert: ActiveAlert,
  atMs: number,
  unknownWhy: (labels: Labels) => string | undefined,
): ActiveAlert | undefined {
  if (alert.state === 'resolved') {
    return atMs - alert.resolvedAt! > RESOLVED_RETENTION_MS ? undefined : alert;
  }
  const why = unknownWhy(alert.labels);
  if (why !== undefined) return heldAsItWas(alert, why, atMs);
  if (alert.state === 'pending') return undefined;
  const keepFiringSince = alert.keepFiringSince ?? atMs;
  if (rule.keepFiringForMs > 0 && atMs - keepFiringSince < rule.keepFiringForMs) {
    return { ...withoutUnknown(alert), keepFiringSince };
  }
  return { ...withoutUnknown(alert), state: 'resolved', resolvedAt: atMs };
}

/** The annotation that tells people what `unknownSince` tells programs. */
const UNKNOWN = 'unknown';

function heldAsItWas(alert: ActiveAlert, why: string, atMs: number): ActiveAlert {
  return {
    ...alert,
    annotations: toLabels({ ...toRecord(alert.annotations), [UNKNOWN]: why }),
    unknownSince: alert.unknownSince ?? atMs,
  };
}

function withoutUnknown(alert: ActiveAlert): ActiveAlert {
  if (alert.unknownSince === undefined) return alert;
  const { unknownSince: _, ...known } = alert;
  return { ...known, annotations: alert.annotations.filter(([name]) => name !== UNKNOWN) };
}

/**
 * Alerts as they were at `savedAtMs`, taken up again at `atMs`: the time in between counts neither for nor against
 * `for`, so a pending alert waits for what was left of it.
 */
export function resumeAlerts(active: Iterable<ActiveAlert>, savedAtMs: number, atMs: number): ActiveAlert[] {
  const downMs = Math.max(0, atMs - savedAtMs);
  return [...active].map((alert) =>
    alert.state === 'pending' ? { ...alert, activeAt: alert.activeAt + downMs } : alert,
  );
}
