import { createHash } from 'node:crypto';
import { RE2JS, RE2JSSyntaxException } from 're2js';
import { CodedError } from '../../util/coded-error.ts';
import { compileTemplate } from './replacement-template.ts';

export const RELABEL_ACTIONS = [
  'replace',
  'keep',
  'drop',
  'keepequal',
  'dropequal',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
  'lowercase',
  'uppercase',
] as const;
export type RelabelAction = (typeof RELABEL_ACTIONS)[number];

/** One entry of `relabel_configs` or `metric_relabel_configs`, with Prometheus' defaults where a field is left out. */
export interface RelabelConfig {
  readonly action: RelabelAction;
  readonly sourceLabels: readonly string[];
  readonly separator: string;
  readonly targetLabel: string;
  readonly regex: string;
  readonly modulus: number;
  readonly replacement: string;
}

export const DEFAULT_RELABEL: RelabelConfig = {
  action: 'replace',
  sourceLabels: [],
  separator: ';',
  targetLabel: '',
  regex: '(.*)',
  modulus: 0,
  replacement: '$1',
};

/** Labels while they are changed. An empty value is no label. */
export type MutableLabels = Map<string, string>;

/** Changes labels in place; false when their owner is to be dropped. */
export type Relabel = (labels: MutableLabels) => boolean;

/** All of them in order, until one drops. */
export function compileRelabels(configs: readonly RelabelConfig[]): Relabel {
  const rules = configs.map(compileRelabel);
  return (labels) => rules.every((rule) => rule(labels));
}

/**
 * @throws RELABEL_INVALID when the regular expression does not parse, or a field the action needs is missing.
 * Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
 */
export function compileRelabel(config: RelabelConfig): Relabel {
  const regex = compileRegex(config.regex);
  const needsTarget = !NO_TARGET.has(config.action);
  if (needsTarget && config.targetLabel === '')
    throw invalid(`the action ${config.action} needs a target_label`);
  if (config.action === 'hashmod' && !(config.modulus > 0))
    throw invalid('the action hashmod needs a modulus above 0');
  return ACTIONS[config.action](config, regex);
}

const NO_TARGET: ReadonlySet<RelabelAction> = new Set(['keep', 'drop', 'labelmap', 'labeldrop', 'labelkeep']);

const ACTIONS: Readonly<Record<RelabelAction, (config: RelabelConfig, regex: RE2JS) => Relabel>> = {
  replace: (config, regex) => {
    const target = compileTemplate(config.targetLabel, regex);
    const replacement = compileTemplate(config.replacement, regex);
    return (labels) => {
      const match = regex.matcher(sourceOf(config, labels));
      if (!match.matches()) return true;
      const name = target(match);
      if (name !== '') set(labels, name, replacement(match));
      return true;
    };
  },
  keep: (config, regex) => (labels) => regex.testExact(sourceOf(config, labels)),
  drop: (config, regex) => (labels) => !regex.testExact(sourceOf(config, labels)),
  keepequal: (config) => (labels) => sourceOf(config, labels) === (labels.get(config.targetLabel) ?? ''),
  dropequal: (config) => (labels) => sourceOf(config, labels) !== (labels.get(config.targetLabel) ?? ''),
  hashmod: (config) => setting(config, (value) => String(hashOf(value) % BigInt(config.modulus))),
  lowercase: (config) => setting(config, (value) => value.toLowerCase()),
  uppercase: (config) => setting(config, (value) => value.toUpperCase()),
  labelmap: (config, regex) => {
    const replacement = compileTemplate(config.replacement, regex);
    return (labels) => {
      for (const [name, value] of [...labels]) {
        const match = regex.matcher(name);
        if (match.matches()) set(labels, replacement(match), value);
      }
      return true;
    };
  },
  labeldrop: (_config, regex) => (labels) => {
    for (const name of [...labels.keys()]) if (regex.testExact(name)) labels.delete(name);
    return true;
  },
  labelkeep: (_config, regex) => (labels) => {
    for (const name of [...labels.keys()]) if (!regex.testExact(name)) labels.delete(name);
    return true;
  },
};

const setting =
  (config: RelabelConfig, change: (value: string) => string): Relabel =>
  (labels) => {
    set(labels, config.targetLabel, change(sourceOf(config, labels)));
    return true;
  };

function set(labels: MutableLabels, name: string, value: string): void {
  if (value === '') labels.delete(name);
  else labels.set(name, value);
}

const sourceOf = ({ sourceLabels, separator }: RelabelConfig, labels: MutableLabels) =>
  sourceLabels.map((name) => labels.get(name) ?? '').join(separator);

/** The last eight bytes of the MD5, so that targets are shared out as Prometheus shares them. */
const hashOf = (value: string) => createHash('md5').update(value).digest().readBigUInt64BE(8);

function compileRegex(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern, RE2JS.DOTALL);
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    throw invalid(
      `the regex ${JSON.stringify(pattern)} does not parse: ${error.message}; RE2 syntax is expected`,
    );
  }
}

const invalid = (message: string) => new CodedError('RELABEL_INVALID', message, { status: 400 });
