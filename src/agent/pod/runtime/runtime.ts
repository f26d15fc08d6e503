import type { Duplex, Readable, Writable } from 'node:stream';
import type { LogLine } from '../../../model/life.ts';

/** A pod's shared part: its namespaces and cgroup. `id` is the pod's uid. */
export interface SandboxConfig {
  readonly podUid: string;
  readonly namespace: string;
  readonly name: string;
  readonly hostname: string;
  readonly hostNetwork: boolean;
  readonly hostPid?: boolean;
  readonly hostIpc?: boolean;
  /** One process namespace for all its containers; they see each other's processes. */
  readonly shareProcessNamespace?: boolean;
  /** Parameters of the kernel in its own namespaces, by their names with dots. */
  readonly sysctls?: Readonly<Record<string, string>>;
  /** Folders of the host that are memory instead, seen so by all containers of the pod. */
  readonly memoryVolumes?: readonly MemoryVolume[];
  /** Ports of the host that lead into the pod. Not given for pods on the host's network. */
  readonly hostPorts?: readonly HostPort[];
  /** Sum of the containers' limits where every container has one; absent: no limit on the pod. */
  readonly memoryLimitBytes?: number;
  readonly cpuLimitCores?: number;
}

export interface MemoryVolume {
  readonly path: string;
  readonly mode: number;
  readonly gid?: number;
  /** Absent: as much as the containers' limits allow. */
  readonly sizeBytes?: number;
}

export interface HostPort {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: 'TCP' | 'UDP';
  /** Absent: every address of the host. */
  readonly hostIp?: string;
}

/** A Service that wants an address of its own, and where its ports lead now. */
export interface PublishedService {
  readonly uid: string;
  readonly ports: readonly PublishedPort[];
}

export interface PublishedPort {
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
  /** Pods that serve; none: connections are refused. */
  readonly targets: readonly { readonly ip: string; readonly port: number }[];
}

export interface Sandbox {
  readonly podUid: string;
  /** Absent where the runtime gives pods no address of their own; then they share the host's. */
  readonly ip?: string;
  /** A process inside the pod's network namespace; absent where there is none. */
  readonly pid?: number;
  /** The pod's cgroup, by hierarchy; empty where there are no cgroups. */
  readonly cgroup: CgroupPaths;
}

/**
 * Absolute directories of one cgroup, by controller. `unified` is the v2 hierarchy (the only entry on pure v2; on
 * a hybrid host it stands beside the v1 controllers `cpu`, `cpuacct`, `memory`, `pids`, `blkio`).
 */
export type CgroupPaths = Readonly<Record<string, string>>;

export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  /**
   * A folder the source must still lie in at the moment of mounting, links followed: containers of the pod may change
   * what is in it meanwhile. Set for what is mounted from within a volume.
   */
  readonly within?: string;
  /** The claim whose data this is, where it is all of them. */
  readonly claim?: string;
}

/** What a container's processes may do, `exec` included. What is absent is the runtime's own default. */
export interface ContainerSecurity {
  /** Absent: the user of the image. */
  readonly uid?: number;
  /** Absent: the group of that user, else 0. */
  readonly gid?: number;
  /** Besides those the user is a member of. */
  readonly groups?: readonly number[];
  /** All capabilities. */
  readonly privileged?: boolean;
  /** To the runtime's default set, by Kubernetes' names (`NET_ADMIN`, `ALL`). */
  readonly capabilities?: { readonly add: readonly string[]; readonly drop: readonly string[] };
  readonly noNewPrivileges?: boolean;
  readonly readOnlyRoot?: boolean;
  /** The filter of system calls: none, or a file within the folder `seccomp` of the data folder; absent: the runtime's. */
  readonly seccomp?: 'none' | { readonly file: string };
}

/** Everything resolved: references looked up, quantities parsed, variables expanded. */
export interface ContainerConfig {
  readonly podUid: string;
  readonly name: string;
  readonly init: boolean;
  /** 0 for the first start, then 1, 2, … */
  readonly attempt: number;
  readonly image: string;
  readonly command: readonly string[];
  /** The words of `command` are only arguments: they follow the image's entrypoint, or none the image's own. */
  readonly imageEntrypoint?: boolean;
  readonly workingDir?: string;
  readonly env: readonly (readonly [name: string, value: string])[];
  readonly mounts: readonly Mount[];
  readonly security?: ContainerSecurity;
  readonly memoryLimitBytes?: number;
  readonly cpuLimitCores?: number;
  /** CPU weight from the request, in cores. */
  readonly cpuRequestCores?: number;
  readonly pidsLimit?: number;
  /** By which it is asked to end (`SIGQUIT`, `SIGRTMIN+3`); absent: the image's, else SIGTERM. */
  readonly stopSignal?: string;
}

export interface RunningContainer {
  readonly id: string;
  readonly podUid: string;
  readonly name: string;
  readonly attempt: number;
  /** The container's first process as the host sees it. */
  readonly pid: number;
  readonly startedAt: number;
  readonly cgroup: CgroupPaths;
  /** By which it is asked to end; absent: SIGTERM. */
  readonly stopSignal?: string;
}

export interface ContainerExit {
  readonly containerId: string;
  readonly podUid: string;
  readonly name: string;
  readonly attempt: number;
  readonly startedAt: number;
  readonly finishedAt: number;
  /** 128 + signal when a signal ended it. */
  readonly exitCode: number;
  readonly signal?: number;
  /** OOM kills the kernel counted in the container's cgroup during this life; absent: could not be read. */
  readonly oomKills?: number;
}

/** What an earlier agent left behind. */
export interface Adopted {
  readonly sandboxes: readonly Sandbox[];
  readonly running: readonly RunningContainer[];
  /**
   * Deaths of containers that were not removed yet. Those an earlier agent was told of may be among them: that it
   * heard is no proof that it wrote it down, so the pod worker goes by its own record.
   */
  readonly exits: readonly ContainerExit[];
}

export interface ExecResult {
  readonly exitCode: number;
  /** Both streams, at most 16 KiB each, the end cut. */
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** A command that runs in a container while somebody is connected to it. */
export interface ExecSession {
  /** The process of this host by which it runs; absent where that is not known. */
  readonly pid?: number;
  /** Absent where none was asked for. */
  readonly stdin?: Writable;
  readonly stdout: Readable;
  /** Absent with a terminal, which has one stream. */
  readonly stderr?: Readable;
  /** 128 + signal when a signal ended it. Settles after both streams have ended. */
  readonly exitCode: Promise<number>;
  /** Without a terminal it does nothing. */
  resize(size: TerminalSize): Promise<void>;
  /** Kills the command and all it started; nothing when it has ended. */
  kill(): void;
}

export interface ExecSessionOptions {
  readonly stdin: boolean;
  /** Its size at the start; absent: no terminal. */
  readonly terminal?: TerminalSize;
}

export interface LogOptions {
  /** Only the last so many lines. */
  readonly tail?: number;
  readonly sinceMs?: number;
}

/** A user's name and password at one registry, from a `kubernetes.io/dockerconfigjson` Secret. */
export interface RegistryLogin {
  /** Host, with its port where it has one, and perhaps a path: `registry.example:5000/shop`. */
  readonly registry: string;
  readonly username: string;
  readonly password: string;
}

export interface PullOptions {
  readonly signal?: AbortSignal;
  /** Tried one after another where the image's registry has several. */
  readonly logins?: readonly RegistryLogin[];
}

/** What the host lets a runtime enforce. `level` is for people: `root, cgroup v2`, `no cgroups`, … */
export interface Enforcement {
  readonly level: string;
  /** Manifest fields that are accepted but not enforced here, e.g. `resources.limits.memory`. */
  readonly notEnforced: readonly string[];
  /** How this host could be made to enforce more; absent: nothing is known. */
  readonly remedy?: string;
}

/**
 * The few verbs asked of whatever runs containers. Implementations decide nothing: restarts, probes, back-off and
 * reasons belong to the pod worker. Every verb is idempotent where Kubernetes' CRI has it so; failures are
 * CodedErrors whose code is the waiting reason a user knows (`ErrImagePull`, `CreateContainerError`,
 * `RunContainerError`, `CreatePodSandboxError`).
 */
export interface Runtime {
  readonly name: string;
  enforcement(): Enforcement;
  /** Called once, first: takes over what an earlier agent left. */
  adopt(): Promise<Adopted>;
  /** The image's id where it is here already; undefined: it would have to be pulled. Looks nowhere else. */
  imageId(image: string): Promise<string | undefined>;
  /** Resolves with the image's id when containers can be made from it. What it rejects with has the engine's words. */
  pullImage(image: string, options?: PullOptions): Promise<string>;
  /** Whom containers of an image run as: a number, or the name that it has instead; undefined: not known. */
  imageUser(image: string): Promise<number | string | undefined>;
  runSandbox(config: SandboxConfig): Promise<Sandbox>;
  /** Ends what still runs in it and leaves nothing of it behind. Unknown: nothing to do. */
  removeSandbox(podUid: string): Promise<void>;
  startContainer(config: ContainerConfig): Promise<RunningContainer>;
  /** Sends its stop signal, and SIGKILL to all its processes after `graceMs`. Resolves when the container is gone. */
  stopContainer(containerId: string, graceMs: number): Promise<void>;
  /** Holds all its processes still; twice is once. @throws CodedError `PAUSE_UNSUPPORTED`. */
  pauseContainer(containerId: string): Promise<void>;
  /** Lets them go on; unknown, ended or not held: nothing to do. */
  unpauseContainer(containerId: string): Promise<void>;
  /** Frees what is kept of a dead container (cgroup, root file system). Its log stays until the pod is removed. */
  removeContainer(containerId: string): Promise<void>;
  exec(
    containerId: string,
    command: readonly string[],
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<ExecResult>;
  /** As `exec`, with live streams and without time limit. */
  openExec(
    containerId: string,
    command: readonly string[],
    options: ExecSessionOptions,
  ): Promise<ExecSession>;
  /**
   * Makes these Services reachable for pods, and those published before that are not among them no more: each has an
   * address, the same for as long as it is published, and connections to its ports are spread over their targets.
   * Resolves with the addresses by uid; without those that this runtime cannot give one.
   */
  publishServices(services: readonly PublishedService[]): Promise<ReadonlyMap<string, string>>;
  /** Connects to a TCP port on the pod's own loopback. @throws CodedError `PORT_UNREACHABLE`. */
  dial(podUid: string, port: number): Promise<Duplex>;
  /** Lines of one life, oldest first. */
  logs(podUid: string, container: string, attempt: number, options: LogOptions): Promise<readonly LogLine[]>;
  /** Follows one life from now on, until its end or the abort. */
  followLogs(
    podUid: string,
    container: string,
    attempt: number,
    onLine: (line: LogLine) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Where a volume or other file of a pod may be kept; made on demand, gone with the sandbox. */
  podDirectory(podUid: string): string;
  /** Folders of the host outside `podDirectory` that hold what the pod's containers write. */
  writableLayers(podUid: string): readonly string[];
  /** Where the data of a claim of that namespace are kept; made on demand. They outlive all pods. */
  persistentVolume(namespace: string, claim: string): Promise<string>;
  /** Removes them; nothing when there are none. Nothing that runs may use them. */
  removePersistentVolume(namespace: string, claim: string): Promise<void>;
  /** Called once per death, whoever caused it, soon after it. Returns the unsubscribe function. */
  onExit(listener: (exit: ContainerExit) => void): () => void;
  /** Stops watching; pods go on. */
  close(): Promise<void>;
}
