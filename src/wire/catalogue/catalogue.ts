import { agentSignals, clockSignals, kubeletSignals } from './agent.ts';
import {
  cpuPressure,
  cpuSignals,
  diskReads,
  diskWrites,
  ioPressure,
  memoryPressure,
  memorySignals,
  processSignals,
  specSignals,
} from './container.ts';
import {
  containerLimits,
  containerRequests,
  containerStatusSignals,
  initContainerLimits,
  initContainerRequests,
  initContainerStatusSignals,
} from './container-status.ts';
import {
  cronJobSignals,
  daemonSetSignals,
  jobSignals,
  replicaSetSignals,
  statefulSetSignals,
} from './controller-object.ts';
import { lifeSignals, proberSignals, startupSignals, verdictSignals } from './life.ts';
import { networkReceive, networkSignals, networkTransmit } from './network.ts';
import { podSignals } from './pod.ts';
import { endpointSignals, serviceSignals } from './service-object.ts';
import type { Signal } from './signal.ts';
import { workloadSignals } from './workload.ts';
import {
  deploymentSignals,
  namespaceSignals,
  nodeAllocatable,
  nodeCapacity,
  nodeSignals,
} from './workload-object.ts';

/** A group of signals that the reference page shows under one heading. */
export interface Section {
  readonly title: string;
  readonly signals: readonly Signal[];
}

const section = (title: string, ...tables: readonly object[]): Section => ({
  title,
  signals: tables.flatMap((table) => Object.values(table) as Signal[]),
});

export const sections: readonly Section[] = [
  section('Pods', podSignals, startupSignals),
  section('Container status', containerStatusSignals, containerRequests, containerLimits),
  section('Init container status', initContainerStatusSignals, initContainerRequests, initContainerLimits),
  section('Lives, deaths and probes', lifeSignals, verdictSignals, proberSignals),
  section(
    'Workloads',
    workloadSignals,
    deploymentSignals,
    replicaSetSignals,
    statefulSetSignals,
    daemonSetSignals,
    jobSignals,
    cronJobSignals,
    namespaceSignals,
  ),
  section('Services', serviceSignals, endpointSignals),
  section(
    'Container resources',
    cpuSignals,
    memorySignals,
    cpuPressure,
    memoryPressure,
    ioPressure,
    diskReads,
    diskWrites,
    processSignals,
    specSignals,
  ),
  section('Network', networkReceive, networkTransmit, networkSignals),
  section(
    'Node and agent',
    nodeCapacity,
    nodeAllocatable,
    nodeSignals,
    clockSignals,
    kubeletSignals,
    agentSignals,
  ),
];

/** Every signal there is. */
export const catalogue: readonly Signal[] = sections.flatMap((section) => section.signals);

const byName = Map.groupBy(catalogue, (signal) => signal.name);
const byOtlpName = Map.groupBy(catalogue, (signal) => signal.otlp.name);

/** The signals of one family name: one, or several that OpenTelemetry tells apart; empty when unknown. */
export function signalsNamed(name: string): readonly Signal[] {
  return byName.get(name) ?? [];
}

/** The signal of a data point: its metric's name, and its attributes where several signals share the name. */
export function signalByOtlp(
  name: string,
  attribute: (key: string) => string | undefined,
): Signal | undefined {
  return byOtlpName
    .get(name)
    ?.find(({ otlp }) => Object.entries(otlp.fixed ?? {}).every(([key, value]) => attribute(key) === value));
}
