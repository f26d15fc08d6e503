import { globSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { RE2JS } from 're2js';
import type { RuleGroup } from '../../../model/rule-group.ts';
import type { Clock } from '../../../util/clock.ts';
import { CodedError, isCodedError } from '../../../util/coded-error.ts';
import { parseRuleFile } from '../rule-file.ts';
import { parseTestFile, type TestFile } from './test-file.ts';
import { runTestGroup } from './test-group.ts';

export interface UnitTestOptions {
  /** Only test groups whose name matches one of these regular expressions; all when empty. */
  readonly run?: readonly string[];
  readonly ignoreUnknownFields?: boolean;
  readonly clock: Clock;
}

export interface UnitTestOutcome {
  readonly warnings: readonly string[];
  /** None is a success. */
  readonly failures: readonly string[];
}

const MINUTE_MS = 60_000;

/**
 * Runs a file of unit tests as `promtool test rules` does; rule files are looked up beside it. Failures are worded
 * as promtool words them. Source: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
 */
export async function runUnitTest(path: string, options: UnitTestOptions): Promise<UnitTestOutcome> {
  const warnings: string[] = [];
  try {
    const run = (options.run ?? []).map(compile);
    const file = parseTestFile(readText(path), options);
    const paths = rulePaths(path, file.rule_files, warnings);
    const tests = file.tests.filter(
      ({ name }) => run.length === 0 || run.some((one) => one.matcher(name).find()),
    );
    // promtool reads rule files for a test, so without one nothing is wrong with them.
    const groups = tests.length === 0 ? [] : inEvaluationOrder(readGroups(paths, options), file);
    const settings = {
      groups,
      evaluationIntervalMs: file.evaluation_interval ?? MINUTE_MS,
      fuzzy: file.fuzzy_compare,
      clock: options.clock,
    };
    const failures: string[] = [];
    for (const test of tests) failures.push(...(await runTestGroup(test, settings)));
    return { warnings, failures };
  } catch (error) {
    if (!isCodedError(error)) throw error;
    return { warnings, failures: [error.message] };
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CodedError('RULE_TEST_FILE', `cannot read ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    throw new CodedError('RULE_TEST_RUN', `--run ${pattern}: ${(error as Error).message}`, { cause: error });
  }
}

function rulePaths(testPath: string, patterns: readonly string[], warnings: string[]): string[] {
  return patterns.flatMap((pattern) => {
    const full = isAbsolute(pattern) ? pattern : join(dirname(testPath), pattern);
    const found = globSync(full).sort();
    if (found.length === 0) warnings.push(`  WARNING: no file match pattern ${full}`);
    return found;
  });
}

function readGroups(paths: readonly string[], options: UnitTestOptions): RuleGroup[] {
  // A file that is named twice is read once: groups are told apart by file and name.
  return [...new Set(paths)].flatMap((path) => [...parseRuleFile(readText(path), path, options)]);
}

/** Groups that `group_eval_order` does not name come with its first one, as in promtool; files keep their order. */
function inEvaluationOrder(groups: readonly RuleGroup[], { group_eval_order: order }: TestFile): RuleGroup[] {
  const placeOf = ({ name }: RuleGroup) => Math.max(0, order.indexOf(name));
  return [...groups].sort((a, b) => placeOf(a) - placeOf(b));
}
