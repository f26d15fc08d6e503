import { type Death, signalOf } from '../death.ts';
import type { FailureOf } from '../failure.ts';
import { complaintIn } from '../log/complaint.ts';
import type { LogHint } from '../log/log-cause.ts';
import { hintOf, logVerdict } from '../log-verdict.ts';
import { describePod } from '../next-step.ts';
import { brief } from '../words.ts';

const SIGABRT = 6;

/** The program ended by an error of its own that nothing more exact explains. */
export const appError: FailureOf = (death) => {
  const hint = hintOf(death, 'AppError') ?? complaintOf(death);
  const signal = signalOf(death);
  // Some languages abort after an uncaught error; any other signal is the nearer cause.
  if (!hint || (signal !== undefined && signal !== SIGABRT)) return undefined;
  const { container, exitCode, pod } = death.life;
  return logVerdict(death, hint, {
    summary: `Container ${container} exits with code ${exitCode} after an error of its own: ${brief(hint.found.detail ?? hint.line.text, 200)}`,
    next: [describePod(pod, 'see which version runs and when it changed')],
  });
};

/** An exit of its own accord with a line that complains, though of nothing known. */
function complaintOf(death: Death): LogHint | undefined {
  const { life } = death;
  if (life.exitCode === 0 || life.killRequest !== null || signalOf(death) !== undefined) return undefined;
  const line = complaintIn(life.log);
  return line && { cause: 'AppError', language: 'any', line, found: {} };
}
