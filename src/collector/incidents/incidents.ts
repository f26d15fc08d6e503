import type { Alert } from '../../model/alert.ts';
import type { Incident } from '../../model/incident.ts';
import { labelsKey, labelValue } from '../../model/labels.ts';
import type { Query } from '../../model/query-result.ts';
import type { Clock } from '../../util/clock.ts';
import { createOutputSeries } from '../rules/output-series.ts';
import type { Appender, EventLog, KeyValue } from '../storage/storage.ts';
import { advance, type Finding, subjectKey, subjectOf } from './advance.ts';
import { budgetSpent } from './budget-spent.ts';
import { incidentCounts } from './incident-counts.ts';
import { createLedger } from './ledger.ts';

export interface IncidentsOptions {
  readonly keyValue: KeyValue;
  readonly events: Pick<EventLog, 'pods' | 'lives'>;
  readonly query: Query;
  readonly appender: () => Appender;
  readonly clock: Clock;
  /** What cannot be kept is told here; it is tried again with the next look. */
  readonly onError: (error: unknown) => void;
}

export interface Incidents {
  /** Looks at all alerts of all groups; those that do not fire are left out here. Cheap when nothing changed. */
  observe(alerts: readonly Alert[]): void;
  /** Newest first. */
  all(): readonly Incident[];
  get(id: string): Incident | undefined;
  /** The open incident an alert belongs to, from the moment it was observed. */
  of(alert: Alert): Incident | undefined;
  /** Waits for what is being kept. */
  settled(): Promise<void>;
}

/** The same alerts are looked at again after so long: verdicts and deaths come later than alerts. */
const LOOK_AGAIN_MS = 5000;
const COUNT_INTERVAL_MS = 15_000;
const MOST_FINDINGS = 500;
const MOST_PODS = 20;
const MOST_DEATHS = 200;
const BEFORE_MS = 3_600_000;

/** Opens and closes incidents as alerts come and go, and keeps them. */
export function createIncidents(options: IncidentsOptions): Incidents {
  const { events, clock } = options;
  const ledger = createLedger(options.keyValue);
  const counts = createOutputSeries();
  let lastKey = '';
  let lastLookMs = Number.NEGATIVE_INFINITY;
  let lastCountMs = Number.NEGATIVE_INFINITY;
  let working: Promise<void> | undefined;
  // What is on its way into the ledger.
  let upcoming: readonly Incident[] = [];

  const workloadOf = (namespace: string, pod: string) =>
    events.pods({ namespace, pod, deleted: true, limit: 1 })[0]?.pod.workload;

  const findingOf = (alert: Alert): readonly Finding[] => {
    const subject = subjectOf(alert.labels, workloadOf);
    if (subject === undefined) return [];
    const { namespace, workload } = subject;
    if (namespace === undefined || workload === undefined)
      return [{ alert, subject, verdicts: [], deaths: [] }];
    const pod = labelValue(alert.labels, 'pod');
    const wanted = { namespace, workload, ...(pod === '' ? {} : { pod }) };
    const sinceMs = alert.activeAt - BEFORE_MS;
    return [
      {
        alert,
        subject,
        verdicts: events
          .pods({ ...wanted, deleted: true, limit: MOST_PODS, sinceMs })
          .map((state) => ({ pod: state.pod.name, verdict: state.verdict }))
          .filter(({ verdict }) => verdict.cause !== 'None'),
        deaths: events
          .lives({ ...wanted, sinceMs, limit: MOST_DEATHS })
          .filter(({ unrequested }) => unrequested),
      },
    ];
  };

  const keep = async (changed: readonly Incident[], nowMs: number) => {
    if (changed.length > 0) {
      const withBudget = await Promise.all(
        changed.map(async (incident) => ({
          ...incident,
          ...(await budgetSpent(incident, nowMs, options.query)),
        })),
      );
      await ledger.write(withBudget, nowMs);
    }
    if (changed.length > 0 || nowMs - lastCountMs >= COUNT_INTERVAL_MS) await count(nowMs);
  };

  const count = async (nowMs: number) => {
    const appender = options.appender();
    const written = await counts.write(appender, incidentCounts(ledger.all(), nowMs), nowMs);
    await appender.commit();
    written.remember();
    lastCountMs = nowMs;
  };

  return {
    observe(alerts) {
      const firing = alerts.filter(({ state }) => state === 'firing');
      const key = firing.map(({ labels }) => labelsKey(labels)).join('\n');
      const isDue = key !== lastKey || clock.monotonic() - lastLookMs >= LOOK_AGAIN_MS;
      if (working !== undefined || !isDue) return;
      const nowMs = clock.now();
      try {
        upcoming = advance(ledger.open(), firing.slice(0, MOST_FINDINGS).flatMap(findingOf), nowMs);
      } catch (error) {
        options.onError(error);
        return;
      }
      lastKey = key;
      lastLookMs = clock.monotonic();
      working = keep(upcoming, nowMs)
        .catch((error: unknown) => {
          lastKey = '';
          options.onError(error);
        })
        .finally(() => {
          working = undefined;
          upcoming = [];
        });
    },
    all: ledger.all,
    get: ledger.get,
    of(alert) {
      const subject = subjectOf(alert.labels, workloadOf);
      const open = [...upcoming, ...ledger.open()];
      return subject && open.find((incident) => subjectKey(incident.subject) === subjectKey(subject));
    },
    settled: async () => void (await working),
  };
}
