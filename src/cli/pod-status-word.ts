import type { Pod } from '../model/kubernetes.ts';

/**
 * The word kubectl prints in the STATUS column: the most telling of phase, container reasons and deletion.
 * Source: kubernetes/pkg/printers/internalversion/printers.go, printPod.
 */
export function podStatusWord(pod: Pod): string {
  let word = pod.status.reason ?? pod.status.phase;
  let initializing = false;
  const inits = pod.status.initContainerStatuses ?? [];
  for (const [index, status] of inits.entries()) {
    const { waiting, terminated } = status.state;
    if (terminated?.exitCode === 0) continue;
    if (terminated) word = `Init:${terminated.reason}`;
    else if (waiting && waiting.reason !== 'PodInitializing') word = `Init:${waiting.reason}`;
    else word = `Init:${index}/${inits.length}`;
    initializing = true;
    break;
  }
  if (!initializing) {
    let running = false;
    for (const status of [...(pod.status.containerStatuses ?? [])].reverse()) {
      const { waiting, terminated } = status.state;
      if (waiting?.reason) word = waiting.reason;
      else if (terminated) word = terminated.reason || `ExitCode:${terminated.exitCode}`;
      else if (status.ready && status.state.running) running = true;
    }
    if (word === 'Completed' && running) word = 'Running';
  }
  return pod.metadata.deletionTimestamp === undefined ? word : 'Terminating';
}
