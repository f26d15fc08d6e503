import type { FailureOf } from '../failure.ts';
import { hintOf, logVerdict } from '../log-verdict.ts';
import { describePod, podEvents } from '../next-step.ts';
import { brief } from '../words.ts';

/** Something it needs over the network does not answer, and the program gives up instead of waiting. */
export const dependencyUnavailable: FailureOf = (death) => {
  const hint = hintOf(death, 'DependencyUnavailable');
  if (!hint) return undefined;
  const { container, exitCode, pod } = death.life;
  const { address, port } = hint.found;
  const where =
    address === undefined
      ? 'a service it depends on'
      : brief(port === undefined ? address : `${address}:${port}`, 140);
  return logVerdict(death, hint, {
    failureMode: 'F1',
    summary: `Container ${container} exits with code ${exitCode} because it cannot reach ${where}: ${how(hint.line.text)}.`,
    next: [
      { command: 'podvitals get pods -A -o wide', why: `see whether what serves ${where} runs and is ready` },
      podEvents(pod, 'see whether its deaths follow those of the dependency'),
      describePod(pod, 'check the address it is configured with'),
    ],
  });
};

const WAYS: readonly (readonly [RegExp, string])[] = [
  [/REFUSED|refused|Errno 111|code: 111/, 'the connection is refused, nothing listens there'],
  [
    /ENOTFOUND|EAI_AGAIN|no such host|gaierror|UnknownHost|not known|resolve host|translate host|host not found|zero addresses/i,
    'its name does not resolve',
  ],
  [/TIMEDOUT|timed? ?out|timeout|DeadlineExceeded|code: 110/i, 'it does not answer in time'],
  [/HOSTUNREACH|NETUNREACH|no route|unreachable/i, 'there is no route to it'],
];
const how = (text: string) => WAYS.find(([pattern]) => pattern.test(text))?.[1] ?? 'it does not answer';
