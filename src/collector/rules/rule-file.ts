import {
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type YAMLMap,
} from 'yaml';
import type { AlertingRule, RecordingRule, Rule, RuleGroup } from '../../model/rule-group.ts';
import { CodedError, messageOf } from '../../util/coded-error.ts';
import { durationMs } from '../../util/duration.ts';
import { parseExpr } from '../promql/parse-expr.ts';
import { checkTemplate } from './template/template.ts';

const LONGEST_FILE = 16 * 1024 * 1024;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const FILE_FIELDS = ['groups'];
const GROUP_FIELDS = ['name', 'interval', 'query_offset', 'limit', 'labels', 'rules'];
const RULE_FIELDS = ['record', 'alert', 'expr', 'for', 'keep_firing_for', 'labels', 'annotations'];

/**
 * The groups of a Prometheus rule file, as Prometheus 3 reads it. A group without an interval has `intervalMs` 0:
 * the evaluation interval of whoever runs it. `path` is for messages.
 *
 * @throws RULES_INVALID listing every problem as `path:line:column: where: what, and how to write it`.
 * Source: prometheus/model/rulefmt
 */
export function parseRuleFile(
  text: string,
  path: string,
  options: { readonly ignoreUnknownFields?: boolean } = {},
): readonly RuleGroup[] {
  if (text.length > LONGEST_FILE) throw invalid([`${path}: the file is larger than ${LONGEST_FILE} bytes`]);
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true });
  // Prometheus reads the first document only.
  const document = Array.isArray(documents) ? documents[0] : undefined;
  if (document === undefined) return [];
  if (document.errors.length > 0) {
    throw invalid(
      document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        return `${path}:${line}:${col}: ${error.message.split('\n')[0]!.replace(/ at line \d+.*$/, '')}`;
      }),
    );
  }
  const reader = createReader(path, lines, options.ignoreUnknownFields ?? false);
  const groups = reader.file(document.contents);
  if (reader.problems.length > 0) throw invalid(reader.problems);
  return groups;
}

function invalid(problems: readonly string[]): CodedError {
  return new CodedError('RULES_INVALID', problems.join('\n'), { status: 422 });
}

type Fields = ReadonlyMap<string, { readonly key: Node; readonly value: Node | null }>;

function createReader(path: string, lines: LineCounter, ignoreUnknown: boolean) {
  const problems: string[] = [];
  const report = (node: Node | null | undefined, where: string, what: string) => {
    const { line, col } = node?.range ? lines.linePos(node.range[0]) : { line: 1, col: 1 };
    problems.push(`${path}:${line}:${col}: ${where === '' ? '' : `${where}: `}${what}`);
  };

  const fieldsOf = (map: YAMLMap, allowed: readonly string[], where: string): Fields => {
    const fields = new Map<string, { key: Node; value: Node | null }>();
    for (const { key, value } of map.items as Pair<Node, Node | null>[]) {
      const name = isScalar(key) ? String(key.value) : '';
      if (!ignoreUnknown && !allowed.includes(name)) {
        report(key, where, `field "${name}" is not known; allowed are ${allowed.join(', ')}`);
      }
      fields.set(name, { key, value });
    }
    return fields;
  };

  const textOf = (fields: Fields, name: string, where: string): string | undefined => {
    const field = fields.get(name);
    if (field === undefined || isNull(field.value)) return undefined;
    if (isScalar(field.value)) return scalarText(field.value);
    report(field.value, where, `"${name}" must be a text`);
    return undefined;
  };

  const durationOf = (fields: Fields, name: string, where: string): number => {
    const text = textOf(fields, name, where);
    if (text === undefined) return 0;
    const ms = durationMs(text);
    if (ms !== undefined) return ms;
    report(
      fields.get(name)!.value,
      where,
      `"${name}" is "${text}", which is not a duration; write it like 30s, 5m or 1h30m`,
    );
    return 0;
  };

  const mapOf = (
    fields: Fields,
    name: string,
    where: string,
    check: (name: string, value: string) => string | undefined,
  ): Record<string, string> => {
    const out: Record<string, string> = Object.create(null);
    const field = fields.get(name);
    if (field === undefined || isNull(field.value)) return out;
    if (!isMap(field.value)) {
      report(field.value, where, `"${name}" must map names to texts`);
      return out;
    }
    for (const { key, value } of field.value.items as Pair<Node, Node | null>[]) {
      const entry = isScalar(key) ? String(key.value) : '';
      if (!isNull(value) && !isScalar(value)) {
        report(value, where, `${name}: "${entry}" must be a text`);
        continue;
      }
      const text = isScalar(value) ? scalarText(value) : '';
      const problem = check(entry, text);
      if (problem !== undefined) report(key, where, problem);
      out[entry] = text;
    }
    return out;
  };

  const labelsOf = (fields: Fields, where: string, templated: boolean) =>
    mapOf(fields, 'labels', where, (name, value) => {
      if (!LABEL_NAME.test(name) || name === '__name__') {
        return `invalid label name: "${name}"; use letters, digits and _, not starting with a digit`;
      }
      return templated ? templateProblem('label', name, value) : undefined;
    });

  const annotationsOf = (fields: Fields, where: string) =>
    mapOf(fields, 'annotations', where, (name, value) =>
      LABEL_NAME.test(name)
        ? templateProblem('annotation', name, value)
        : `invalid annotation name: "${name}"; use letters, digits and _, not starting with a digit`,
    );

  const exprOf = (fields: Fields, where: string, map: YAMLMap): string => {
    const expr = textOf(fields, 'expr', where) ?? '';
    if (expr === '') report(fields.get('expr')?.value ?? map, where, '"expr" must be set in a rule');
    else {
      try {
        parseExpr(expr);
      } catch (error) {
        report(fields.get('expr')!.value, where, `could not parse expression: ${messageOf(error)}`);
      }
    }
    return expr;
  };

  const alertingRule = (fields: Fields, where: string, map: YAMLMap): AlertingRule =>
    Object.freeze({
      kind: 'alerting',
      alert: textOf(fields, 'alert', where) ?? '',
      expr: exprOf(fields, where, map),
      forMs: durationOf(fields, 'for', where),
      keepFiringForMs: durationOf(fields, 'keep_firing_for', where),
      labels: labelsOf(fields, where, true),
      annotations: annotationsOf(fields, where),
    });

  const recordingRule = (fields: Fields, where: string, map: YAMLMap): RecordingRule => {
    const record = textOf(fields, 'record', where) ?? '';
    for (const name of ['for', 'keep_firing_for', 'annotations']) {
      const field = fields.get(name);
      if (field !== undefined) report(field.key, where, `a recording rule has no "${name}"; only alerts do`);
    }
    if (/[{}]/.test(record)) {
      report(
        fields.get('record')!.value,
        where,
        `braces present in the recording rule name; should it be in expr?: ${record}`,
      );
    } else if (!record.isWellFormed()) {
      report(fields.get('record')!.value, where, `invalid recording rule name: ${record}`);
    }
    return Object.freeze({
      kind: 'recording',
      record,
      expr: exprOf(fields, where, map),
      labels: labelsOf(fields, where, false),
    });
  };

  const rule = (node: Node | null, groupName: string, index: number): Rule | undefined => {
    const place = `group "${groupName}", rule ${index + 1}`;
    if (!isMap(node)) {
      report(node, place, 'a rule must be a map with "record" or "alert", and "expr"');
      return undefined;
    }
    const named = (['record', 'alert'] as const).map((name) => textOf(new Map(pairsOf(node)), name, place));
    const where = `${place}, "${named[0] || named[1] || ''}"`;
    const fields = fieldsOf(node, RULE_FIELDS, where);
    if (named[0] && named[1]) {
      report(node, where, 'only one of "record" and "alert" must be set');
      return undefined;
    }
    if (!named[0] && !named[1]) {
      report(node, place, 'one of "record" or "alert" must be set');
      return undefined;
    }
    return named[0] ? recordingRule(fields, where, node) : alertingRule(fields, where, node);
  };

  const group = (node: Node | null, index: number): RuleGroup | undefined => {
    if (!isMap(node)) {
      report(node, '', `group ${index + 1} must be a map with "name" and "rules"`);
      return undefined;
    }
    const name = textOf(new Map(pairsOf(node)), 'name', `group ${index + 1}`) ?? '';
    const where = `group "${name}"`;
    const fields = fieldsOf(node, GROUP_FIELDS, where);
    if (name === '') report(node, `group ${index + 1}`, 'Groupname must not be empty');
    const limit = Number(textOf(fields, 'limit', where) ?? 0);
    if (!Number.isSafeInteger(limit) || limit < 0) {
      report(fields.get('limit')!.value, where, '"limit" must be a whole number; 0 is no limit');
    }
    const rules = fields.get('rules')?.value;
    if (!isNull(rules ?? null) && !isSeq(rules)) report(rules, where, '"rules" must be a list');
    return Object.freeze({
      file: path,
      name,
      intervalMs: durationOf(fields, 'interval', where),
      limit,
      queryOffsetMs: durationOf(fields, 'query_offset', where),
      labels: labelsOf(fields, where, false),
      rules: isSeq(rules)
        ? rules.items
            .map((item, at) => rule(item as Node | null, name, at))
            .filter((item) => item !== undefined)
        : [],
    });
  };

  return {
    problems,
    file(contents: Node | null): readonly RuleGroup[] {
      if (isNull(contents)) return [];
      if (!isMap(contents)) {
        report(contents, '', 'a rule file must be a map with "groups"');
        return [];
      }
      const list = fieldsOf(contents, FILE_FIELDS, '').get('groups')?.value ?? null;
      if (isNull(list)) return [];
      if (!isSeq(list)) {
        report(list, '', '"groups" must be a list');
        return [];
      }
      const seen = new Set<string>();
      const groups: RuleGroup[] = [];
      for (const [index, item] of (list.items as (Node | null)[]).entries()) {
        const read = group(item, index);
        if (read === undefined) continue;
        if (seen.has(read.name)) report(item, '', `groupname: "${read.name}" is repeated in the same file`);
        seen.add(read.name);
        groups.push(read);
      }
      return groups;
    },
  };
}

function pairsOf(map: YAMLMap): [string, { key: Node; value: Node | null }][] {
  return (map.items as Pair<Node, Node | null>[]).map(({ key, value }) => [
    isScalar(key) ? String(key.value) : '',
    { key, value },
  ]);
}

function isNull(node: Node | null | undefined): boolean {
  return node === null || node === undefined || (isScalar(node) && node.value === null);
}

/** As written, so that `for: 0` and `version: 1.10` keep their spelling. */
function scalarText(node: { value: unknown; source?: string | undefined }): string {
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
}

function templateProblem(what: string, name: string, text: string): string | undefined {
  if (!text.includes('{{')) return undefined;
  try {
    checkTemplate(text);
    return undefined;
  } catch (error) {
    return `could not parse the template of ${what} "${name}": ${messageOf(error)}`;
  }
}
