import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { OtlpReceiverStats } from '../wire/otlp/receiver.ts';
import type { RuleGroupState } from './rules/rule-state.ts';
import type { StoreStats } from './tsdb/limits.ts';

export interface SelfMetricsSources {
  readonly version: string;
  store(): StoreStats;
  receiver(): OtlpReceiverStats;
  ruleGroups(): readonly RuleGroupState[];
}

/** What the collector says of itself: names as Prometheus has them where it has them, read when scraped. */
export function createSelfMetrics(sources: SelfMetricsSources): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const counter = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  new Gauge({
    name: 'podvitals_build_info',
    help: 'Always 1, with the version.',
    labelNames: ['version'],
    registers,
  }).set({ version: sources.version }, 1);
  gauge('podvitals_tsdb_head_series', 'Series held in memory.', () => sources.store().activeSeries);
  gauge('podvitals_tsdb_stored_bytes', 'Bytes of the store in use.', () => sources.store().storedBytes);
  counter('podvitals_tsdb_samples_appended_total', 'Samples stored.', () => sources.store().samplesAppended);
  counter(
    'podvitals_tsdb_samples_rejected_total',
    'Samples refused: out of order beyond the window, or another value at a time already taken.',
    () => sources.store().samplesRejected,
  );
  counter(
    'podvitals_tsdb_series_refused_total',
    'Series refused because a limit was reached.',
    () => sources.store().seriesRefused,
  );
  counter('podvitals_otlp_requests_total', 'OTLP requests received.', () => sources.receiver().requests);
  counter(
    'podvitals_otlp_requests_failed_total',
    'OTLP requests refused or failed.',
    () => sources.receiver().failedRequests,
  );
  counter(
    'podvitals_otlp_points_rejected_total',
    'Points and records told back as not kept.',
    () => sources.receiver().rejected,
  );
  const labelNames = ['rule_group'];
  new Gauge({
    name: 'podvitals_rule_group_last_duration_seconds',
    help: 'How long the last evaluation of the rule group took.',
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const group of sources.ruleGroups())
        this.set({ rule_group: group.group.name }, group.evaluationMs / 1000);
    },
  });
  new Counter({
    name: 'podvitals_rule_group_iterations_missed_total',
    help: 'Evaluations of the rule group that were due and did not happen.',
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const group of sources.ruleGroups()) this.inc({ rule_group: group.group.name }, group.missed);
    },
  });
  return registry;
}
