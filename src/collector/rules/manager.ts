import type { Alert } from '../../model/alert.ts';
import type { Labels } from '../../model/labels.ts';
import type { Query } from '../../model/query-result.ts';
import type { RuleGroup } from '../../model/rule-group.ts';
import type { CancelTimer, Clock } from '../../util/clock.ts';
import { type Traced, untraced } from '../../util/traced.ts';
import type { Appender, KeyValue } from '../storage/storage.ts';
import { forgetOthers } from './alert-memory.ts';
import { namesReadBy, upstreamFirst, upstreamOf } from './dependencies.ts';
import { createGroupEvaluation, type GroupEvaluation } from './group-evaluation.ts';
import type { RuleGroupState } from './rule-state.ts';
import { afterEvaluation, jitterMs, nextEvaluation } from './schedule.ts';
import { findSilence } from './silent-agents.ts';

export interface RuleManagerOptions {
  readonly groups: readonly RuleGroup[];
  readonly query: Query;
  readonly appender: () => Appender;
  readonly keyValue: KeyValue;
  readonly clock: Clock;
  /**
   * Told after every evaluation of a group with alerts: those that fire now, and those resolved within the last 15
   * minutes. The same alerts come again and again; who sends them on remembers what was sent.
   */
  readonly notify: (alerts: readonly Alert[]) => void;
  /** Makes each evaluation of a group a span; none when left out. */
  readonly traced?: Traced;
  readonly externalLabels: Labels;
  readonly externalUrl: string;
  /** For groups that do not say their own. */
  readonly evaluationIntervalMs: number;
}

export interface RuleManager {
  /** Takes up alerts as they were, evaluates every group once, then on time. Resolves after the first evaluation. */
  start(): Promise<void>;
  /**
   * Judges what was committed since the last evaluation, so that what has ended is marked and resolved; then stops, and
   * waits for what runs. May be called more than once.
   */
  stop(): Promise<void>;
  /**
   * A commit touched series of these names: groups that read them, directly or through other groups, are evaluated
   * at once, those upstream first; each at most once a second, and never more than a tenth of the time. Groups that
   * ask for an interval of a minute or more are evaluated on time only.
   */
  wake(metricNames: ReadonlySet<string>): void;
  groups(): readonly RuleGroupState[];
}

const WAKE_GAP_MS = 1000;
/** A group may be busy with woken evaluations for one part in this many. */
const WAKE_COST = 10;
const SLOW_INTERVAL_MS = 60_000;
/** Longest time the last evaluations may take before they are cut off. */
const LAST_WORD_MS = 10_000;

interface Member {
  readonly evaluation: GroupEvaluation;
  readonly intervalMs: number;
  readonly names: ReadonlySet<string>;
  readonly upstream: readonly number[];
  touched: boolean;
  lastWokenMs: number;
  lastMs: number;
  running: Promise<void>;
  cancel: CancelTimer;
}

export function createRuleManager(options: RuleManagerOptions): RuleManager {
  const { clock, groups } = options;
  const upstream = upstreamOf(groups);
  const order = upstreamFirst(upstream);
  const traced = options.traced ?? untraced;
  const members = groups.map((group, index): Member => {
    const intervalMs = group.intervalMs > 0 ? group.intervalMs : options.evaluationIntervalMs;
    return {
      evaluation: createGroupEvaluation(group, intervalMs, { ...options, findSilence, writesMissed: true }),
      intervalMs,
      names: namesReadBy(group),
      upstream: upstream[index]!,
      touched: false,
      lastWokenMs: Number.NEGATIVE_INFINITY,
      lastMs: Number.NEGATIVE_INFINITY,
      running: Promise.resolve(),
      cancel: () => {},
    };
  });
  const stopping = new AbortController();
  let started = false;
  let ending: Promise<void> | undefined;
  let pumping: Promise<void> | undefined;
  let cancelPump: CancelTimer = () => {};

  const evaluate = (member: Member, dueMs: number): Promise<void> => {
    const run = async () => {
      if (stopping.signal.aborted) return;
      member.touched = false;
      // A woken evaluation may have overtaken the one that was due: a series' samples go forward.
      const atMs = dueMs > member.lastMs ? dueMs : Math.max(clock.now(), member.lastMs + 1);
      await traced('rule group evaluation', { 'podvitals.rule_group': member.evaluation.group.name }, () =>
        member.evaluation.evaluate(atMs, stopping.signal),
      );
      member.lastMs = atMs;
      tell(member);
    };
    member.running = member.running.then(run);
    return member.running;
  };

  const tell = (member: Member) => {
    if (!member.evaluation.group.rules.some((rule) => rule.kind === 'alerting')) return;
    const alerts = member.evaluation.state().rules.flatMap((rule) => rule.alerts);
    options.notify(alerts.filter(({ state }) => state !== 'pending'));
  };

  const scheduleAt = (member: Member, dueMs: number): void => {
    if (ending !== undefined || stopping.signal.aborted) return;
    const delayMs = Math.min(Math.max(0, dueMs - clock.now()), member.intervalMs);
    member.cancel = clock.setTimer(delayMs, () => {
      void evaluate(member, dueMs).then(() => {
        const now = clock.now();
        // The wall clock went back: start over from where it is.
        if (now < dueMs) return schedule(member);
        const { nextMs, missed } = afterEvaluation(dueMs, now, member.intervalMs);
        member.evaluation.addMissed(missed);
        scheduleAt(member, nextMs);
      });
    });
  };

  const schedule = (member: Member): void => {
    const { file, name } = member.evaluation.group;
    const offset = jitterMs(`${file};${name}`, member.intervalMs);
    scheduleAt(member, nextEvaluation(clock.now(), member.intervalMs, offset));
  };

  const gapMs = (member: Member) => Math.max(WAKE_GAP_MS, WAKE_COST * member.evaluation.state().evaluationMs);
  const dueIn = (member: Member) => Math.max(0, member.lastWokenMs + gapMs(member) - clock.monotonic());

  // Upstream groups that were touched go first, due or not: what is read must be newer than what woke the reader.
  const evaluateWoken = async (index: number, seen: Set<number>): Promise<void> => {
    if (seen.has(index)) return;
    seen.add(index);
    const member = members[index]!;
    for (const up of member.upstream) await evaluateWoken(up, seen);
    if (!member.touched) return;
    member.lastWokenMs = clock.monotonic();
    await evaluate(member, clock.now());
  };

  const pump = async (): Promise<void> => {
    cancelPump();
    const seen = new Set<number>();
    for (const index of order) {
      const member = members[index]!;
      if (member.touched && dueIn(member) === 0) await evaluateWoken(index, seen);
    }
  };

  const startPump = (): void => {
    if (pumping !== undefined || ending !== undefined || !started || stopping.signal.aborted) return;
    pumping = pump().finally(() => {
      pumping = undefined;
      // The trailing edge: what was touched too soon after its last time, or meanwhile.
      const waiting = members.filter(({ touched }) => touched).map(dueIn);
      if (waiting.length === 0 || ending !== undefined || stopping.signal.aborted) return;
      cancelPump = clock.setTimer(Math.max(1, Math.min(...waiting)), startPump);
    });
  };

  const end = async (): Promise<void> => {
    cancelPump();
    for (const member of members) member.cancel();
    const cancelDeadline = clock.setTimer(LAST_WORD_MS, () => stopping.abort());
    await pumping;
    if (started) {
      for (const index of order) {
        const member = members[index]!;
        if (member.touched) await evaluate(member, clock.now());
      }
    }
    cancelDeadline();
    stopping.abort();
    await Promise.all(members.map(({ running }) => running));
  };

  return {
    async start() {
      if (started) return;
      await forgetOthers(
        options.keyValue,
        new Set(members.flatMap(({ evaluation }) => evaluation.memoryKeys)),
      );
      for (const index of order) await evaluate(members[index]!, clock.now());
      started = true;
      for (const member of members) schedule(member);
      startPump();
    },
    stop: () => (ending ??= end()),
    wake(metricNames) {
      for (const index of order) {
        const member = members[index]!;
        if (member.evaluation.group.intervalMs >= SLOW_INTERVAL_MS) continue;
        const reads = [...member.names].some((name) => metricNames.has(name));
        if (reads || member.upstream.some((up) => members[up]!.touched)) member.touched = true;
      }
      startPump();
    },
    groups: () => members.map(({ evaluation }) => evaluation.state()),
  };
}
