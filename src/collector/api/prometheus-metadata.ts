import { CodedError } from '../../util/coded-error.ts';
import { catalogue } from '../../wire/catalogue/catalogue.ts';
import type { MetricMetadata } from '../scrape/metric-metadata.ts';
import type { Form } from './prometheus-parameters.ts';

interface Metadata {
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

/**
 * Type and help of the metrics of the catalogue and of those that `scraped` targets told of, by name; `metric`, `limit`
 * and `limit_per_metric` narrow it.
 */
export function metadataOf(form: Form, scraped: Iterable<MetricMetadata> = []): Record<string, Metadata[]> {
  const metric = form.get('metric') ?? '';
  const limit = countParameter(form, 'limit');
  const perMetric = countParameter(form, 'limit_per_metric');
  const out: Record<string, Metadata[]> = Object.create(null);
  let names = 0;
  for (const { name, type, help, unit } of told(scraped)) {
    if (metric !== '' && name !== metric) continue;
    const known = out[name];
    if (known === undefined) {
      if (limit >= 0 && names >= limit) continue;
      names += 1;
      out[name] = [{ type, help, unit }];
    } else if (!known.some((one) => one.type === type && one.help === help && one.unit === unit)) {
      if (perMetric <= 0 || known.length < perMetric) known.push({ type, help, unit });
    }
  }
  return out;
}

function* told(scraped: Iterable<MetricMetadata>): Iterable<Metadata & { readonly name: string }> {
  for (const { name, type, help } of catalogue) yield { name, type, help, unit: '' };
  for (const { metric: name, type, help, unit } of scraped) yield { name, type, help, unit };
}

/** -1 when it is not given: no limit. */
function countParameter(form: Form, name: string): number {
  const text = form.get(name) ?? '';
  if (text === '') return -1;
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw new CodedError('PROMETHEUS_PARAMETER', `${name} must be a number`, { status: 400 });
}
