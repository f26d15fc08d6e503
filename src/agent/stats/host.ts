import systeminformation from 'systeminformation';

/** Facts about the machine that do not change while it runs; what it would not tell is absent. */
export interface HostFacts {
  /** `Debian GNU/Linux 12`. */
  readonly operatingSystem?: string;
  readonly kernel?: string;
  readonly architecture?: string;
  readonly cpuModel?: string;
  readonly cores?: number;
  readonly memoryBytes?: number;
  /** `kvm`, `docker`, …; absent on bare metal. */
  readonly virtualization?: string;
}

/** Asks the machine once, at start: the library runs commands, so never in a tick. Never rejects. */
export async function readHostFacts(): Promise<HostFacts> {
  const [os, cpu, memory, system] = await Promise.all([
    systeminformation.osInfo().catch(() => undefined),
    systeminformation.cpu().catch(() => undefined),
    systeminformation.mem().catch(() => undefined),
    systeminformation.system().catch(() => undefined),
  ]);
  const facts: Record<keyof HostFacts, string | number | undefined> = {
    operatingSystem: [os?.distro, os?.release].filter(Boolean).join(' '),
    kernel: os?.kernel,
    architecture: os?.arch,
    cpuModel: [cpu?.manufacturer, cpu?.brand].filter(Boolean).join(' '),
    cores: cpu?.cores,
    memoryBytes: memory?.total,
    virtualization: system?.virtual ? system.virtualHost || 'unknown' : undefined,
  };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined && value !== ''));
}
