import type { Evidence } from '../../../model/evidence.ts';
import { ofLife } from '../citation.ts';
import type { Death } from '../death.ts';
import type { FailureOf } from '../failure.ts';
import { hintOf, logVerdict } from '../log-verdict.ts';
import { describePod, manifestOf } from '../next-step.ts';
import { brief } from '../words.ts';

/** It writes where nothing can be written. Certain when the manifest says that the place is read-only. */
export const readOnlyFilesystem: FailureOf = (death) => {
  const hint = hintOf(death, 'ReadOnlyFilesystem');
  if (!hint) return undefined;
  const { container, exitCode, pod } = death.life;
  const { file } = hint.found;
  return logVerdict(death, hint, {
    summary: `Container ${container} exits with code ${exitCode} because it cannot write to ${file === undefined ? 'a file system' : `${brief(file, 120)}, which is on a file system`} mounted read-only.`,
    corroborated: readOnlyMount(death, file),
    next: [
      manifestOf(pod, 'mount a writable volume there (an emptyDir), or write elsewhere'),
      describePod(pod, 'see its volumes and mounts'),
    ],
  });
};

function readOnlyMount(death: Death, file: string | undefined): Evidence | undefined {
  const { spec } = death;
  if (file === undefined || spec === undefined) return undefined;
  const mount = (spec.volumeMounts ?? [])
    .filter(({ mountPath }) => file === mountPath || file.startsWith(`${mountPath.replace(/\/$/, '')}/`))
    .sort((a, b) => b.mountPath.length - a.mountPath.length)[0];
  if (!mount?.readOnly) return undefined;
  return ofLife(
    death,
    `its volume ${mount.name} is mounted read-only at ${mount.mountPath}`,
    death.life.startedAt,
  );
}
