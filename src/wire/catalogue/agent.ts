import { family } from './family.ts';
import { NODE, ofPoint } from './label.ts';

const kubelet = family({ path: 'kubelet', labels: [] });

/** The kubelet's own names, for dashboards that count nodes and pods by them. */
export const kubeletSignals = {
  nodeName: kubelet.gauge('kubelet_node_name', {
    unit: '1',
    help: "The node's name; always 1.",
    labels: [NODE],
    otlp: 'podvitals.kubelet.node_name',
    stability: 'experimental',
  }),
  runningPods: kubelet.gauge('kubelet_running_pods', {
    unit: '{pod}',
    help: 'Pods with a running container.',
    otlp: 'podvitals.kubelet.running_pods',
    additive: true,
  }),
  runningContainers: kubelet.gauge('kubelet_running_containers', {
    unit: '{container}',
    help: 'Containers by state: created, exited, running, unknown.',
    labels: [ofPoint('container_state')],
    otlp: 'podvitals.kubelet.running_containers',
    additive: true,
  }),
  evictions: kubelet.counter('kubelet_evictions', {
    unit: '{pod}',
    help: 'Pods evicted, by the signal that was short: the node’s, or a limit of the pod’s own.',
    labels: [ofPoint('eviction_signal')],
    otlp: 'podvitals.kubelet.evictions',
  }),
};

const { gauge, counter } = family({ path: 'kubelet', labels: [NODE] });

/** As node-exporter names it. */
export const clockSignals = {
  offset: gauge('node_timex_offset_seconds', {
    unit: 's',
    help: "How far the node's clock is ahead of the true time, by chrony or systemd-timesyncd; absent without.",
    otlp: 'podvitals.node.clock.offset',
  }),
};

/** The agent about itself, sent with every batch. */
export const agentSignals = {
  info: gauge('podvitals_agent_info', {
    unit: '1',
    help: 'An agent that is there: its version, and what its host lets it enforce. Always 1.',
    labels: [ofPoint('version', 'podvitals.agent.version'), ofPoint('level', 'podvitals.agent.level')],
    otlp: 'podvitals.agent.info',
  }),
  cpuSeconds: counter('podvitals_agent_cpu_seconds_total', {
    unit: 's',
    help: 'CPU time used by the agent itself.',
    otlp: 'podvitals.agent.cpu.time',
  }),
  memoryBytes: gauge('podvitals_agent_memory_bytes', {
    unit: 'By',
    help: 'Resident memory of the agent itself.',
    otlp: 'podvitals.agent.memory',
    additive: true,
  }),
  dropped: counter('podvitals_agent_dropped_total', {
    unit: '{item}',
    help: 'What the agent had to drop because a limit was reached, by what it was.',
    labels: [ofPoint('what', 'podvitals.agent.dropped.what')],
    otlp: 'podvitals.agent.dropped',
  }),
};
