import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { AdmissionStats } from '../util/admission.ts';
import type { OtlpReceiverStats } from '../wire/otlp/receiver.ts';
import type { RemoteWriteReceiverStats } from '../wire/prometheus/remote-write-receiver.ts';
import type { DestinationStats } from './remote-write/destination.ts';
import type { RuleGroupState } from './rules/rule-state.ts';
import type { ScrapeStats } from './scrape/scrape.ts';
import type { ShadowCounts } from './shadow-counts.ts';
import type { StoreStats } from './tsdb/limits.ts';

export interface SelfMetricsSources {
  readonly version: string;
  store(): StoreStats;
  receiver(): OtlpReceiverStats;
  remoteWrite(): readonly DestinationStats[];
  writeReceiver(): RemoteWriteReceiverStats;
  ruleGroups(): readonly RuleGroupState[];
  readonly shadow: ShadowCounts;
  readonly turns: Histogram;
  scrape(): ScrapeStats;
  /** By the door. */
  admissions(): readonly (readonly [door: string, AdmissionStats])[];
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
  counter(
    'podvitals_remote_write_requests_received_total',
    'Requests of remote write received.',
    () => sources.writeReceiver().requests,
  );
  counter(
    'podvitals_remote_write_requests_failed_total',
    'Requests of remote write not taken, or not wholly.',
    () => sources.writeReceiver().failedRequests,
  );
  counter(
    'podvitals_remote_write_samples_received_total',
    'Samples stored that came by remote write.',
    () => sources.writeReceiver().samples,
  );
  counter(
    'podvitals_promql_shadow_evaluations_total',
    'Answers from summaries of samples that were worked out again from every sample.',
    () => sources.shadow.compared,
  );
  counter(
    'podvitals_promql_shadow_disagreements_total',
    'Those that differed. Any is a defect of podvitals.',
    () => sources.shadow.disagreed,
  );
  counter(
    'podvitals_target_scrapes_beyond_limit_total',
    'Scrapes given up because the target exposed too much, or too much was being scraped at once.',
    () => sources.scrape().beyondLimit,
  );
  registry.registerMetric(sources.turns);
  addAdmissions(registry, sources);
  addDestinations(registry, sources);
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

/** What queries take of the thread at a stretch: whatever else is asked waits as long. */
export const createTurnHistogram = () =>
  new Histogram({
    name: 'podvitals_promql_turn_cpu_seconds',
    help: 'CPU time for which a query held the thread before others had it; 0.02 at most, as promised.',
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1],
    registers: [],
  });

function addAdmissions(registry: Registry, sources: SelfMetricsSources): void {
  const common = { labelNames: ['door'], registers: [registry] };
  new Counter({
    ...common,
    name: 'podvitals_ingest_requests_refused_total',
    help: 'Requests told to come again because more came than can be taken, or that came too slowly.',
    collect() {
      this.reset();
      for (const [door, stats] of sources.admissions()) this.inc({ door }, stats.refused);
    },
  });
  new Gauge({
    ...common,
    name: 'podvitals_ingest_requests_waiting',
    help: 'Requests that wait to be read.',
    collect() {
      this.reset();
      for (const [door, stats] of sources.admissions()) this.set({ door }, stats.waiting);
    },
  });
}

const DESTINATION_COUNTERS = [
  ['sent', 'samples_sent', 'Samples that the receiver took.'],
  ['refused', 'samples_refused', 'Samples that the receiver said it will never take.'],
  ['dropped', 'samples_dropped', 'Samples given up because too much waited for the receiver, or too long.'],
  ['retries', 'retries', 'Requests that did not get through and were sent again.'],
] as const;
const DESTINATION_GAUGES = [
  ['waitingCommits', 'pending_commits', 'Commits that wait for the receiver.'],
  ['waitingBytes', 'pending_bytes', 'Bytes of the commits that wait for the receiver.'],
] as const;

/** By the name of the receiver that samples are sent on to. */
function addDestinations(registry: Registry, sources: SelfMetricsSources): void {
  const common = { labelNames: ['remote'], registers: [registry] };
  for (const [field, what, help] of DESTINATION_COUNTERS)
    new Counter({
      ...common,
      name: `podvitals_remote_write_${what}_total`,
      help,
      collect() {
        this.reset();
        for (const stats of sources.remoteWrite()) this.inc({ remote: stats.name }, stats[field]);
      },
    });
  for (const [field, what, help] of DESTINATION_GAUGES)
    new Gauge({
      ...common,
      name: `podvitals_remote_write_${what}`,
      help,
      collect() {
        this.reset();
        for (const stats of sources.remoteWrite()) this.set({ remote: stats.name }, stats[field]);
      },
    });
}
