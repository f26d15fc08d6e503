import type { PodSpec } from '../../model/kubernetes.ts';
import { CodedError } from '../../util/coded-error.ts';
import { missingClass, type PriorityLevel } from './node/priority.ts';
import type { NewMeta } from './object-store.ts';

const LONGEST_LABEL = 63;

/**
 * Whether a pod that a controller wants may be made.
 *
 * @throws CodedError `FORBIDDEN`, `ALREADY_EXISTS`, `INVALID`: the API server's refusal, in its words.
 * Source: kubernetes/plugin/pkg/admission/priority/admission.go; apimachinery pkg/api/errors, meta/v1/validation
 */
export function admitPod(
  { name, labels = {} }: NewMeta,
  spec: PodSpec,
  known: {
    readonly priorities: readonly PriorityLevel[];
    readonly taken: boolean;
    /** The end of its name was drawn by lot: admission comes before that, so its refusal does not know it. */
    readonly drawn: boolean;
  },
): void {
  const missing = missingClass(spec, known.priorities);
  if (missing !== undefined)
    throw new CodedError(
      'FORBIDDEN',
      `pods "${known.drawn ? name.replace(/[^-]*$/, '') : name}" is forbidden: no PriorityClass with name ${missing} was found`,
      { status: 403 },
    );
  if (known.taken) throw new CodedError('ALREADY_EXISTS', `pods "${name}" already exists`, { status: 409 });
  const long = Object.values(labels).find((value) => value.length > LONGEST_LABEL);
  if (long !== undefined)
    throw new CodedError(
      'INVALID',
      `Pod "${name}" is invalid: metadata.labels: Invalid value: "${long}": must be no more than ${LONGEST_LABEL} bytes`,
      { status: 422 },
    );
}
