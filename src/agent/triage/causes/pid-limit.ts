import { ofLife } from '../citation.ts';
import type { FailureOf } from '../failure.ts';
import { hintOf, logVerdict } from '../log-verdict.ts';
import { describePod, manifestOf } from '../next-step.ts';
import { brief } from '../words.ts';

const NEAR = 0.9;

/** It may not make another process or thread. Certain when it was seen near a limit of its cgroup. */
export const pidLimit: FailureOf = (death) => {
  const hint = hintOf(death, 'PidLimit');
  if (!hint) return undefined;
  const { container, exitCode, pod } = death.life;
  const limit = death.life.config.pidsLimit;
  const most = Math.max(0, ...death.life.vitals.map(({ processes = 0 }) => processes));
  return logVerdict(death, hint, {
    summary: `Container ${container} exits with code ${exitCode} because it may not make another process or thread: ${brief(hint.line.text, 160)}`,
    corroborated:
      limit !== undefined && most >= limit * NEAR
        ? ofLife(death, `it was seen with ${most} processes; the limit of its cgroup is ${limit}`)
        : undefined,
    next: [
      manifestOf(pod, 'raise the limit of processes, or find what does not end its children'),
      describePod(pod, 'see what it runs'),
    ],
  });
};
