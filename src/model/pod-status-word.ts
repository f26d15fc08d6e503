import type { Pod } from './kubernetes.ts';

/**
 * The word kubectl prints in the STATUS column: the most telling of phase, container reasons and deletion.
 * Source: kubernetes/pkg/printers/internalversion/printers.go, printPod.
 */
export function podStatusWord(pod: Pod): string {
  if (pod.metadata.deletionTimestamp !== undefined) return 'Terminating';
  // Of a pod that a person holds, how its containers ended is no news.
  const { reason } = pod.status;
  if (reason === 'Stopped' || reason === 'Paused') return reason;
  return initWord(pod) ?? containersWord(pod);
}

/** What keeps the init containers busy, or undefined once all are through. */
function initWord(pod: Pod): string | undefined {
  const inits = pod.status.initContainerStatuses ?? [];
  for (const [index, status] of inits.entries()) {
    const { waiting, terminated } = status.state;
    if (terminated?.exitCode === 0 || isSidecarUp(pod, index)) continue;
    if (terminated) return `Init:${terminated.reason || `ExitCode:${terminated.exitCode}`}`;
    if (waiting && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`;
    return `Init:${index}/${inits.length}`;
  }
  return undefined;
}

function isSidecarUp(pod: Pod, index: number): boolean {
  const status = pod.status.initContainerStatuses![index]!;
  const spec = pod.spec.initContainers?.find((container) => container.name === status.name);
  return spec?.restartPolicy === 'Always' && status.started;
}

function containersWord(pod: Pod): string {
  let word: string = pod.status.reason ?? pod.status.phase;
  let running = false;
  for (const { state, ready } of [...(pod.status.containerStatuses ?? [])].reverse()) {
    if (state.waiting?.reason) word = state.waiting.reason;
    else if (state.terminated) word = state.terminated.reason || `ExitCode:${state.terminated.exitCode}`;
    else if (ready && state.running) running = true;
  }
  if (word !== 'Completed' || !running) return word;
  return pod.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
    ? 'Running'
    : 'NotReady';
}
