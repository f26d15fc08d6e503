import { type Label, type Labels, labelsKey, METRIC_NAME, toLabels } from '../../model/labels.ts';
import type { Query, VectorSample } from '../../model/query-result.ts';
import type { AlertingRule } from '../../model/rule-group.ts';
import { CodedError, messageOf } from '../../util/coded-error.ts';
import type { AlertOutcome } from './active-alerts.ts';
import { expandTemplate, type TemplateData } from './template/template.ts';

/** What templates see beside the sample. */
export interface TemplateSurroundings {
  readonly externalLabels: Labels;
  readonly externalUrl: string;
  readonly query: Query;
}

/**
 * The alerts that the samples of a rule's expression stand for, by `labelsKey`. The rule's labels win over the
 * sample's; a template that fails leaves its error as the text, as in Prometheus.
 * @throws RULE_DUPLICATE_ALERTS when two samples end up with the same labels.
 */
export async function alertOutcomes(
  rule: AlertingRule,
  groupLabels: Readonly<Record<string, string>>,
  samples: readonly VectorSample[],
  surroundings: TemplateSurroundings,
  atMs: number,
): Promise<Map<string, AlertOutcome>> {
  const outcomes = new Map<string, AlertOutcome>();
  for (const sample of samples) {
    const own = sample.labels.filter(([name]) => name !== METRIC_NAME);
    const data: TemplateData = { ...surroundings, labels: sample.labels, value: sample.v };
    const expand = ([name, text]: Label) => expandOne(rule, name, text, data, surroundings.query, atMs);
    const ruleLabels = await Promise.all(Object.entries({ ...groupLabels, ...rule.labels }).map(expand));
    const labels = toLabels([...own, ...ruleLabels, ['alertname', rule.alert]]);
    const key = labelsKey(labels);
    if (outcomes.has(key)) {
      throw new CodedError(
        'RULE_DUPLICATE_ALERTS',
        `alert ${rule.alert}: two results have the same labels once the rule's labels are applied; keep a label that tells them apart`,
      );
    }
    // Unlike labels, annotations may be empty.
    const annotations = (await Promise.all(Object.entries(rule.annotations).map(expand))).sort(byName);
    outcomes.set(key, { labels, annotations, value: sample.v });
  }
  return outcomes;
}

const byName = ([a]: Label, [b]: Label) => (a < b ? -1 : a > b ? 1 : 0);

async function expandOne(
  rule: AlertingRule,
  name: string,
  text: string,
  data: TemplateData,
  query: Query,
  atMs: number,
): Promise<Label> {
  try {
    return [name, await expandTemplate(text, data, query, atMs)];
  } catch (error) {
    return [name, `<error expanding template: ${rule.alert}: ${messageOf(error)}>`];
  }
}
