import type { PodRef } from '../../model/pod-ref.ts';
import type { NextStep } from '../../model/verdict.ts';
import { shellQuote } from '../../util/shell-quote.ts';

/** NAMESPACE/NAME as one word of a shell; `--` before a name that looks like a flag. */
export function podWord({ namespace, name }: Pick<PodRef, 'namespace' | 'name'>): string {
  const word = `${namespace}/${name}`;
  return word.startsWith('-') ? `-- ${shellQuote(word)}` : shellQuote(word);
}

const flag = (name: string, value: string) =>
  value.startsWith('-') ? shellQuote(`--${name}=${value}`) : `--${name} ${shellQuote(value)}`;

export const previousLog = (pod: PodRef, container: string): NextStep => ({
  command: `podvitals logs --previous ${flag('container', container)} ${podWord(pod)}`,
  why: 'read the whole log of the life that ended',
});

export const currentLog = (pod: PodRef, container: string): NextStep => ({
  command: `podvitals logs --follow ${flag('container', container)} ${podWord(pod)}`,
  why: 'watch what it says now',
});

export const describePod = (pod: PodRef, why: string): NextStep => ({
  command: `podvitals describe ${podWord(pod)}`,
  why,
});

export const podEvents = (pod: PodRef, why: string): NextStep => ({
  command: `podvitals events ${flag('for', `${pod.namespace}/${pod.name}`)}`,
  why,
});

/** The object whose manifest is to be mended: the workload's, or the pod's own where nothing owns it. */
export function manifestOf(pod: PodRef, why: string): NextStep {
  const owned = ['deployment', 'statefulset', 'daemonset', 'job', 'cronjob'].includes(pod.workloadType);
  return {
    command: `podvitals get ${owned ? pod.workloadType : 'pod'} -o yaml ${podWord({
      namespace: pod.namespace,
      name: owned ? pod.workload : pod.name,
    })}`,
    why,
  };
}

export const configMapOf = (namespace: string, name: string, why: string): NextStep => ({
  command: `podvitals get configmap -o yaml ${podWord({ namespace, name })}`,
  why,
});

export const applyAgain = (why: string): NextStep => ({ command: 'podvitals apply -f FILE', why });

export const query = (expression: string, why: string): NextStep => ({
  command: `podvitals query ${shellQuote(expression)}`,
  why,
});
