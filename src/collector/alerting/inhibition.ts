import { type Labels, labelValue } from '../../model/labels.ts';

type Match = Readonly<Record<string, string>>;

/** While an alert fires that is `source`, those that are `target` and agree on `equal` are not sent. */
interface Inhibition {
  readonly source: Match;
  readonly target: Match;
  readonly equal: readonly string[];
}

const INHIBITIONS: readonly Inhibition[] = [
  // Who was paged for a budget needs no ticket for it.
  {
    source: { alertname: 'SLOBudgetBurn', severity: 'page' },
    target: { alertname: 'SLOBudgetBurn', severity: 'ticket' },
    equal: ['slo', 'namespace', 'workload'],
  },
  // A silent agent is why there is no data.
  { source: { alertname: 'PodvitalsAgentDown' }, target: { alertname: 'SLONoData' }, equal: [] },
  // kubernetes-mixin's alerts say the same later.
  {
    source: { alertname: 'PodCrashLooping' },
    target: { alertname: 'KubePodCrashLooping' },
    equal: ['namespace', 'pod'],
  },
  {
    source: { alertname: 'PodNotReady' },
    target: { alertname: 'KubePodNotReady' },
    equal: ['namespace', 'pod'],
  },
];

/** Whether an alert with `labels` is not worth sending while those in `firing` fire. */
export function isInhibited(labels: Labels, firing: Iterable<Labels>): boolean {
  const rules = INHIBITIONS.filter(({ target }) => matches(labels, target));
  if (rules.length === 0) return false;
  for (const source of firing) {
    for (const rule of rules) {
      if (matches(source, rule.source) && agree(source, labels, rule.equal)) return true;
    }
  }
  return false;
}

function matches(labels: Labels, match: Match): boolean {
  return Object.entries(match).every(([name, value]) => labelValue(labels, name) === value);
}

function agree(a: Labels, b: Labels, names: readonly string[]): boolean {
  return names.every((name) => labelValue(a, name) === labelValue(b, name));
}
