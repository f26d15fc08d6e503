import type { FailureOf } from '../failure.ts';
import { hintOf, logVerdict } from '../log-verdict.ts';
import { describePod } from '../next-step.ts';
import { brief } from '../words.ts';

/** A file system it writes to has no space (or no quota) left. */
export const diskFull: FailureOf = (death) => {
  const hint = hintOf(death, 'DiskFull');
  if (!hint) return undefined;
  const { container, exitCode, pod } = death.life;
  const file =
    /'(\/[^']{1,200})'/.exec(hint.line.text)?.[1] ?? /(\/[\w./-]{2,200})/.exec(hint.line.text)?.[1];
  return logVerdict(death, hint, {
    summary: `Container ${container} exits with code ${exitCode} because there is no space left${file === undefined ? ' on a file system it writes to' : ` where it writes ${brief(file, 120)}`}.`,
    next: [
      { command: 'df -h; df -i', why: 'find the full file system on the node: bytes, then inodes' },
      describePod(pod, 'see which volume lies there'),
    ],
  });
};
