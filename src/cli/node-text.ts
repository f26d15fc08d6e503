import type { Node } from '../model/kubernetes.ts';
import { since } from './columns.ts';
import { printable } from './terminal.ts';

const isTrue = ({ status }: Node, type: string) =>
  status.conditions.some((condition) => condition.type === type && condition.status === 'True');

/** `Ready,SchedulingDisabled`, as kubectl. */
function statusWord(node: Node): string {
  const ready = isTrue(node, 'Ready') ? 'Ready' : 'NotReady';
  return node.spec.unschedulable ? `${ready},SchedulingDisabled` : ready;
}

/** The columns of `get nodes`. */
export function nodeColumns(wide: boolean) {
  const heads = ['NAME', 'STATUS', 'ROLES', 'AGE', 'VERSION'];
  return {
    heads: wide ? [...heads, 'INTERNAL-IP', 'OS-IMAGE', 'KERNEL-VERSION', 'CONTAINER-RUNTIME'] : heads,
    row(node: Node): readonly string[] {
      const { nodeInfo, addresses } = node.status;
      const row = [
        node.metadata.name,
        statusWord(node),
        '<none>',
        since(node.metadata.creationTimestamp),
        nodeInfo.kubeletVersion,
      ];
      const ip = addresses.find(({ type }) => type === 'InternalIP')?.address ?? '<none>';
      return wide
        ? [...row, ip, nodeInfo.osImage, nodeInfo.kernelVersion, nodeInfo.containerRuntimeVersion]
        : row;
    },
  };
}

/** `describe node`, in kubectl's layout. */
export function describeNode(node: Node): string {
  const { metadata, spec, status } = node;
  const field = (name: string, value: string) => `${`${name}:`.padEnd(20)}${value}`;
  const map = (name: string, values: Readonly<Record<string, string>>) =>
    Object.entries(values).map(([key, value], index) =>
      index === 0 ? field(name, `${key}=${value}`) : `${' '.repeat(20)}${key}=${value}`,
    );
  const taints = (spec.taints ?? []).map(
    ({ key, value, effect }) => `${key}${value ? `=${value}` : ''}:${effect}`,
  );
  const lines = [
    field('Name', metadata.name),
    ...map('Labels', metadata.labels ?? {}),
    field('Taints', taints.join(', ') || '<none>'),
    field('Unschedulable', String(spec.unschedulable ?? false)),
    'Conditions:',
    ...status.conditions.map(
      ({ type, status: state, reason, message, lastTransitionTime }) =>
        `  ${type.padEnd(18)}${state.padEnd(7)}${reason.padEnd(30)}since ${lastTransitionTime}  ${message}`,
    ),
    'Capacity:',
    ...Object.entries(status.capacity).map(([name, value]) => `  ${`${name}:`.padEnd(20)}${value}`),
    'Allocatable:',
    ...Object.entries(status.allocatable).map(([name, value]) => `  ${`${name}:`.padEnd(20)}${value}`),
    'System Info:',
    ...Object.entries(status.nodeInfo).map(([name, value]) => `  ${`${name}:`.padEnd(26)}${value}`),
  ];
  return `${lines.map(printable).join('\n')}\n`;
}
