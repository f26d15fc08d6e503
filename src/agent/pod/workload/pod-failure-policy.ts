import type { Job } from '../../../model/kubernetes-workload.ts';
import type { ContainerRecord, PodRecord } from '../pod-record.ts';

type Policy = NonNullable<Job['spec']['podFailurePolicy']>;
type Rule = Policy['rules'][number];

export interface PodFailureVerdict {
  /** Whether the failure counts towards backoffLimit. */
  readonly counts: boolean;
  /** Its index is not tried again. */
  readonly failsIndex?: boolean;
  /** Why the whole Job fails at once. */
  readonly failsJob?: string;
}

/**
 * What the first rule that matches makes of a pod that failed; one that no rule matches counts.
 * Source: kubernetes/pkg/controller/job/pod_failure_policy.go, matchPodFailurePolicy
 */
export function judgePodFailure(policy: Policy | undefined, pod: PodRecord): PodFailureVerdict {
  for (const [index, rule] of (policy?.rules ?? []).entries()) {
    const what = matchOf(rule, pod);
    if (what === undefined) continue;
    if (rule.action === 'Ignore') return { counts: false };
    if (rule.action !== 'FailJob') return { counts: true, failsIndex: rule.action === 'FailIndex' };
    return { counts: true, failsJob: `${what} matching FailJob rule at index ${index}` };
  }
  return { counts: true };
}

function matchOf({ onExitCodes, onPodConditions = [] }: Rule, pod: PodRecord): string | undefined {
  const name = `${pod.ref.namespace}/${pod.ref.name}`;
  if (onExitCodes) {
    const found = inOrder(pod).find((container) => {
      const exitCode = exitOf(container);
      return exitCode !== 0 && isNamed(container, onExitCodes) && isAmong(exitCode, onExitCodes);
    });
    return found && `Container ${found.name} for pod ${name} failed with exit code ${exitOf(found)}`;
  }
  const wanted = onPodConditions.find(({ type, status = 'True' }) =>
    pod.conditions.some((condition) => condition.type === type && condition.status === status),
  );
  return wanted && `Pod ${name} has condition ${wanted.type}`;
}

type ExitCodes = NonNullable<Rule['onExitCodes']>;

/** Of a container that runs, or never did: 0, which no rule matches. */
const exitOf = ({ life }: ContainerRecord) => life?.end?.exitCode ?? 0;

const isNamed = ({ name }: ContainerRecord, { containerName }: ExitCodes) =>
  containerName === undefined || containerName === name;

const isAmong = (exitCode: number, { operator, values }: ExitCodes) =>
  values.includes(exitCode) === (operator === 'In');

/** Init containers last. */
const inOrder = ({ containers }: PodRecord) =>
  [...containers].sort((a, b) => Number(a.init) - Number(b.init));
