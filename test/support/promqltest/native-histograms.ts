import { parseExpr } from '../../../src/collector/promql/parse-expr.ts';
import { selectorsOf } from '../../../src/collector/promql/selectors-of.ts';
import { compileMatcher } from '../../../src/collector/storage/label-matcher.ts';
import { type Labels, labelValue, METRIC_NAME, toLabels } from '../../../src/model/labels.ts';
import type { EvalCommand, LoadCommand } from './script.ts';

/** The series of a load that hold native histograms, which are not read. */
export function nativeSeries({ series, withNativeHistograms }: LoadCommand): Labels[] {
  const native = series.filter(({ entries }) => entries.includes('histogram')).map(({ labels }) => labels);
  if (!withNativeHistograms) return native;
  return [
    ...native,
    ...series.map(({ labels }) => customBuckets(labels)).filter((labels) => labels !== undefined),
  ];
}

/** The native histogram a series of a classic one also goes into. */
function customBuckets(labels: Labels): Labels | undefined {
  const name = labelValue(labels, METRIC_NAME);
  if (!/_(?:bucket|count|sum)$/.test(name)) return undefined;
  const others = labels.filter(([label]) => label !== 'le' && label !== METRIC_NAME);
  return toLabels([...others, [METRIC_NAME, name.replace(/_(?:bucket|count|sum)$/, '')]]);
}

/** Whether an evaluation reads native histograms, or expects one. */
export function needsNativeHistograms({ expr, expected }: EvalCommand, native: readonly Labels[]): boolean {
  if ('rows' in expected && expected.rows.some(({ entries }) => entries.includes('histogram'))) return true;
  let selections: ReturnType<typeof selectorsOf>;
  try {
    selections = selectorsOf(parseExpr(expr, { experimental: true }));
  } catch {
    return false;
  }
  return selections.some(({ matchers }) => {
    const compiled = matchers.map(compileMatcher);
    return native.some((labels) =>
      compiled.every((matcher) => matcher.matches(labelValue(labels, matcher.name))),
    );
  });
}
