/** Plain numbers with units, read from the kernel. What cannot be measured on this host is absent, never 0. */
export interface ContainerUsage {
  readonly at: number;
  readonly cpu?: {
    readonly usageSeconds: number;
    readonly userSeconds?: number;
    readonly systemSeconds?: number;
  };
  /** Only where a quota is set. */
  readonly throttling?: {
    readonly periods: number;
    readonly throttledPeriods: number;
    readonly throttledSeconds: number;
  };
  readonly memory?: {
    readonly usageBytes: number;
    /** usage - inactive_file, at least 0: what the kubelet evicts by. */
    readonly workingSetBytes: number;
    readonly rssBytes?: number;
    readonly cacheBytes?: number;
    readonly mappedFileBytes?: number;
    readonly kernelBytes?: number;
    readonly swapBytes?: number;
    readonly maxUsageBytes?: number;
    readonly failures?: number;
    readonly pageFaults?: number;
    readonly majorPageFaults?: number;
  };
  /** OOM kills counted by the kernel since the cgroup was made. */
  readonly oomKills?: number;
  readonly devices?: readonly {
    /** A name such as `/dev/sda`, never `8:0`. */
    readonly device: string;
    readonly readBytes: number;
    readonly writeBytes: number;
    readonly reads: number;
    readonly writes: number;
  }[];
  readonly processes?: number;
  readonly threads?: number;
  readonly pidsLimit?: number;
  readonly openDescriptors?: number;
  /** The soft limit of its first process, which its children inherit. */
  readonly descriptorLimit?: number;
  readonly openSockets?: number;
  readonly pressure?: Readonly<
    Partial<Record<'cpu' | 'memory' | 'io', { readonly someSeconds: number; readonly fullSeconds?: number }>>
  >;
}

export interface PodUsage {
  readonly at: number;
  readonly cpuUsageSeconds?: number;
  readonly memoryUsageBytes?: number;
  readonly memoryWorkingSetBytes?: number;
  /** The pod's own interfaces, once per network namespace; absent for pods on the host's network. */
  readonly interfaces?: readonly {
    readonly name: string;
    readonly receiveBytes: number;
    readonly receivePackets: number;
    readonly receiveErrors: number;
    readonly receiveDropped: number;
    readonly transmitBytes: number;
    readonly transmitPackets: number;
    readonly transmitErrors: number;
    readonly transmitDropped: number;
  }[];
  readonly tcp?: {
    readonly failedConnects: number;
    readonly resets: number;
    readonly retransmitTimeouts: number;
    readonly retransmittedSegments: number;
  };
  readonly listening?: readonly { readonly address: string; readonly port: number }[];
}

export interface NodeUsage {
  readonly at: number;
  readonly cpuSecondsByMode: Readonly<Record<string, number>>;
  readonly memory: {
    readonly totalBytes: number;
    readonly availableBytes: number;
    readonly freeBytes: number;
    readonly cachedBytes: number;
    readonly buffersBytes: number;
    readonly slabBytes: number;
  };
  readonly cores: number;
}
