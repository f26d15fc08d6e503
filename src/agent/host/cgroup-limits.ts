/** Limits of one cgroup; what is absent is not limited. */
export interface CgroupLimits {
  readonly memoryBytes?: number;
  readonly cpuCores?: number;
  /** Share under contention, from the CPU request, in cores. */
  readonly cpuRequestCores?: number;
  readonly pids?: number;
}

/** One write into a cgroup's directory; `optional` ones may fail where the kernel was built without the file. */
export interface CgroupWrite {
  readonly controller: 'cpu' | 'memory' | 'pids';
  readonly file: string;
  readonly value: string;
  readonly optional: boolean;
}

const PERIOD_US = 100_000;
// The kernel refuses quotas under 1 ms.
const quotaUs = (cores: number) => Math.max(1000, Math.round(cores * PERIOD_US));
const shares = (cores: number) => Math.min(262_144, Math.max(2, Math.round(cores * 1024)));

/** cpu.shares 2…262144 -> cpu.weight 1…10000, as the kubelet maps them (KEP-2254). */
export function cpuWeight(cpuShares: number): number {
  return Math.floor(1 + ((cpuShares - 2) * 9999) / 262_142);
}

const write = (
  controller: CgroupWrite['controller'],
  file: string,
  value: number | string,
  optional = false,
): CgroupWrite => ({ controller, file, value: String(value), optional });

/** The writes for cgroup v1. Swap is closed by giving memory+swap the same limit. Source: cgroup-v1/memory.rst. */
export function v1Writes(limits: CgroupLimits): readonly CgroupWrite[] {
  const { memoryBytes, cpuCores, cpuRequestCores, pids } = limits;
  return [
    ...(cpuCores === undefined
      ? []
      : [write('cpu', 'cpu.cfs_period_us', PERIOD_US), write('cpu', 'cpu.cfs_quota_us', quotaUs(cpuCores))]),
    ...(cpuRequestCores === undefined ? [] : [write('cpu', 'cpu.shares', shares(cpuRequestCores))]),
    ...(memoryBytes === undefined
      ? []
      : [
          write('memory', 'memory.limit_in_bytes', memoryBytes),
          write('memory', 'memory.memsw.limit_in_bytes', memoryBytes, true),
        ]),
    ...(pids === undefined ? [] : [write('pids', 'pids.max', pids)]),
  ];
}

/**
 * The writes for cgroup v2. `oomGroup` ends the whole container when one of its processes is OOM killed, as the
 * kubelet asks for. Source: cgroup-v2.rst.
 */
export function v2Writes(limits: CgroupLimits, oomGroup: boolean): readonly CgroupWrite[] {
  const { memoryBytes, cpuCores, cpuRequestCores, pids } = limits;
  return [
    ...(cpuCores === undefined ? [] : [write('cpu', 'cpu.max', `${quotaUs(cpuCores)} ${PERIOD_US}`)]),
    ...(cpuRequestCores === undefined
      ? []
      : [write('cpu', 'cpu.weight', cpuWeight(shares(cpuRequestCores)))]),
    ...(memoryBytes === undefined
      ? []
      : [write('memory', 'memory.max', memoryBytes), write('memory', 'memory.swap.max', 0, true)]),
    ...(oomGroup ? [write('memory', 'memory.oom.group', 1, true)] : []),
    ...(pids === undefined ? [] : [write('pids', 'pids.max', pids)]),
  ];
}
