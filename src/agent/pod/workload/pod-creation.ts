import type { Clock } from '../../../util/clock.ts';
import { isCodedError } from '../../../util/coded-error.ts';
import type { ControllerContext, CreateFailure, NewPodRequest } from './controller.ts';
import { podCreated, podCreateFailed } from './workload-event.ts';

/** Makes pods for controllers, and tells of each; one that is refused is tried again later and later. */
export interface PodCreation {
  /** False when the pod is not made: it was refused, or another of the owner's was a moment ago. */
  create(asked: NewPodRequest): boolean;
  /** Undefined when the owner's last pod was made. */
  failureOf(ownerUid: string): CreateFailure | undefined;
  /** What pods were refused for may be mended: the next look tries at once. */
  retry(): void;
}

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;
// Owners that are gone leave theirs behind: the oldest goes.
const MOST_FAILURES = 1000;

export function createPodCreation(
  context: Pick<ControllerContext, 'tell'> & {
    /** @throws CodedError the refusal, in the words of the API server. */
    readonly createPod: (asked: NewPodRequest) => void;
    readonly clock: Clock;
  },
): PodCreation {
  const failures = new Map<string, CreateFailure & { readonly delayMs: number }>();
  const now = () => context.clock.now();

  function refused(asked: NewPodRequest, message: string): void {
    const { uid } = asked.owner.metadata;
    const before = failures.get(uid)?.delayMs;
    const delayMs = before === undefined ? FIRST_RETRY_MS : Math.min(before * 2, LONGEST_RETRY_MS);
    failures.delete(uid);
    failures.set(uid, { message, delayMs, retryAt: now() + delayMs });
    if (failures.size > MOST_FAILURES) failures.delete(failures.keys().next().value!);
    context.tell(asked.owner, podCreateFailed(asked.owner, asked.metadata.name, message));
  }

  return {
    create(asked) {
      const { uid } = asked.owner.metadata;
      if ((failures.get(uid)?.retryAt ?? 0) > now()) return false;
      try {
        context.createPod(asked);
      } catch (error) {
        if (!isCodedError(error)) throw error;
        refused(asked, error.message);
        return false;
      }
      failures.delete(uid);
      context.tell(asked.owner, podCreated(asked.owner, asked.metadata.name));
      return true;
    },
    failureOf: (uid) => failures.get(uid),
    retry() {
      for (const [uid, failure] of failures) failures.set(uid, { ...failure, retryAt: 0 });
    },
  };
}
