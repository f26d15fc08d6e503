import type { Metric } from '../prometheus.ts';

const PLAIN_NAME = /^[A-Za-z_:][A-Za-z0-9_:]*$/;

/** A series as a query would select it: `up{job="a"}`; UTF-8 names in quotes: `{"k8s.pod","a.b"="c"}`. */
export function seriesName(metric: Metric): string {
  const { __name__: name = '', ...labels } = metric;
  const pairs = Object.entries(labels).map(
    ([label, value]) => `${PLAIN_NAME.test(label) ? label : JSON.stringify(label)}=${JSON.stringify(value)}`,
  );
  if (name !== '' && !PLAIN_NAME.test(name)) return `{${[JSON.stringify(name), ...pairs].join(', ')}}`;
  if (pairs.length === 0) return name === '' ? '{}' : name;
  return `${name}{${pairs.join(', ')}}`;
}
