// Deaths are counted in whole numbers: increase() extrapolates, and would make 3.3 of three. A count is the counter
// less what it stood at when the window opened. A series that was not there then began at 0 if its container or its
// pod did; after a gap in the data nothing is known of it.
const DEATHS = (matchers: string) => `podvitals_container_deaths_total{requested="false",${matchers}}`;

/** Deaths nobody asked for by pod and reason, in each step of a chart; nothing where nobody died. */
export function deathsEachStep(matchers: string): string {
  const deaths = DEATHS(matchers);
  const known = 'and on (namespace, pod, uid, container) kube_pod_container_info offset $__interval';
  const born = 'and on (namespace, pod, uid) kube_pod_created > time() - $__interval_ms / 1000';
  return `sum by (pod, reason) (${deaths} - (${deaths} offset $__interval or 0 * (${deaths} ${known}) or 0 * (${deaths} ${born}))) > 0`;
}

const MONTH_SECONDS = 30 * 86_400;

/** Deaths nobody asked for by namespace and reason in the last 30 days, those of pods that are gone included. */
export function deathsInMonth(matchers: string): string {
  const deaths = DEATHS(matchers);
  const most = `max_over_time(${deaths}[30d])`;
  const born = `and on (namespace, pod, uid) max_over_time(kube_pod_created[30d]) > time() - ${MONTH_SECONDS}`;
  const before = `${deaths} offset 30d or 0 * (${most} ${born}) or min_over_time(${deaths}[30d])`;
  return `sum by (namespace, reason) (${most} - (${before})) > 0`;
}
