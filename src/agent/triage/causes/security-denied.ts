import type { Evidence } from '../../../model/evidence.ts';
import { exitFact, lastLogFacts, ofLife } from '../citation.ts';
import type { Death } from '../death.ts';
import type { FailureOf } from '../failure.ts';
import { hintOf, logVerdict } from '../log-verdict.ts';
import { describePod, manifestOf, previousLog } from '../next-step.ts';
import { brief } from '../words.ts';

// The kernel says so for want of a right, as against a file's owner or mode (EACCES).
const NOT_PERMITTED = /not permitted|\bEPERM\b|Errno 1\b/i;

/**
 * A security module or a capability taken away forbade what it did. Certain when the kernel logged the denial and the
 * program tells of it; a capability that the manifest takes from root makes it likely.
 */
export const securityDenied: FailureOf = (death) => {
  const { life } = death;
  if (life.exitCode === 0 || life.killRequest !== null) return undefined;
  const hint = hintOf(death, 'PermissionDenied');
  const denied = denialFact(death);
  const next = [
    manifestOf(life.pod, 'allow what it needs in securityContext (capabilities, profiles), no more'),
    describePod(life.pod, 'see what it may do'),
  ];
  if (hint) {
    const taken = NOT_PERMITTED.test(hint.line.text) ? takenFact(death) : undefined;
    if (!denied && !taken) return undefined;
    return logVerdict(death, hint, {
      cause: 'SecurityDenied',
      summary: `Container ${life.container} exits with code ${life.exitCode} because it was forbidden what it did${life.denial ? ` by ${life.denial.by} (${brief(life.denial.what, 100)})` : ', for want of a capability that its manifest takes from it'}: ${brief(hint.line.text, 160)}`,
      corroborated: denied,
      facts: taken ? [taken] : [],
      next,
    });
  }
  if (!denied || hintOf(death, 'AppError')?.language !== undefined) return undefined;
  return {
    cause: 'SecurityDenied',
    confidence: 'likely',
    summary: `Container ${life.container} exits with code ${life.exitCode} after ${life.denial!.by} forbade what it did (${brief(life.denial!.what, 100)}).`,
    evidence: [exitFact(death), denied, ...lastLogFacts(death)],
    next: [...next, previousLog(life.pod, life.container)],
  };
};

function denialFact(death: Death): Evidence | undefined {
  const { denial } = death.life;
  return (
    denial &&
    ofLife(death, `the kernel logged that ${denial.by} denied its first process ${brief(denial.what, 160)}`)
  );
}

/** Root is refused only for want of a capability; others are refused as the user they are. */
function takenFact(death: Death): Evidence | undefined {
  const { drop = [] } = death.spec?.securityContext?.capabilities ?? {};
  if (drop.length === 0 || (death.user ?? 0) !== 0) return undefined;
  return ofLife(
    death,
    `its manifest takes capabilities from it: ${brief(drop.join(', '), 100)}`,
    death.life.startedAt,
  );
}
