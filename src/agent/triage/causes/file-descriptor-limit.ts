import { ofLife } from '../citation.ts';
import type { FailureOf } from '../failure.ts';
import { hintOf, logVerdict } from '../log-verdict.ts';
import { describePod, manifestOf } from '../next-step.ts';
import { brief } from '../words.ts';

const NEAR = 0.9;

/** It has as many files and sockets open as it may. Certain when it was seen near the limit. */
export const fileDescriptorLimit: FailureOf = (death) => {
  const hint = hintOf(death, 'FileDescriptorLimit');
  if (!hint) return undefined;
  const { container, exitCode, pod } = death.life;
  const near = death.life.vitals.findLast(
    ({ openDescriptors = 0, descriptorLimit = Number.POSITIVE_INFINITY, processes = 1 }) =>
      openDescriptors >= descriptorLimit * processes * NEAR,
  );
  return logVerdict(death, hint, {
    summary: `Container ${container} exits with code ${exitCode} because it may not open another file or socket: ${brief(hint.line.text, 160)}`,
    corroborated:
      near === undefined
        ? undefined
        : ofLife(
            death,
            `it was seen with ${near.openDescriptors} open descriptors; its limit is ${near.descriptorLimit}`,
            near.at,
          ),
    next: [
      manifestOf(pod, 'find what it opens and never closes; a higher limit (ulimit -n) only delays that'),
      describePod(pod, 'see what it runs'),
    ],
  });
};
