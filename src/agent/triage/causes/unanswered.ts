import type { Evidence } from '../../../model/evidence.ts';
import type { LogLine } from '../../../model/life.ts';
import { exitFact, lastLogFacts, logFact, ofLife } from '../citation.ts';
import { failedConnectsFact, unansweredFact } from '../connects.ts';
import { type Death, signalOf } from '../death.ts';
import type { FailureOf, Finding } from '../failure.ts';
import { complaintIn } from '../log/complaint.ts';
import { hintOf } from '../log-verdict.ts';
import { describePod, podEvents, previousLog } from '../next-step.ts';
import { brief } from '../words.ts';

// Words of one that speaks of whom it needs, without saying what happened.
const OF_OTHERS =
  /\b(?:connect\w*|reach\w*|unreachable|available|unavailable|up|ready|online|respon\w+|answer\w*|backend|database|db|cache|broker|queue|server|service|upstream|host|peer|endpoint|redis|postgres|mysql|kafka|rabbit\w*|mongo\w*|amqp|https?|api|giving up|gave up|retries|attempts|without|depend\w*|health\w*|fetch\w*)\b/i;

interface Way {
  readonly cause: 'DependencyRefused' | 'DependencyTimeout' | 'DnsFailure';
  readonly words: string;
  readonly facts: readonly Evidence[];
}

/**
 * It ended without saying why, or spoke only of somebody it needs: what the kernel counted in its network, or the exit
 * code of the tool it ran, says what the log does not.
 */
export const unanswered: FailureOf = (death) => {
  const { life } = death;
  if (life.exitCode === 0 || life.killRequest !== null || signalOf(death) !== undefined) return undefined;
  if (hintOf(death, 'AppError')?.language !== undefined) return undefined;
  const complaint = complaintIn(life.log);
  if (complaint !== undefined && !OF_OTHERS.test(complaint.text)) return undefined;
  const way = counted(death) ?? byTool(death);
  return way && verdictOf(death, way, complaint);
};

function counted(death: Death): Way | undefined {
  const refused = failedConnectsFact(death);
  if (refused)
    return {
      cause: 'DependencyRefused',
      words: 'connections it tried were refused, and it gave up',
      facts: [refused],
    };
  const silent = unansweredFact(death);
  return (
    silent && {
      cause: 'DependencyTimeout',
      words: 'what it sent was not answered, and it gave up',
      facts: [silent],
    }
  );
}

// Source: curl(1), EXIT CODES; timeout(1).
const TOOLS: readonly (readonly [RegExp, number, Way['cause'], string])[] = [
  [/\bcurl\b/, 6, 'DnsFailure', 'curl ends with 6 when a name does not resolve'],
  [/\bcurl\b/, 7, 'DependencyRefused', 'curl ends with 7 when it cannot connect'],
  [/\bcurl\b/, 28, 'DependencyTimeout', 'curl ends with 28 when no answer came in time'],
  [
    /\btimeout\b.{0,80}\b(?:curl|wget|nc|telnet|psql|mysql|redis-cli|ssh|dig|\/dev\/tcp)\b/,
    124,
    'DependencyTimeout',
    'timeout(1) ends with 124 when its command took too long',
  ],
];

function byTool(death: Death): Way | undefined {
  const command = death.life.config.command.join(' ').slice(0, 4000);
  const tool = TOOLS.find(([words, code]) => code === death.life.exitCode && words.test(command));
  if (!tool) return undefined;
  const [, , cause, words] = tool;
  return { cause, words, facts: [ofLife(death, words)] };
}

function verdictOf(death: Death, { cause, words, facts }: Way, complaint: LogLine | undefined): Finding {
  const { container, exitCode, pod } = death.life;
  return {
    cause,
    confidence: 'likely',
    summary: `Container ${container} exits with code ${exitCode} because something it depends on does not answer: ${words}${complaint === undefined ? '; its log does not say whom' : `: ${brief(complaint.text, 160)}`}.`,
    evidence: [exitFact(death), ...facts, ...(complaint ? [logFact(death, complaint)] : lastLogFacts(death))],
    next: [
      previousLog(pod, container),
      { command: 'podvitals get pods -A -o wide', why: 'see whether what it depends on runs and is ready' },
      podEvents(pod, 'see whether its deaths follow those of another'),
      describePod(pod, 'check the addresses it is configured with'),
    ],
  };
}
