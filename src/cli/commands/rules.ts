import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import type { RuleGroup } from '../../model/rule-group.ts';
import { systemClock } from '../../util/clock.ts';
import { CodedError, isCodedError } from '../../util/coded-error.ts';
import { ExitStatus } from '../exit-status.ts';
import { inputText } from '../input-text.ts';
import { collect, type Terminal } from '../program.ts';
import { printableLines } from '../terminal.ts';

/** `rules check|test|format`: what promtool does for rule files, with the same output and exit codes. */
export function rulesCommand(terminal: Terminal): Command {
  return new Command('rules')
    .description('check, test and format Prometheus rule files')
    .addCommand(checkCommand(terminal))
    .addCommand(testCommand(terminal))
    .addCommand(formatCommand(terminal));
}

interface CheckFlags {
  readonly lint: 'all' | 'duplicate-rules' | 'none';
  readonly lintFatal?: boolean;
  readonly ignoreUnknownFields?: boolean;
}

const ignoreUnknownFields = ['--ignore-unknown-fields', 'accept fields Prometheus does not know'] as const;

function checkCommand(terminal: Terminal): Command {
  return new Command('check')
    .description('tell whether Prometheus would load the files')
    .argument('[files...]', 'rule files; standard input when left out')
    .addOption(
      new Option('--lint <checks>', 'what to look for besides errors')
        .choices(['all', 'duplicate-rules', 'none'])
        .default('duplicate-rules'),
    )
    .option('--lint-fatal', 'exit with 3 when a check finds something')
    .option(...ignoreUnknownFields)
    .action(async (files: readonly string[], flags: CheckFlags) => {
      const { parseRuleFile } = await import('../../collector/rules/rule-file.ts');
      const inputs = files.length > 0 ? files.map((path) => ({ path, text: () => readText(path) })) : [STDIN];
      let status = 0;
      for (const { path, text } of inputs) {
        terminal.out(`Checking ${path}\n`);
        try {
          const groups = parseRuleFile(await text(), path, flags);
          const found = flags.lint === 'none' ? undefined : await lint(groups);
          if (found === undefined) {
            const rules = groups.reduce((sum, group) => sum + group.rules.length, 0);
            terminal.out(`  SUCCESS: ${rules} rules found\n`);
          } else {
            terminal.err(`  FAILED:\n${found}\n`);
            if (flags.lintFatal) status ||= 3;
          }
        } catch (error) {
          if (!isCodedError(error)) throw error;
          terminal.err(`  FAILED:\n${printableLines(error.message)}\n`);
          status = 1;
          continue;
        }
        terminal.out('\n');
      }
      if (status !== 0) throw new ExitStatus(status);
    });
}

const STDIN = { path: 'standard input', text: () => inputText('-') };

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CodedError('RULES_UNREADABLE', `cannot read ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function lint(groups: readonly RuleGroup[]): Promise<string | undefined> {
  const { duplicateRules } = await import('../../collector/rules/duplicate-rules.ts');
  const found = duplicateRules(groups);
  if (found.length === 0) return undefined;
  const lines = found.flatMap(({ name, labels }) => [
    `Metric: ${name}`,
    'Label(s):',
    ...Object.entries(labels).map(([label, value]) => `\t${label}: ${value}`),
  ]);
  return [
    `lint error ${found.length} duplicate rule(s) found.`,
    ...lines,
    'Might cause inconsistency while recording expressions',
  ].join('\n');
}

interface TestFlags {
  readonly run?: readonly string[];
  readonly ignoreUnknownFields?: boolean;
}

function testCommand(terminal: Terminal): Command {
  return new Command('test')
    .description('run unit tests of rules, in the format of promtool')
    .argument('<files...>', 'unit test files')
    .option('--run <regexp>', 'only test groups whose name matches; may be repeated', collect)
    .option(...ignoreUnknownFields)
    .action(async (files: readonly string[], flags: TestFlags) => {
      const { runUnitTest } = await import('../../collector/rules/unit-test/unit-test.ts');
      let failed = false;
      for (const file of files) {
        const { warnings, failures } = await runUnitTest(file, { ...flags, clock: systemClock });
        for (const warning of warnings) terminal.err(`${warning}\n`);
        if (failures.length === 0) terminal.out('  SUCCESS\n');
        else {
          failed = true;
          terminal.err('  FAILED:\n');
          for (const failure of failures) {
            terminal.err(`${printableLines(failure)}\n`);
            terminal.out('\n');
          }
        }
        terminal.out('\n');
      }
      if (failed) throw new ExitStatus(1);
    });
}

function formatCommand(terminal: Terminal): Command {
  return new Command('format')
    .description('print the files with every expression as Prometheus formats it')
    .argument('<files...>', 'rule files')
    .option('-w, --write', 'write the files instead of printing them')
    .action(async (files: readonly string[], flags: { write?: boolean }) => {
      const { formatRuleFile } = await import('../../collector/rules/format-rule-file.ts');
      for (const path of files) {
        const before = readText(path);
        const { text, warnings } = formatRuleFile(before, path);
        for (const warning of warnings) terminal.err(`Warning: ${warning}\n`);
        if (!flags.write) terminal.out(text);
        else if (text !== before) replaceFile(path, text);
      }
    });
}

/** Never half a file: written beside it, then put in its place. */
function replaceFile(path: string, text: string): void {
  const beside = `${path}.new`;
  writeFileSync(beside, text);
  renameSync(beside, path);
}
