import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RuleGroup } from '../model/rule-group.ts';
import { CodedError, messageOf } from '../util/coded-error.ts';
import { parseRuleFile } from './rules/rule-file.ts';

/**
 * The groups of rule files; a folder stands for its `.yaml` and `.yml` files, in the order of their names.
 * @throws RULES_UNREADABLE naming the path, or what `parseRuleFile` finds.
 */
export function loadRuleFiles(paths: readonly string[]): readonly RuleGroup[] {
  return paths.flatMap(filesOf).flatMap((path) => parseRuleFile(read(path), path));
}

function filesOf(path: string): readonly string[] {
  if (/\.ya?ml$/.test(path)) return [path];
  try {
    return readdirSync(path)
      .filter((file) => /\.ya?ml$/.test(file))
      .sort()
      .map((file) => join(path, file));
  } catch (error) {
    throw unreadable(path, error);
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): CodedError {
  return new CodedError('RULES_UNREADABLE', `cannot read the rules ${path}: ${messageOf(error)}`, {
    cause: error,
  });
}
