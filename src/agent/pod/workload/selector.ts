import type { LabelSelector } from '../../../model/kubernetes.ts';

/** Whether labels are selected; an empty selector selects everything. Source: apimachinery pkg/labels/selector.go */
export function selects(
  { matchLabels = {}, matchExpressions = [] }: LabelSelector,
  labels: Readonly<Record<string, string>> = {},
): boolean {
  const value = (key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  return (
    Object.entries(matchLabels).every(([key, wanted]) => value(key) === wanted) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const found = value(key);
      if (operator === 'Exists') return found !== undefined;
      if (operator === 'DoesNotExist') return found === undefined;
      const listed = found !== undefined && values.includes(found);
      return operator === 'In' ? listed : !listed;
    })
  );
}
