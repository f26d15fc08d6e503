import { family } from './family.ts';
import { CONTAINER, NAMESPACE, ofPoint, ofResource, POD } from './label.ts';
import type { Signal } from './signal.ts';

const CGROUP = ofResource('id', 'podvitals.cgroup.path');
const container = family({
  path: 'cadvisor',
  labels: [
    NAMESPACE,
    POD,
    CONTAINER,
    CGROUP,
    ofResource('name', 'container.id'),
    ofResource('image', 'container.image.name'),
  ],
});
/** A pod's own cgroup has neither container nor image: sums over `image!=""` count each byte once. */
const pod = family({ path: 'cadvisor', labels: [NAMESPACE, POD, CGROUP] });
/** The root cgroup is the node; cAdvisor gives it no names. */
const node = family({ path: 'cadvisor', labels: [] });
const ROOT = ['id', '/'] as const;
const CPU_TOTAL = ['cpu', 'total'] as const;

const { gauge, counter } = container;
const bytes = (name: string, what: string, otlp: string) =>
  gauge(name, { unit: 'By', help: what, otlp, additive: true });

const CPU_HELP = 'CPU time used.';
const MEMORY_HELP = 'Memory charged, page cache included.';
const WORKING_SET_HELP = 'Memory that cannot be given back easily: usage less inactive file cache.';

/** Source: cadvisor lib/metrics/prometheus.go; labels as the kubelet's containerPrometheusLabelsFunc gives them. */
export const cpuSignals = {
  usage: counter('container_cpu_usage_seconds_total', {
    unit: 's',
    help: CPU_HELP,
    constants: [CPU_TOTAL],
    otlp: 'container.cpu.time',
  }),
  ofPod: pod.counter('container_cpu_usage_seconds_total', {
    unit: 's',
    help: CPU_HELP,
    constants: [CPU_TOTAL],
    otlp: 'k8s.pod.cpu.time',
  }),
  ofNode: node.counter('container_cpu_usage_seconds_total', {
    unit: 's',
    help: CPU_HELP,
    constants: [CPU_TOTAL, ROOT],
    otlp: 'k8s.node.cpu.time',
  }),
  // Not container.cpu.time with cpu.mode: beside the total, a backend that adds up would count the time twice.
  user: counter('container_cpu_user_seconds_total', {
    unit: 's',
    help: 'CPU time used in user mode.',
    otlp: 'podvitals.container.cpu.mode_time',
    fixed: { 'cpu.mode': 'user' },
  }),
  system: counter('container_cpu_system_seconds_total', {
    unit: 's',
    help: 'CPU time used in the kernel.',
    otlp: 'podvitals.container.cpu.mode_time',
    fixed: { 'cpu.mode': 'system' },
  }),
  periods: counter('container_cpu_cfs_periods_total', {
    unit: '{period}',
    help: 'Enforcement periods in which the container wanted to run; only where a CPU limit is set.',
    otlp: 'podvitals.container.cpu.cfs.periods',
  }),
  throttledPeriods: counter('container_cpu_cfs_throttled_periods_total', {
    unit: '{period}',
    help: 'Enforcement periods in which the container was stopped for the rest; only where a CPU limit is set.',
    otlp: 'podvitals.container.cpu.cfs.throttled_periods',
  }),
  throttledTime: counter('container_cpu_cfs_throttled_seconds_total', {
    unit: 's',
    help: 'Time for which the container was stopped by its CPU limit; only where one is set.',
    otlp: 'podvitals.container.cpu.cfs.throttled_time',
  }),
};

export const memorySignals = {
  usage: bytes('container_memory_usage_bytes', MEMORY_HELP, 'container.memory.usage'),
  workingSet: bytes('container_memory_working_set_bytes', WORKING_SET_HELP, 'container.memory.working_set'),
  usageOfPod: pod.gauge('container_memory_usage_bytes', {
    unit: 'By',
    help: MEMORY_HELP,
    otlp: 'k8s.pod.memory.usage',
    additive: true,
  }),
  workingSetOfPod: pod.gauge('container_memory_working_set_bytes', {
    unit: 'By',
    help: WORKING_SET_HELP,
    otlp: 'k8s.pod.memory.working_set',
    additive: true,
  }),
  workingSetOfNode: node.gauge('container_memory_working_set_bytes', {
    unit: 'By',
    help: WORKING_SET_HELP,
    constants: [ROOT],
    otlp: 'k8s.node.memory.working_set',
    additive: true,
  }),
  rss: bytes('container_memory_rss', 'Anonymous memory.', 'container.memory.rss'),
  cache: bytes('container_memory_cache', 'Page cache.', 'podvitals.container.memory.cache'),
  mappedFile: bytes(
    'container_memory_mapped_file',
    'Files mapped into memory.',
    'podvitals.container.memory.mapped_file',
  ),
  kernel: bytes(
    'container_memory_kernel_usage',
    'Memory the kernel holds for the container.',
    'podvitals.container.memory.kernel',
  ),
  swap: bytes('container_memory_swap', 'Swap used.', 'podvitals.container.memory.swap'),
  maxUsage: bytes(
    'container_memory_max_usage_bytes',
    'The most memory ever charged.',
    'podvitals.container.memory.max_usage',
  ),
  failcnt: counter('container_memory_failcnt', {
    unit: '{failure}',
    help: 'How often the memory limit was hit.',
    otlp: 'podvitals.container.memory.limit_hits',
  }),
  pageFaults: counter('container_memory_failures_total', {
    unit: '{fault}',
    help: 'Page faults (pgfault), and those that had to read from disk (pgmajfault).',
    labels: [ofPoint('failure_type')],
    constants: [['scope', 'container']],
    otlp: 'podvitals.container.memory.page_faults',
  }),
  oomEvents: counter('container_oom_events_total', {
    unit: '{event}',
    help: "Kills by the kernel's out-of-memory killer in the running container.",
    otlp: 'podvitals.container.oom.events',
  }),
};

const PRESSURES = [
  ['waiting', 'some', 'at least one task waited for'],
  ['stalled', 'full', 'all tasks waited for'],
] as const;

function pressure(resource: 'cpu' | 'memory' | 'io'): { readonly waiting: Signal; readonly stalled: Signal } {
  const entries = PRESSURES.map(([word, share, what]) => [
    word,
    counter(`container_pressure_${resource}_${word}_seconds_total`, {
      unit: 's',
      help: `Time in which ${what} ${resource === 'io' ? 'IO' : resource} (pressure stall information).`,
      otlp: 'podvitals.container.pressure.stalled_time',
      fixed: { 'podvitals.pressure.resource': resource, 'podvitals.pressure.share': share },
    }),
  ]);
  return Object.fromEntries(entries);
}

export const cpuPressure = pressure('cpu');
export const memoryPressure = pressure('memory');
export const ioPressure = pressure('io');

const DEVICE = ofPoint('device', 'system.device');

function disk(
  direction: 'read' | 'write',
  word: 'reads' | 'writes',
): { readonly bytes: Signal; readonly operations: Signal } {
  const fixed = { 'disk.io.direction': direction };
  return {
    bytes: counter(`container_fs_${word}_bytes_total`, {
      unit: 'By',
      help: `Bytes of disk ${word}.`,
      labels: [DEVICE],
      otlp: 'container.disk.io',
      fixed,
    }),
    operations: counter(`container_fs_${word}_total`, {
      unit: '{operation}',
      help: `Disk ${word}.`,
      labels: [DEVICE],
      otlp: 'podvitals.container.disk.operations',
      fixed,
    }),
  };
}

export const diskReads = disk('read', 'reads');
export const diskWrites = disk('write', 'writes');

const count = (name: string, unit: string, help: string, otlp: string) =>
  gauge(name, { unit, help, otlp, additive: true });

export const processSignals = {
  processes: count('container_processes', '{process}', 'Processes.', 'podvitals.container.processes'),
  threads: count('container_threads', '{thread}', 'Threads.', 'podvitals.container.threads'),
  threadsMax: gauge('container_threads_max', {
    unit: '{thread}',
    help: 'The most threads allowed; absent where there is no limit.',
    otlp: 'podvitals.container.threads.limit',
  }),
  descriptors: count(
    'container_file_descriptors',
    '{descriptor}',
    'Open file descriptors.',
    'podvitals.container.file_descriptors',
  ),
  sockets: count('container_sockets', '{socket}', 'Open sockets.', 'podvitals.container.sockets'),
};

export const specSignals = {
  startTime: gauge('container_start_time_seconds', {
    unit: 's',
    help: 'When the container was started, in Unix time.',
    otlp: 'podvitals.container.cgroup.start_time',
  }),
  lastSeen: gauge('container_last_seen', {
    unit: 's',
    help: 'When the container was last read, in Unix time.',
    otlp: 'podvitals.container.last_seen',
  }),
  cpuPeriod: gauge('container_spec_cpu_period', {
    unit: 'us',
    help: 'Enforcement period of the CPU limit, in microseconds.',
    otlp: 'podvitals.container.spec.cpu.period',
  }),
  cpuQuota: gauge('container_spec_cpu_quota', {
    unit: 'us',
    help: 'CPU time allowed in each period, in microseconds; only where a CPU limit is set.',
    otlp: 'podvitals.container.spec.cpu.quota',
  }),
  cpuShares: gauge('container_spec_cpu_shares', {
    unit: '1',
    help: 'CPU weight, 1024 for each core requested.',
    otlp: 'podvitals.container.spec.cpu.shares',
  }),
  memoryLimit: gauge('container_spec_memory_limit_bytes', {
    unit: 'By',
    help: 'Memory limit; 0 where there is none.',
    otlp: 'podvitals.container.spec.memory.limit',
  }),
};
