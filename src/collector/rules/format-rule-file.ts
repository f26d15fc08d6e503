import { isMap, isScalar, isSeq, type Node, parseDocument, type Scalar, type YAMLMap } from 'yaml';
import { parseExpr } from '../promql/parse-expr.ts';
import { prettyExpr } from '../promql/print-expr.ts';
import { parseRuleFile } from './rule-file.ts';

export interface FormattedRuleFile {
  readonly text: string;
  /** Expressions left as they were, for they hold comments: `line 12: …`. */
  readonly warnings: readonly string[];
}

interface Replacement {
  readonly from: number;
  readonly to: number;
  readonly by: string;
}

/**
 * A rule file with every expression as `promtool promql format` prints it. Everything else stays as it was to the
 * letter: comments, order, quotes, blank lines.
 * @throws RULES_INVALID as `parseRuleFile`
 */
export function formatRuleFile(text: string, path: string): FormattedRuleFile {
  parseRuleFile(text, path);
  const warnings: string[] = [];
  const replacements: Replacement[] = [];
  for (const { rule, expr, key } of expressionsOf(text)) {
    const written = String(expr.value ?? '');
    if (hasComment(written)) {
      warnings.push(`${path}:${lineAt(text, expr.range![0])}: left as it was, for it holds a comment`);
      continue;
    }
    const pretty = prettyExpr(parseExpr(written));
    if (pretty === written.trimEnd()) continue;
    const inFlow = rule.flow === true || pretty.length === 0;
    const by = inFlow
      ? quoted(pretty)
      : pretty.includes('\n')
        ? block(pretty, indentOf(text, key))
        : plainOrQuoted(pretty);
    replacements.push(replacement(text, expr, by));
  }
  let out = text;
  for (const { from, to, by } of replacements.reverse()) out = out.slice(0, from) + by + out.slice(to);
  return { text: out, warnings };
}

interface Expression {
  readonly rule: YAMLMap;
  readonly key: Node;
  readonly expr: Scalar;
}

function expressionsOf(text: string): Expression[] {
  const groups = listIn(parseDocumentOne(text), 'groups');
  return groups.flatMap((group) =>
    listIn(group, 'rules').flatMap((rule): Expression[] => {
      if (!isMap(rule)) return [];
      const pair = rule.items.find(({ key }) => isScalar(key) && key.value === 'expr');
      return pair !== undefined && isScalar(pair.value)
        ? [{ rule, key: pair.key as Node, expr: pair.value }]
        : [];
    }),
  );
}

/** Prometheus reads the first document only; the others are kept as they are. */
function parseDocumentOne(text: string): unknown {
  return parseDocument(text, { uniqueKeys: true }).contents;
}

function listIn(map: unknown, name: string): readonly unknown[] {
  const list = isMap(map) ? map.get(name, true) : undefined;
  return isSeq(list) ? list.items : [];
}

/** Comments of PromQL run from `#` outside a string to the end of the line. */
function hasComment(expr: string): boolean {
  return expr.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/g, '').includes('#');
}

function replacement(text: string, expr: Scalar, by: string): Replacement {
  const [from, valueEnd] = expr.range!;
  const isBlock = expr.type === 'BLOCK_LITERAL' || expr.type === 'BLOCK_FOLDED';
  // A block's value reaches over its last line break, and over blank lines, which stay.
  const to = isBlock ? from + text.slice(from, valueEnd).trimEnd().length : valueEnd;
  return { from, to, by };
}

function indentOf(text: string, key: Node): number {
  const at = key.range![0];
  return at - (text.lastIndexOf('\n', at - 1) + 1);
}

function block(pretty: string, indent: number): string {
  const margin = ' '.repeat(indent + 2);
  // A first line that is indented would be taken for the margin: then the margin is said.
  return `${pretty.startsWith(' ') ? '|2' : '|'}\n${pretty.replace(/^/gm, margin)}`;
}

// A plain scalar must not look like anything else to YAML: in doubt it is quoted.
function plainOrQuoted(pretty: string): string {
  const safe =
    /^[A-Za-z_(][^\n]*$/.test(pretty) && !/: |:$| #|^(?:true|false|null|yes|no|on|off|y|n)$/i.test(pretty);
  return safe ? pretty : quoted(pretty);
}

function quoted(pretty: string): string {
  const oneLine = pretty.replace(/\n\s*/g, ' ');
  return `'${oneLine.replaceAll("'", "''")}'`;
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
