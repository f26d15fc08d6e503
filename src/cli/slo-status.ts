/** A sample of the series that SLO rules record, or of ALERTS. */
export interface SloSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What one budget looks like now. */
export interface SloStatus {
  readonly slo: string;
  readonly service: string;
  /** What this budget is for, when the SLO has several: namespace, workload, … */
  readonly labels: Readonly<Record<string, string>>;
  readonly objective: number;
  readonly periodDays: number;
  /** For how long it has been evaluated; absent when that began just now. The rest of the period is taken to be like it. */
  readonly historySeconds?: number;
  /** 1 untouched, 0 spent, below 0 overspent; absent without data. */
  readonly budgetRemaining?: number;
  /** How many times too fast it is spent, over the shortest window; absent without data. */
  readonly burnRate?: number;
  readonly state: 'ok' | 'spent' | 'burning (page)' | 'burning (ticket)' | 'no data';
}

const OBJECTIVE = 'slo:objective:ratio';
const PERIOD = 'slo:time_period:days';
const REMAINING = 'slo:period_error_budget_remaining:ratio';
const BURN = 'slo:current_burn_rate:ratio';
const NOT_SCOPE = new Set(['__name__', 'slo', 'service', 'severity', 'alertname', 'alertstate']);

/**
 * The budgets behind the samples of recorded SLO series, those that burn first, then by name. `histories`: for how many
 * seconds an SLO, by its name, has been evaluated.
 */
export function statusesOf(
  samples: readonly SloSample[],
  histories: ReadonlyMap<string, number> = new Map(),
): readonly SloStatus[] {
  const named = (name: string) => samples.filter(({ labels }) => labels.__name__ === name);
  const statuses = named(OBJECTIVE).flatMap(({ labels: { slo = '', service = '' }, value: objective }) => {
    const of = (name: string) => named(name).filter(({ labels }) => labels.slo === slo);
    const scopes = new Map(
      [...of(REMAINING), ...of(BURN)].map(({ labels }) => [keyOf(labels), scopeOf(labels)]),
    );
    const historySeconds = histories.get(slo);
    if (scopes.size === 0) scopes.set('{}', {});
    return [...scopes].map(([key, labels]): SloStatus => {
      const one = (name: string) => of(name).find((sample) => keyOf(sample.labels) === key)?.value;
      const alerts = of('ALERTS').filter((sample) => keyOf(sample.labels) === key);
      const budgetRemaining = one(REMAINING);
      const burnRate = one(BURN);
      return {
        slo,
        service,
        labels,
        objective,
        periodDays: of(PERIOD)[0]?.value ?? Number.NaN,
        ...(historySeconds === undefined ? {} : { historySeconds }),
        ...(budgetRemaining === undefined ? {} : { budgetRemaining }),
        ...(burnRate === undefined ? {} : { burnRate }),
        state: stateOf(budgetRemaining, alerts),
      };
    });
  });
  const rank = ({ state }: SloStatus) => ORDER.indexOf(state);
  const place = ({ slo, labels }: SloStatus) => `${slo} ${Object.values(labels).join('/')}`;
  return statuses.sort((a, b) => rank(a) - rank(b) || place(a).localeCompare(place(b)));
}

const ORDER: readonly SloStatus['state'][] = ['burning (page)', 'burning (ticket)', 'spent', 'no data', 'ok'];

function stateOf(remaining: number | undefined, alerts: readonly SloSample[]): SloStatus['state'] {
  const burning = (severity: string) =>
    alerts.some(({ labels }) => labels.alertname === 'SLOBudgetBurn' && labels.severity === severity);
  if (burning('page')) return 'burning (page)';
  if (burning('ticket')) return 'burning (ticket)';
  if (remaining === undefined) return 'no data';
  return remaining <= 0 ? 'spent' : 'ok';
}

const scopeOf = (labels: SloSample['labels']) =>
  Object.fromEntries(
    Object.entries(labels)
      .filter(([name]) => !NOT_SCOPE.has(name))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
const keyOf = (labels: SloSample['labels']) => JSON.stringify(scopeOf(labels));
