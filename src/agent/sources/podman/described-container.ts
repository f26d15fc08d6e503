import { createHmac } from 'node:crypto';
import type { Container, Probe, Volume } from '../../../model/kubernetes.ts';
import type { LifeConfig } from '../../../model/life.ts';
import type { ContainerInspection } from '../../engines/podman/answers.ts';

/** A container as a manifest would have it, without values of its environment. */
export interface DescribedContainer {
  readonly container: Container;
  readonly volumes: readonly Volume[];
  readonly config: LifeConfig;
  readonly restartPolicy: 'Always' | 'OnFailure' | 'Never';
  /** Restarts after which Podman gives up; 0: never. */
  readonly mostRestarts: number;
  readonly autoRemove: boolean;
}

/** Without a period of its own the kernel's. */
const CPU_PERIOD_US = 100_000;

const RESTART_POLICIES: Readonly<Record<string, DescribedContainer['restartPolicy']>> = {
  always: 'Always',
  'unless-stopped': 'Always',
  'on-failure': 'OnFailure',
};

export function describeContainer(found: ContainerInspection, salt: string): DescribedContainer {
  const { Config, HostConfig, Mounts } = found;
  const env = Config.Env.map((setting) => setting.slice(0, Math.max(0, setting.indexOf('='))) || setting);
  const command = [...Config.Entrypoint, ...Config.Cmd];
  const cpu = cpuLimit(HostConfig);
  const memory = HostConfig.Memory > 0 ? HostConfig.Memory : undefined;
  const limits = {
    ...(cpu === undefined ? {} : { cpu: `${Math.round(cpu * 1000)}m` }),
    ...(memory === undefined ? {} : { memory: String(memory) }),
  };
  const probe = healthProbe(found);
  const ports = portsOf(HostConfig.PortBindings ?? {});
  const mounts = Mounts.map((mount, index) => ({ ...mount, volume: mount.Name || `mount-${index}` }));
  return {
    container: {
      name: found.Name,
      image: found.ImageName,
      ...(command.length === 0 ? {} : { command }),
      ...(Config.WorkingDir === '' ? {} : { workingDir: Config.WorkingDir }),
      env: env.map((name) => ({ name })),
      ...(ports.length === 0 ? {} : { ports }),
      ...(Object.keys(limits).length === 0 ? {} : { resources: { limits } }),
      ...(probe === undefined ? {} : { readinessProbe: probe }),
      ...(mounts.length === 0
        ? {}
        : {
            volumeMounts: mounts.map(({ volume, Destination, RW }) => ({
              name: volume,
              mountPath: Destination,
              ...(RW === false ? { readOnly: true } : {}),
            })),
          }),
    },
    volumes: mounts.map(({ volume, Source }) => ({ name: volume, hostPath: { path: Source } })),
    config: {
      image: found.ImageName,
      command,
      envNames: env,
      configHash: createHmac('sha256', salt)
        .update(JSON.stringify([found.Image, command, Config.Env, HostConfig]))
        .digest('hex')
        .slice(0, 16),
      ...(memory === undefined ? {} : { memoryLimitBytes: memory }),
      ...(cpu === undefined ? {} : { cpuLimitCores: cpu }),
      ...(HostConfig.PidsLimit > 0 ? { pidsLimit: HostConfig.PidsLimit } : {}),
    },
    restartPolicy: RESTART_POLICIES[HostConfig.RestartPolicy?.Name ?? ''] ?? 'Never',
    mostRestarts: HostConfig.RestartPolicy?.MaximumRetryCount ?? 0,
    autoRemove: HostConfig.AutoRemove ?? false,
  };
}

function cpuLimit({ NanoCpus, CpuQuota, CpuPeriod }: ContainerInspection['HostConfig']): number | undefined {
  if (NanoCpus > 0) return NanoCpus / 1e9;
  return CpuQuota > 0 ? CpuQuota / (CpuPeriod || CPU_PERIOD_US) : undefined;
}

/** A HEALTHCHECK is what Kubernetes calls a readiness probe; its durations are nanoseconds. */
function healthProbe({ Config: { Healthcheck } }: ContainerInspection): Probe | undefined {
  const [kind, ...words] = Healthcheck?.Test ?? [];
  if (!Healthcheck || kind === undefined || kind === 'NONE') return undefined;
  const seconds = (nanoseconds: number) => Math.max(1, Math.round(nanoseconds / 1e9));
  return {
    exec: {
      command: kind === 'CMD-SHELL' ? ['/bin/sh', '-c', ...words] : kind === 'CMD' ? words : [kind, ...words],
    },
    initialDelaySeconds: Math.round(Healthcheck.StartPeriod / 1e9),
    periodSeconds: seconds(Healthcheck.Interval),
    timeoutSeconds: seconds(Healthcheck.Timeout),
    failureThreshold: Math.max(1, Healthcheck.Retries),
  };
}

/** `80/tcp` with the host's ports. */
function portsOf(bindings: NonNullable<ContainerInspection['HostConfig']['PortBindings']>) {
  return Object.entries(bindings).flatMap(([port, hosts]) => {
    const [number, protocol = 'tcp'] = port.split('/');
    return (hosts ?? [{ HostPort: '' }]).map(({ HostPort }) => ({
      containerPort: Number(number),
      protocol: protocol.toUpperCase(),
      ...(HostPort === '' ? {} : { hostPort: Number(HostPort) }),
    }));
  });
}
