/**
 * Which of the node's resources an eviction was for, by the kubelet's message; it names the resource, the node's
 * condition, or the limit of the pod's own that was exceeded. Undefined for evictions that somebody wanted: a drain,
 * a taint, a pod of higher priority. Source: kubernetes pkg/kubelet/eviction.
 */
export function evictionCause(message: string): 'EvictedMemory' | 'EvictedDisk' | 'EvictedPids' | undefined {
  if (!/low on resource: |had condition: |exceed/i.test(message)) return undefined;
  const resource = /low on resource: ([\w./-]+)|condition: \[(\w+)/i.exec(message);
  const named = resource?.[1] ?? resource?.[2] ?? message;
  if (/inode|disk|ephemeral|imagefs|nodefs|storage|emptydir/i.test(named)) return 'EvictedDisk';
  return /\bpids?\b|PIDPressure|process/i.test(named) ? 'EvictedPids' : 'EvictedMemory';
}
