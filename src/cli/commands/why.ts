import { Command, Option } from 'commander';
import colors from 'picocolors';
import type { Evidence } from '../../model/evidence.ts';
import { explain } from '../../model/explanation.ts';
import type { Verdict } from '../../model/verdict.ts';
import { CodedError, isCodedError } from '../../util/coded-error.ts';
import { askServer } from '../client.ts';
import { type CommonFlags, connectionOf, type Terminal, withConnection } from '../program.ts';
import { printable, printableJson } from '../terminal.ts';
import { mistypedKind, whyTarget } from '../why-target.ts';

interface WhyAnswer {
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly verdict: Verdict;
  readonly others: readonly { readonly pod: WhyAnswer['pod']; readonly verdict: Verdict }[];
}

/** `why [KIND/]NAME`: the cause, what proves it, and what to type next. */
export function whyCommand(terminal: Terminal): Command {
  return withConnection(new Command('why'))
    .description('say what is wrong with a pod or workload, and why')
    .argument('<name...>', 'NAME or NAMESPACE/NAME of a pod or a workload, KIND/NAME or KIND NAME')
    .option('-n, --namespace <name>', 'namespace')
    .addOption(
      new Option('-o, --output <format>', 'json, or wide: where each fact is recorded').choices([
        'json',
        'wide',
      ]),
    )
    .action(async (words: readonly string[], flags: CommonFlags) => {
      const { kind, namespace, name } = whyTarget(words, flags);
      const query = kind === undefined ? '' : `?kind=${kind}`;
      const answer = await askServer<WhyAnswer>(
        connectionOf(flags, terminal),
        `/api/pods/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}/why${query}`,
      ).catch((error: unknown) => {
        throw kind === undefined ? withHint(error, words) : error;
      });
      terminal.out(
        flags.output === 'json' ? `${printableJson(answer, 2)}\n` : tell(answer, terminal.isTty, flags),
      );
    });
}

/** A kind that is mistyped was taken for a namespace. */
function withHint(error: unknown, words: readonly string[]): unknown {
  const meant = isCodedError(error) && error.status === 404 ? mistypedKind(words) : undefined;
  if (!isCodedError(error) || meant === undefined) return error;
  return new CodedError(error.code, `${error.message}; or was it: podvitals why ${meant}`, { cause: error });
}

const CONFIDENCE: Readonly<Record<Verdict['confidence'], string>> = {
  certain: 'certain: the facts leave no other cause',
  likely: 'likely: the facts point here, they do not prove it',
  unknown: 'unknown: the facts do not decide',
};

function tell(answer: WhyAnswer, isTty: boolean, flags: CommonFlags): string {
  const { bold, dim, red, green } = colors.createColors(isTty);
  const { pod, verdict } = answer;
  const head = verdict.cause === 'None' ? green('healthy') : red(bold(printable(verdict.cause)));
  const mode = verdict.failureMode === null ? '' : ` (${verdict.failureMode})`;
  const lines = [
    `${bold(printable(`${pod.namespace}/${pod.name}`))}  ${head}${mode}`,
    '',
    `  ${printable(verdict.summary)}`,
  ];
  if (verdict.cause !== 'None') lines.push(`  ${dim(CONFIDENCE[verdict.confidence])}`);
  const { facts, moreFacts, changed, now, next, forGood } = explain(verdict);
  const fact = ({ at, fact, source }: Evidence) =>
    lines.push(
      `  ${dim(clockTime(at))}  ${printable(fact)}`,
      ...(flags.output === 'wide' ? [`            ${dim(printable(source))}`] : []),
    );
  if (facts.length > 0) lines.push('', bold('Evidence'));
  for (const one of facts) fact(one);
  if (moreFacts > 0) lines.push(`            ${dim(`and ${moreFacts} more: -o json has them all`)}`);
  if (changed.length > 0) lines.push('', bold('What changed'));
  for (const one of changed) fact(one);
  if (now !== undefined || next.length > 0) lines.push('', bold('Now'));
  if (now !== undefined) lines.push(...wrapped(plain(now)));
  for (const step of next)
    lines.push(`  ${printable(step.command)}`, `            ${dim(printable(step.why))}`);
  if (forGood !== undefined) lines.push('', bold('For good'), ...wrapped(plain(forGood)));
  if (answer.others.length > 0) {
    lines.push('', bold('Others of this workload'));
    for (const other of answer.others)
      lines.push(`  ${printable(other.pod.name)}  ${printable(other.verdict.cause)}`);
  }
  return `${lines.join('\n')}\n`;
}

const clockTime = (at: string) => (at.length >= 19 ? at.slice(11, 19) : at);

/** Our own advice is Markdown; a terminal shows the words. */
const plain = (text: string) => text.replace(/`([^`]*)`/g, '$1');

const WIDTH = 100;

function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = ' ';
  for (const word of text.split(' ')) {
    if (line.length + word.length >= WIDTH) {
      lines.push(line);
      line = ' ';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
