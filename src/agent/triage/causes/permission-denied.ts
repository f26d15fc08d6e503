import type { FailureOf } from '../failure.ts';
import { hintOf, logVerdict } from '../log-verdict.ts';
import { describePod, manifestOf } from '../next-step.ts';
import { brief } from '../words.ts';

/** The kernel refused the program a file, a port or an operation. */
export const permissionDenied: FailureOf = (death) => {
  const hint = hintOf(death, 'PermissionDenied');
  if (!hint) return undefined;
  const { container, exitCode, pod } = death.life;
  const { file } = hint.found;
  const readOnly = /read-only file system/i.test(hint.line.text);
  const port = /:(\d{1,5})$/.exec(file ?? '')?.[1];
  const what =
    port !== undefined
      ? `may not listen on port ${port}${Number(port) < 1024 ? ' (ports below 1024 need a privilege)' : ''}`
      : file === undefined
        ? 'was refused an operation it needs'
        : `${readOnly ? 'cannot write to' : 'may not use'} ${brief(file, 120)}${readOnly ? ', which is on a read-only file system' : ''}`;
  return logVerdict(death, hint, {
    failureMode: readOnly ? 'F14' : 'F1',
    summary: `Container ${container} exits with code ${exitCode} because it ${what}.`,
    next: [
      describePod(pod, 'see its volumes and mounts'),
      manifestOf(pod, 'mount a writable volume there, mend owner and mode, or choose another path or port'),
    ],
  });
};
