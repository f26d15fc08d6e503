import type { FailureMode } from './verdict.ts';

/** What is known beforehand of a cause: its failure mode, what it says, what ends it now and what for good. */
export interface Cause {
  readonly failureMode: FailureMode;
  readonly meaning: string;
  readonly now: string;
  readonly forGood: string;
}

const of =
  (failureMode: FailureMode) =>
  (meaning: string, now: string, forGood: string): Cause => ({ failureMode, meaning, now, forGood });
const [f1, f2, f3, f4, f5, f6, f7, f8] = (['F1', 'F2', 'F3', 'F4', 'F5', 'F6', 'F7', 'F8'] as const).map(of);
const [f9, f10, f11, f12, f13, f14, f15, f16] = (
  ['F9', 'F10', 'F11', 'F12', 'F13', 'F14', 'F15', 'F16'] as const
).map(of);

/** Every cause a verdict may name but `None` and `Unknown`. Each has a section in the runbook of its failure mode. */
export const CAUSES: Readonly<Record<string, Cause>> = {
  AppError: f1!(
    'The program met an error of its own and ended with a code that is its own.',
    'Go back to the version that worked, or mend what the last lines of the log name.',
    'Handle the error where it arises, and let a test or a canary meet it before users do.',
  ),
  MissingConfig: f1!(
    'A variable, file, ConfigMap or Secret that the program needs is not there.',
    'Add what is missing to the manifest and apply it; a Deployment makes new pods without back-off.',
    'Check all settings first thing at start and name each that is missing; keep manifest and program in one change.',
  ),
  CommandNotFound: f1!(
    'The command of the container, or one it calls, does not exist in its image.',
    'Correct `command` or `args`, or use the image that has the program.',
    'Start the image once in the build, with the very command of the manifest.',
  ),
  PermissionDenied: f1!(
    'The program may not read, write or run a file it needs.',
    'Give the file to the user the container runs as (`runAsUser`, `fsGroup`, the mode in the image).',
    'Run as the same user in development and in production.',
  ),
  PostStartHookFailed: f1!(
    'The `postStart` hook of the container failed, and the container was ended for it.',
    'Run the command of the hook by hand in the container, and mend what it says.',
    'Do in an init container what may fail; a hook cannot be retried and its output is hard to find.',
  ),
  StartError: f1!(
    'The runtime could not start the container at all: nothing of the program has run.',
    'Correct what the message names: working directory, command, mount, user.',
    'Apply manifests to a test machine before they go out; the error shows at the first start.',
  ),
  ExitedZero: f1!(
    'The program did its work and ended with 0, and its restart policy starts it again.',
    'Run it as a Job, or set `restartPolicy: OnFailure`; a server must stay in the foreground.',
    'Say in the manifest what it is: work that ends is a Job, a service never returns.',
  ),
  SegmentationFault: f1!(
    'The program, or a native library in it, touched memory that is not its own (SIGSEGV).',
    'Go back to the last version of the program, its libraries and its base image.',
    'Keep core dumps or a crash reporter on; pin native libraries, and test on the architecture that runs.',
  ),
  IllegalInstruction: f1!(
    'The program uses an instruction that this processor does not have (SIGILL), or ran into a trap of its own.',
    'Run it on the kind of machine it was built for, or use a build for a plainer processor.',
    'Build for the oldest processor in the fleet (`-march=x86-64-v2`), or schedule by a node label.',
  ),
  AbortedAssertion: f1!(
    'The program found itself in a state that must not be and ended itself (SIGABRT).',
    'Read the assertion in the last lines of the log; go back to the version without it.',
    'Turn the state it names into a test.',
  ),
  HeapExhausted: f1!(
    "The runtime's own heap was full (Node, Java, …); the kernel had nothing to do with it.",
    'Give the runtime a larger heap within the memory limit (`--max-old-space-size`, `-Xmx`), or go back.',
    'Set the heap to about three quarters of the limit, and find the leak in a heap dump taken before the end.',
  ),
  TerminatedBySignal: f1!(
    'Something sent the process a signal that ended it, and nothing recorded says who.',
    'Look for a script, a supervisor or a person on the node at that time.',
    'Let nothing but the kubelet end processes of pods; exec as init (`exec "$@"`) so that signals go where they should.',
  ),
  KilledByUser: f1!(
    'Somebody asked for this end.',
    'Nothing, if it was meant. Else ask who did it, at the time of the event.',
    'Make such changes by the manifest, where others see them.',
  ),
  DeadlineExceeded: f1!(
    'The pod was given a time (`activeDeadlineSeconds`) and had not done its work by then.',
    'Find out what took so long; raise the deadline if the work really needs it.',
    'Set the deadline from the slowest run seen, and let the work report how far it is.',
  ),
  KilledBySibling: f1!(
    'Another process of the same pod sent the signal.',
    'Look into the container that sent it: an entry point or a supervisor that ends its peers.',
    'Let each container end itself; a shared process namespace is only for debugging.',
  ),
  LivenessProbeWrong: f1!(
    'The liveness probe asks for a path, port or scheme that the program does not serve, and then kills it for it.',
    'Correct the probe to what the container listens on; take it away until then.',
    'Write the probe in the same change as what it asks, and test it against the running container.',
  ),
  StartupProbeWrong: f1!(
    'The startup probe asks for a path, port or scheme that the program does not serve: it can never be started.',
    'Correct the probe to what the container listens on; take it away until then.',
    'Let the startup probe ask what the liveness probe asks, only with more patience.',
  ),
  LivenessProbeTooStrict: f1!(
    'The program answers, only later or less often than the probe allows, and is killed for it.',
    'Raise `timeoutSeconds` and `failureThreshold` above the latencies seen.',
    'A liveness probe asks only whether a restart would help: cheap, local, generous. Load belongs to readiness.',
  ),
  ApplicationHung: f1!(
    'The program stopped answering while it lived, and the liveness probe rightly ended it.',
    'Let it restart; take a stack dump of the next one that hangs before the probe does.',
    'Find what it waits for (a lock, an event loop, a dependency without time-out); set time-outs on every call.',
  ),
  StartupTooSlowForProbe: f12!(
    'The program was still starting when its probe gave up and killed it.',
    'Add a `startupProbe` with `failureThreshold × periodSeconds` above the slowest start seen.',
    'Make starts shorter (migrations and warm-up elsewhere), and measure them: podStartupLatency.',
  ),
  PortInUse: f1!(
    'The port the program wants is taken by another process of the same pod or host.',
    'Give one of the two another port, or end the old one.',
    'Containers of one pod share one network: give each its port in the manifest; do not fork a second server.',
  ),
  InitContainerFailing: f1!(
    'An init container fails, so that no container of the pod is started.',
    'Read the log of the init container; its own cause is among the facts.',
    'Let init containers say what they wait for, and give up with a message rather than silently.',
  ),
  SidecarFailing: f1!(
    'A sidecar (a restartable init container) fails, and the pod cannot be well without it.',
    'Read the log of the sidecar; its own cause is among the facts.',
    'Release sidecars like programs: pinned, tested, rolled out in steps.',
  ),
  OOMKilled: f2!(
    'The kernel ended the container at its memory limit.',
    'Raise the limit if the need is real; go back if a release made it grow.',
    'Set request and limit from the working set of a busy day plus headroom; a curve that only rises is a leak to find.',
  ),
  MemoryLeak: f2!(
    'Memory rose without pause from the start to the limit, where the kernel ended it.',
    'Go back to the version before; a larger limit only makes lives longer.',
    'Compare heap dumps of two ages; alert on the forecast (PodMemoryNearLimit), not on the kill.',
  ),
  LimitTooLow: f2!(
    'The container needs more memory than its limit, from its start or at a peak of work.',
    'Raise `resources.limits.memory` above the peak seen, and the request with it.',
    'Set limits from measurements of a whole busy day, and check them with each release.',
  ),
  ChildOOMKilled: f2!(
    'The kernel ended a child process for memory; the first process lived on, so that Kubernetes shows nothing.',
    'Run fewer children at once, or raise the limit; restart the pod if it goes on half broken.',
    'Let the parent end when a child it needs is killed, and bound how many children run.',
  ),
  ImageNotFound: f3!(
    'The image does not exist under this name and tag.',
    'Correct the name or tag, or push the image.',
    'Deploy by digest, and only what the build has just pushed.',
  ),
  ImageAuthFailed: f3!(
    'The registry refused who asked for the image.',
    'Renew the credentials in `imagePullSecrets`.',
    'Rotate pull secrets before they expire, by a job that tries a pull.',
  ),
  RegistryUnreachable: f3!(
    'The registry could not be reached: its name does not resolve, or nothing answers.',
    'Look at the registry and the way to it from the node; pods with the image already there go on.',
    'Keep a mirror close by, and images of critical workloads on the nodes.',
  ),
  RegistryRateLimited: f3!(
    'The registry refuses because too much was pulled.',
    'Wait for the window to pass, or pull as a known user.',
    'Pull through a cache, by digest, with `imagePullPolicy: IfNotPresent`.',
  ),
  ReadinessProbeWrong: f4!(
    'The readiness probe asks for something the program does not serve: it can never be ready.',
    'Correct path, port or scheme to what the container listens on.',
    'Write the probe in the same change as what it asks.',
  ),
  ReadinessProbeFailing: f4!(
    'The program runs, and says of itself that it cannot serve.',
    'Ask the probe by hand and read its answer; what it depends on is usually what is broken.',
    'Let readiness say which dependency is missing, and let not all replicas depend on one.',
  ),
  EvictedMemory: f5!(
    'The node was short of memory and ended the pod to save the others.',
    'Find the pod that grew; give this one a request that covers its use.',
    'Requests as large as real use: pods above their request go first.',
  ),
  EvictedDisk: f5!(
    "The node's disk ran full and the pod was ended to make room.",
    'Free the disk: images, logs, emptyDir volumes.',
    'Limit `ephemeral-storage` of pods, rotate logs, alert on free space before the node acts.',
  ),
  EvictedPids: f5!(
    'The node ran out of process numbers and the pod was ended.',
    'Find what forks without end.',
    'Set a PID limit for each pod, so that one cannot starve the node.',
  ),
  VolumeMountFailed: f6!(
    'A volume of the pod could not be mounted, so that it cannot start.',
    'Correct the name, the path or the reference that the message cites.',
    'Apply ConfigMaps, Secrets and claims before what uses them.',
  ),
  DnsFailure: f7!(
    'A name the program asked for did not resolve.',
    'Try the name inside the pod; look at the name server and at the spelling.',
    'Use full names with a final dot, a local DNS cache, and retries that back off.',
  ),
  DependencyRefused: f7!(
    'What the program depends on refused the connection: nothing listens there.',
    'Mend the dependency first; this pod comes back within one back-off.',
    'Wait for dependencies with back-off instead of ending; readiness tells that you wait.',
  ),
  DependencyTimeout: f7!(
    'What the program depends on did not answer in time.',
    'Look at the dependency and the network between; restarts add load where there is too much.',
    'Time-outs and circuit breakers, and a budget for retries.',
  ),
  CertificateExpired: f8!(
    'A certificate on the way has expired or is not yet valid.',
    'Renew the certificate; if it is valid elsewhere, look at the clock of the node.',
    'Renew by a machine, and alert two weeks before.',
  ),
  TokenExpired: f8!(
    'A token or credential has expired.',
    'Issue a new one and restart what read it only once.',
    'Short-lived tokens that the program reads again, and an alert on their age.',
  ),
  ClockSkew: f8!(
    "The node's clock is wrong: certificates, tokens and timestamps fail for it.",
    'Start time synchronisation on the node; drain it until its clock is right.',
    'Alert on the offset (NodeClockSkew) and let no node join without a time source.',
  ),
  Unschedulable: f9!(
    'No node may take the pod: its requests, selectors, taints or ports cannot be met.',
    'Make room or relax what the message names.',
    'Requests from measurements, and spare capacity for one node less.',
  ),
  DependencyFlapping: f10!(
    'Several replicas die whenever one thing they all depend on goes away and comes back.',
    'Make the dependency stable; restarts will end by themselves.',
    'Do not end for a lost dependency: reconnect with back-off and jitter.',
  ),
  CpuThrottled: f11!(
    'The CPU limit held the program back so much that its probes failed.',
    'Raise or remove the CPU limit; keep the request.',
    'Requests guarantee, limits throttle: set limits only where neighbours must be protected from it.',
  ),
  NoisyNeighbour: f11!(
    'Another pod of the node took the CPU, memory bandwidth or disk that this one needed.',
    'Move one of the two.',
    'Requests that tell the truth, and limits for work that can wait.',
  ),
  PidLimit: f13!(
    'The pod may not start more processes or threads.',
    'Raise the limit if it is too low, or find what forks without waiting for its children.',
    'Bound worker pools, and run an init that reaps.',
  ),
  FileDescriptorLimit: f13!(
    'The process may not open more files or sockets.',
    'Restart it to win time; raise `nofile` if the need is real.',
    'Close what is opened: a count that only rises is a leak. Pools and time-outs bound sockets.',
  ),
  DiskFull: f14!(
    'A file system the program writes to is full.',
    'Free space, or enlarge the volume.',
    'Rotate and expire what is written; alert on the forecast, inodes included.',
  ),
  ReadOnlyFilesystem: f14!(
    'The program writes where it may only read.',
    'Mount an emptyDir or a volume at that path, or write elsewhere.',
    'Keep the root read-only, and name in the image which paths need a volume.',
  ),
  WrongArchitecture: f15!(
    'The program was built for another processor or as no program at all (exec format error).',
    'Use the image of this architecture; a script needs its `#!` line.',
    'Build multi-architecture images, and start them once on each.',
  ),
  SecurityDenied: f15!(
    'seccomp, AppArmor, SELinux or a missing capability forbade what the program did.',
    'Allow the call or capability it needs in `securityContext`, no more.',
    'Run tests under the profile of production.',
  ),
  StuckTerminating: f16!(
    'The pod should be gone and is not: a process does not end, or something holds it.',
    'Look at what still runs; delete with `--force` only when it is known to be dead.',
    'End on SIGTERM within the grace period; remove finalizers whose owner is gone.',
  ),
};

export const causeOf = (name: string): Cause | undefined =>
  Object.hasOwn(CAUSES, name) ? CAUSES[name] : undefined;
