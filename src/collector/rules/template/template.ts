import type { Labels } from '../../../model/labels.ts';
import { toRecord } from '../../../model/labels.ts';
import type { Query } from '../../../model/query-result.ts';
import { messageOf } from '../../../util/coded-error.ts';
import { callFunction, isTemplateFunction, type TemplateWorld } from './functions.ts';
import type { Command, Operand, Pipeline, Template, TemplateNode } from './node.ts';
import { parseTemplate } from './parse.ts';
import {
  type Fields,
  goType,
  isFields,
  isLabels,
  isList,
  isSample,
  isTrue,
  type LabelMap,
  printValue,
  TemplateError,
  type Value,
} from './value.ts';

/** What a rule's template sees as `$labels`, `$value`, `$externalLabels` and `$externalURL`. */
export interface TemplateData {
  readonly labels: Labels;
  readonly value: number;
  readonly externalLabels: Labels;
  readonly externalUrl: string;
}

/** Longest text one template may give: an annotation, not a book. */
const MAX_LENGTH = 64 * 1024;
/** Steps one expansion may take, against nested ranges over large results. */
const MAX_STEPS = 100_000;
const DECLARED = ['$labels', '$externalLabels', '$externalURL', '$value'];

const parsed = new Map<string, Template>();
const MAX_PARSED = 2000;

/** @throws TemplateSyntaxError */
export function checkTemplate(text: string): void {
  templateOf(text);
}

/**
 * Expands a label's or annotation's template at `atMs`.
 * Rejects with TemplateSyntaxError, TemplateError, or what `query` rejects with.
 */
export async function expandTemplate(
  text: string,
  data: TemplateData,
  query: Query,
  atMs: number,
): Promise<string> {
  if (!text.includes('{{')) return text;
  const template = templateOf(text);
  const external = labelMap(data.externalLabels);
  const labels = labelMap(data.labels);
  const run = createRun(template, worldOf(data, query, atMs));
  const dot: Fields = {
    kind: 'fields',
    entries: {
      Labels: labels,
      Value: data.value,
      ExternalLabels: external,
      ExternalURL: data.externalUrl,
    },
  };
  await run(dot, [
    ['$labels', labels],
    ['$externalLabels', external],
    ['$externalURL', data.externalUrl],
    ['$value', data.value],
  ]);
  return run.text();
}

function templateOf(text: string): Template {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const template = parseTemplate(text, isTemplateFunction, DECLARED);
  if (parsed.size >= MAX_PARSED) parsed.clear();
  parsed.set(text, template);
  return template;
}

function labelMap(labels: Labels): LabelMap {
  return { kind: 'labels', entries: toRecord(labels) };
}

function worldOf(data: TemplateData, query: Query, atMs: number): TemplateWorld {
  return {
    externalUrl: data.externalUrl,
    nowMs: atMs,
    async query(expr) {
      const { value } = await query(expr, atMs);
      if (value.type === 'vector') {
        return value.samples.map((sample) => ({
          kind: 'sample',
          labels: labelMap(sample.labels),
          value: sample.v,
        }));
      }
      const entries: Record<string, Value> = Object.create(null);
      if (value.type === 'scalar')
        return [{ kind: 'sample', labels: { kind: 'labels', entries }, value: value.v }];
      throw new TemplateError('rule result is not a vector or scalar');
    },
  };
}

interface Variable {
  readonly name: string;
  value: Value;
}

type Flow = 'next' | 'break' | 'continue';

function createRun(template: Template, world: TemplateWorld) {
  let out = '';
  let steps = 0;
  const write = (text: string) => {
    out += text;
    if (out.length > MAX_LENGTH) throw new TemplateError(`the text is longer than ${MAX_LENGTH} characters`);
  };
  const step = () => {
    steps += 1;
    if (steps > MAX_STEPS) throw new TemplateError(`the template takes more than ${MAX_STEPS} steps`);
  };

  const list = async (
    nodes: readonly TemplateNode[],
    dot: Value,
    scope: Variable[],
    depth: number,
  ): Promise<Flow> => {
    for (const node of nodes) {
      step();
      const flow = await one(node, dot, scope, depth);
      if (flow !== 'next') return flow;
    }
    return 'next';
  };

  const one = async (node: TemplateNode, dot: Value, scope: Variable[], depth: number): Promise<Flow> => {
    switch (node.kind) {
      case 'text':
        write(node.text);
        return 'next';
      case 'print': {
        const value = await pipeline(node.pipeline, dot, scope);
        if (node.pipeline.variables.length === 0) write(printValue(value));
        return 'next';
      }
      case 'break':
      case 'continue':
        return node.kind;
      case 'template':
        return invoke(node.name, node.pipeline, dot, scope, depth);
      case 'range':
        return range(node, dot, [...scope], depth);
      default: {
        const inner = [...scope];
        const value = await pipeline(node.pipeline, dot, inner);
        if (!isTrue(value)) return list(node.otherwise, dot, inner, depth);
        return list(node.body, node.kind === 'with' ? value : dot, inner, depth);
      }
    }
  };

  const invoke = async (
    name: string,
    argument: Pipeline | null,
    dot: Value,
    scope: Variable[],
    depth: number,
  ): Promise<Flow> => {
    const body = template.defined.get(name);
    if (body === undefined) throw new TemplateError(`template "${name}" not defined`);
    if (depth > 100) throw new TemplateError('exceeded maximum template depth (100)');
    const value = argument === null ? null : await pipeline(argument, dot, scope);
    await list(body, value, [{ name: '$', value }], depth + 1);
    return 'next';
  };

  const range = async (
    node: Extract<TemplateNode, { kind: 'if' | 'with' | 'range' }>,
    dot: Value,
    scope: Variable[],
    depth: number,
  ): Promise<Flow> => {
    const over = await pipeline({ ...node.pipeline, variables: [] }, dot, scope);
    const items = itemsOf(over);
    if (items.length === 0) return list(node.otherwise, dot, scope, depth);
    for (const [key, value] of items) {
      const inner = [...scope];
      const [first, second] = node.pipeline.variables;
      const bound: Variable[] = [];
      if (second !== undefined) bound.push({ name: first!, value: key }, { name: second, value });
      else if (first !== undefined) bound.push({ name: first, value });
      if (node.pipeline.declares) inner.push(...bound);
      else for (const { name, value: set } of bound) assign(scope, name, set);
      const flow = await list(node.body, value, inner, depth);
      if (flow === 'break') break;
    }
    return 'next';
  };

  const pipeline = async (of: Pipeline, dot: Value, scope: Variable[]): Promise<Value> => {
    let value: Value;
    let piped = false;
    for (const command of of.commands) {
      step();
      value = await run(command, dot, scope, piped ? [value] : []);
      piped = true;
    }
    for (const name of of.variables) {
      if (of.declares) scope.push({ name, value });
      else assign(scope, name, value);
    }
    return value;
  };

  const run = async (
    command: Command,
    dot: Value,
    scope: Variable[],
    last: readonly Value[],
  ): Promise<Value> => {
    const head = command.operands[0]!;
    const rest = command.operands.slice(1);
    if (head.kind === 'nil') throw new TemplateError('nil is not a command');
    if (head.kind === 'function') {
      const args: Value[] = [];
      for (const operand of rest) {
        const value = await evaluate(operand, dot, scope);
        args.push(value);
        // and, or stop at the operand that decides.
        if ((head.name === 'and' && !isTrue(value)) || (head.name === 'or' && isTrue(value))) return value;
      }
      try {
        return await callFunction(head.name, [...args, ...last], world);
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        throw new TemplateError(`error calling ${head.name}: ${messageOf(error)}`, { cause: error });
      }
    }
    if (rest.length > 0 || last.length > 0) throw new TemplateError("can't give argument to non-function");
    return evaluate(head, dot, scope);
  };

  const evaluate = async (operand: Operand, dot: Value, scope: Variable[]): Promise<Value> => {
    switch (operand.kind) {
      case 'number':
        return operand.integer ? BigInt(operand.value) : operand.value;
      case 'string':
      case 'boolean':
        return operand.value;
      case 'nil':
        return null;
      case 'dot':
        return operand.fields.reduce(field, dot);
      case 'variable':
        return operand.fields.reduce(field, lookUp(scope, operand.name).value);
      case 'function':
        return callFunction(operand.name, [], world);
      case 'pipeline':
        return operand.fields.reduce(field, await pipeline(operand.pipeline, dot, [...scope]));
    }
  };

  const execute = async (dot: Value, variables: readonly (readonly [string, Value])[]) => {
    const scope: Variable[] = [
      { name: '$', value: dot },
      ...variables.map(([name, value]) => ({ name, value })),
    ];
    await list(template.nodes, dot, scope, 0);
  };
  return Object.assign(execute, { text: () => out });
}

function lookUp(scope: readonly Variable[], name: string): Variable {
  const found = scope.findLast((variable) => variable.name === name);
  if (found === undefined) throw new TemplateError(`undefined variable: ${name}`);
  return found;
}

function assign(scope: readonly Variable[], name: string, value: Value): void {
  lookUp(scope, name).value = value;
}

function field(of: Value, name: string): Value {
  if (isLabels(of)) return of.entries[name] ?? '';
  if (isFields(of) && name in of.entries) return of.entries[name];
  if (isSample(of) && name === 'Labels') return of.labels;
  if (isSample(of) && name === 'Value') return of.value;
  throw new TemplateError(`can't evaluate field ${name} in type ${goType(of)}`);
}

function itemsOf(over: Value): readonly (readonly [Value, Value])[] {
  if (over === null || over === undefined) return [];
  if (isList(over)) return over.map((value, index) => [BigInt(index), value]);
  if (isLabels(over))
    return Object.keys(over.entries)
      .sort()
      .map((name) => [name, over.entries[name]]);
  if (typeof over === 'bigint') {
    return Array.from({ length: Math.max(0, Math.min(Number(over), MAX_STEPS)) }, (_, index) => [
      BigInt(index),
      BigInt(index),
    ]);
  }
  throw new TemplateError(`range can't iterate over ${goType(over)}`);
}
