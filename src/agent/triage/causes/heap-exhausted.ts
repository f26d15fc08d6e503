import { oomCounterFact } from '../citation.ts';
import { signalOf } from '../death.ts';
import type { FailureOf } from '../failure.ts';
import { hintOf, logVerdict } from '../log-verdict.ts';
import { memoryFacts } from '../memory.ts';
import { manifestOf } from '../next-step.ts';
import { bytes } from '../words.ts';

// SIGILL, SIGTRAP, SIGABRT, SIGSEGV.
const ABORTS: readonly (number | undefined)[] = [4, 5, 6, 11];

/**
 * The language's own heap was full; the kernel killed nothing. Certain when the runtime also ended itself as one does
 * that cannot go on (an abort, or the fault it becomes in a first process), and the kernel's counter stood still.
 */
export const heapExhausted: FailureOf = (death) => {
  const hint = hintOf(death, 'HeapExhausted');
  if (!hint) return undefined;
  const { container, exitCode, pod, config } = death.life;
  const aborted = ABORTS.includes(signalOf(death));
  const counter = death.oomKillsCounted === 0 ? oomCounterFact(death) : undefined;
  const limit = config.memoryLimitBytes;
  const verdict = logVerdict(death, hint, {
    summary: `Container ${container} exits with code ${exitCode} because its own ${hint.language === 'any' ? '' : `${hint.language} `}heap is full; the kernel did not kill it, so the limit it hit is the runtime's, not the container's${limit === undefined ? '' : ` ${bytes(limit)}`}.`,
    corroborated: aborted ? counter : undefined,
    facts: [...(counter && !aborted ? [counter] : []), ...memoryFacts(death)],
    next: [
      manifestOf(
        pod,
        'raise the heap of the runtime (--max-old-space-size, -Xmx, GOMEMLIMIT) below the container limit, or find the leak',
      ),
    ],
  });
  return {
    ...verdict,
    evidence: verdict.evidence.filter(
      (fact, index, all) => all.findIndex((other) => other.fact === fact.fact) === index,
    ),
  };
};
