import type { LogLine } from '../../../model/life.ts';
import { failedConnectsFact, unansweredFact } from '../connects.ts';
import type { Death } from '../death.ts';
import type { FailureOf } from '../failure.ts';
import { lastWords } from '../log/last-words.ts';
import { hintOf, logVerdict } from '../log-verdict.ts';
import { describePod, podEvents } from '../next-step.ts';
import { brief } from '../words.ts';

interface Way {
  readonly cause: 'DependencyRefused' | 'DependencyTimeout' | 'DnsFailure';
  readonly words: string;
}
const REFUSED: Way = {
  cause: 'DependencyRefused',
  words: 'the connection is refused, nothing listens there',
};
const TIMEOUT: Way = { cause: 'DependencyTimeout', words: 'it does not answer in time' };
const RESET: Way = { ...REFUSED, words: 'who answers there hangs up at once' };
const NO_ROUTE: Way = { ...TIMEOUT, words: 'there is no route to it, so no answer ever comes' };
const DNS: Way = { cause: 'DnsFailure', words: 'its name does not resolve' };

// A name that does not resolve comes first: its look-up may itself be refused or time out.
const WAYS: readonly (readonly [RegExp, Way])[] = [
  [
    /ENOTFOUND|EAI_AGAIN|EAI_NONAME|no such host|gaierror|getaddrinfo|UnknownHost|name resolution|(?:service|name) not known|resolve host|translate host|host not found|zero addresses|NXDOMAIN|SERVFAIL|server misbehaving|bad hostname|(?:does not|not be|cannot be) resolved?|unknown host|lookup failure|nodename nor|No address associated|\blook-?up \S|\bresolution (?:of|for) |bad address/i,
    DNS,
  ],
  [/REFUSED|refused|Errno 111|code: 111/i, REFUSED],
  [/HOSTUNREACH|NETUNREACH|no route|unreachable/i, NO_ROUTE],
  [/RESET|reset\b|hang up|Remote end closed|Empty reply|closed the connection/, RESET],
  [
    /TIMEDOUT|time(?:d|s)?[- _]?out|timeout|DeadlineExceeded|deadline exceeded|code: 110|gave up waiting|waiting for/i,
    TIMEOUT,
  ],
];

/**
 * Something it needs over the network does not answer, and the program gives up instead of waiting. Certain when the
 * kernel, too, counted connections that were refused, or segments nobody acknowledged.
 */
export const dependency: FailureOf = (death) => {
  const hint = hintOf(death, 'Dependency');
  if (!hint) return undefined;
  const { container, exitCode, pod, log } = death.life;
  const { address, port } = hint.found;
  const way = wayOf(hint.line, log);
  const where =
    address === undefined
      ? 'a service it depends on'
      : brief(port === undefined ? address : `${address}:${port}`, 140);
  return logVerdict(death, hint, {
    cause: way.cause,
    summary: `Container ${container} exits with code ${exitCode} because it cannot reach ${where}: ${way.words}.`,
    corroborated: corroboration(death, way),
    next: [
      { command: 'podvitals get pods -A -o wide', why: `see whether what serves ${where} runs and is ready` },
      podEvents(pod, 'see whether its deaths follow those of the dependency'),
      describePod(pod, 'check the address it is configured with'),
    ],
  });
};

const corroboration = (death: Death, { cause }: Way) =>
  cause === 'DependencyRefused'
    ? failedConnectsFact(death)
    : cause === 'DependencyTimeout'
      ? unansweredFact(death)
      : undefined;

/** The line that names the dependency says how, else the lines around it. */
function wayOf(line: LogLine, log: readonly LogLine[]): Way {
  for (const text of [line.text, ...lastWords(log).map((word) => word.text)]) {
    const found = WAYS.find(([pattern]) => pattern.test(text));
    if (found) return found[1];
  }
  return REFUSED;
}
