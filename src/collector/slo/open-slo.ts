import { type Document, LineCounter, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { CodedError, messageOf } from '../../util/coded-error.ts';
import { durationMs } from '../../util/duration.ts';
import { parseExpr } from '../promql/parse-expr.ts';
import { POLICIES } from './policy.ts';
import type { Slo } from './slo.ts';

const POLICY = 'podvitals.dev/policy';
const BY = 'podvitals.dev/by';
const MINIMUM_EXPOSURE = 'podvitals.dev/minimum-exposure';
const DEFAULT_POLICY = 'google-30d';
/** Kinds of OpenSLO that may stand in the file and say nothing we need. */
const OTHER_KINDS = ['DataSource', 'Service'];

const name = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'use lower-case letters, digits and -');
const metadata = z.object({
  name,
  displayName: z.string().max(200).optional(),
  labels: z.record(z.string(), z.unknown()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});
const metric = z.strictObject({
  metricSource: z.strictObject({
    metricSourceRef: z.string().optional(),
    type: z
      .string()
      .toLowerCase()
      .pipe(z.literal('prometheus', 'only prometheus sources can be read'))
      .optional(),
    spec: z.strictObject({ query: z.string().min(1).max(10_000) }),
  }),
});
const ratioMetric = z
  .strictObject({
    counter: z.literal(true, 'write counter: true; the queries must select counters'),
    good: metric.optional(),
    bad: metric.optional(),
    total: metric,
  })
  .refine(({ good, bad }) => (good === undefined) !== (bad === undefined), 'write either good or bad');
const objective = z.strictObject({
  displayName: z.string().optional(),
  target: z.number().gt(0, 'must be above 0').lt(1, 'must be below 1: 0.99 is 99%').optional(),
  targetPercent: z.number().gt(0).lt(100, 'must be below 100').optional(),
});
const sloSchema = z.strictObject({
  apiVersion: z.literal('openslo/v1'),
  kind: z.literal('SLO'),
  metadata,
  spec: z.strictObject({
    description: z.string().max(1050).default(''),
    service: z.string().min(1).max(200),
    indicator: z.strictObject({
      metadata: metadata.extend({ name: z.string() }).optional(),
      spec: z.strictObject({ description: z.string().optional(), ratioMetric }),
    }),
    timeWindow: z
      .array(
        z.strictObject({
          duration: z.string(),
          isRolling: z.literal(true, 'only rolling windows can be evaluated: write isRolling: true'),
        }),
      )
      .length(1, 'write exactly one window'),
    budgetingMethod: z.literal('Occurrences', 'only Occurrences can be evaluated'),
    objectives: z.array(objective).length(1, 'write exactly one objective; make an SLO of each other one'),
    alertPolicies: z.array(z.unknown()).max(0, 'use the annotation podvitals.dev/policy instead').optional(),
  }),
});

/**
 * The SLOs of an OpenSLO v1 file: SLO documents with an inline ratio of counters, a rolling window and one objective.
 * DataSource and Service documents are passed over.
 *
 * @throws SLO_INVALID listing every problem as `path:line: SLO name: field: what, and what is allowed`.
 * Source: https://github.com/OpenSLO/OpenSLO (v1)
 */
export function parseOpenSlo(text: string, path: string): readonly Slo[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines });
  const problems: string[] = [];
  const slos: Slo[] = [];
  for (const document of Array.isArray(documents) ? documents : []) {
    const line = lines.linePos(document.contents?.range?.[0] ?? document.range[0]).line;
    const broken = document.errors[0];
    if (broken !== undefined) {
      problems.push(
        `${path}:${lines.linePos(broken.pos[0]).line}: ${broken.message.split('\n')[0]!.replace(/ at line \d+.*$/, '')}`,
      );
      continue;
    }
    const read = readValue(document, `${path}:${line}`);
    if (typeof read === 'string') problems.push(read);
    else slos.push(...read);
  }
  const names = slos.map((slo) => slo.name);
  const twice = names.find((slo, index) => names.indexOf(slo) !== index);
  if (twice !== undefined) problems.push(`${path}: SLO ${twice} is defined twice; give each its own name`);
  if (problems.length > 0) throw new CodedError('SLO_INVALID', problems.join('\n'), { status: 422 });
  return slos;
}

function readValue(document: Document.Parsed, place: string): readonly Slo[] | string {
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    // An alias without its anchor, or too many.
    return `${place}: ${messageOf(error)}`;
  }
  return value === null ? [] : readDocument(value, place);
}

/** What is no text may have a field `toString` of its own. */
const asText = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value ?? null);

/** The SLOs of one document, or what is wrong with it. */
function readDocument(value: unknown, place: string): readonly Slo[] | string {
  const kind = (value as { kind?: unknown })?.kind;
  if (typeof kind === 'string' && OTHER_KINDS.includes(kind)) return [];
  if (kind !== 'SLO')
    return `${place}: kind "${asText(kind)}" cannot be read; allowed are SLO, ${OTHER_KINDS.join(', ')}`;
  const parsed = sloSchema.safeParse(value);
  if (!parsed.success) {
    const sloName = (value as { metadata?: { name?: unknown } }).metadata?.name ?? '?';
    const named = asText(sloName);
    return parsed.error.issues
      .map((issue) => `${place}: SLO ${named}: ${issue.path.join('.') || '(top)'}: ${issue.message}`)
      .join('\n');
  }
  try {
    return [toSlo(parsed.data)];
  } catch (error) {
    return `${place}: SLO ${parsed.data.metadata.name}: ${messageOf(error)}`;
  }
}

function toSlo({
  metadata: { name: sloName, displayName, annotations = {} },
  spec,
}: z.output<typeof sloSchema>): Slo {
  const { good, bad, total } = spec.indicator.spec.ratioMetric;
  const period = spec.timeWindow[0]!.duration;
  const periodMs = durationMs(period);
  if (!periodMs) throw new Error(`spec.timeWindow: "${period}" is not a duration; write it like 30d`);
  const target = targetOf(spec.objectives[0]!);
  const budget = withoutDust(1 - target);
  const policy = policyOf(annotations[POLICY] ?? DEFAULT_POLICY, budget);
  const by = labelsOf(annotations[BY] ?? '');
  return {
    name: sloName,
    displayName: displayName ?? sloName,
    description: spec.description,
    service: spec.service,
    target,
    budget,
    period,
    periodMs,
    ...(good === undefined ? {} : { good: selector('good', good.metricSource.spec.query) }),
    ...(bad === undefined ? {} : { bad: selector('bad', bad.metricSource.spec.query) }),
    total: selector('total', total.metricSource.spec.query),
    by,
    policy,
    minimumExposure: exposureOf(annotations[MINIMUM_EXPOSURE], policy[0]!.factor, budget),
  };
}

function targetOf(of: z.output<typeof objective>): number {
  if ((of.target === undefined) === (of.targetPercent === undefined)) {
    throw new Error('spec.objectives.0: write either target (0.99) or targetPercent (99)');
  }
  return of.target ?? withoutDust(of.targetPercent! / 100);
}

/** 1 - 0.99 is 0.010000000000000009; people wrote 0.01. */
function withoutDust(ratio: number): number {
  return Number(ratio.toPrecision(12));
}

function policyOf(policyName: string, budget: number) {
  const policy = Object.hasOwn(POLICIES, policyName) ? POLICIES[policyName] : undefined;
  if (policy === undefined) {
    throw new Error(
      `metadata.annotations: ${POLICY} is "${policyName}"; allowed are ${Object.keys(POLICIES).join(', ')}`,
    );
  }
  for (const { factor, long } of policy) {
    const needed = withoutDust(factor * budget);
    if (needed < 1) continue;
    throw new Error(
      `spec.objectives: the target is too loose for policy ${policyName}: its ${long} window asks for ${factor} times the budget, and ${factor} x ${budget} = ${needed}, but no more than all events (1) can be bad. Raise the target above ${withoutDust(1 - 1 / factor)}, or choose another policy.`,
    );
  }
  return policy;
}

function labelsOf(text: string): readonly string[] {
  const labels = text
    .split(',')
    .map((label) => label.trim())
    .filter((label) => label !== '');
  const wrong = labels.find((label) => !/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) || label.startsWith('__'));
  if (wrong !== undefined) throw new Error(`metadata.annotations: ${BY}: "${wrong}" is no label name`);
  return labels;
}

/** What is left out is as much as makes one bad event alone no alert. */
function exposureOf(text: string | undefined, factor: number, budget: number): number {
  if (text === undefined) return Math.floor(1 / (factor * budget)) + 1;
  const exposure = Number(text);
  if (text.trim() !== '' && Number.isFinite(exposure) && exposure > 0) return exposure;
  throw new Error(
    `metadata.annotations: ${MINIMUM_EXPOSURE} is "${text}"; write a number above 0, in units of total`,
  );
}

function selector(which: string, query: string): string {
  const expr = parseExpr(query);
  if (expr.kind === 'vector-selector' && expr.offsetMs === 0 && expr.at === null) return query.trim();
  throw new Error(
    `spec.indicator.spec.ratioMetric.${which}: "${query}" must be the selector of a counter, as in http_requests_total{job="shop"}; rate and sum are added for each window`,
  );
}
