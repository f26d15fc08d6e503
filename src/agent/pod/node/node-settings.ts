import type { NodeSettings } from './node-keeper.ts';
import { DEFAULT_THRESHOLDS } from './pressure.ts';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

// The kubelet's 110 is about the addresses of a cluster's subnets, which one machine does not have.
const MOST_PODS = 500;

/** A node nobody has said anything about. Source: kubernetes/api core/v1/well_known_labels.go */
export function defaultNodeSettings(name: string): NodeSettings {
  return {
    labels: {
      'kubernetes.io/arch': ARCHITECTURES[process.arch] ?? process.arch,
      'kubernetes.io/hostname': name,
      'kubernetes.io/os': process.platform,
    },
    taints: [],
    reserved: { cpu: 0, memory: 0 },
    maxPods: MOST_PODS,
    thresholds: DEFAULT_THRESHOLDS,
  };
}
