import { z } from 'zod';

/**
 * Answers of libpod's REST API, as far as they are read here; what else is in them is passed over. Go writes an empty
 * list or map as null, and a time that is not set as year 1.
 * Source: https://docs.podman.io/en/latest/_static/api.html, checked on Podman 4.3 and 5.4
 */
const list = <T extends z.ZodType>(of: T) =>
  z
    .array(of)
    .nullish()
    .transform((value) => value ?? []);
const map = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const number = z
  .number()
  .nullish()
  .transform((value) => value ?? 0);
/** Integer milliseconds; undefined where it is not set. */
const time = z
  .string()
  .nullish()
  .transform((value) => {
    const ms = value ? Date.parse(value) : Number.NaN;
    return Number.isNaN(ms) || ms <= 0 ? undefined : ms;
  });
/** Podman 4 has a string, Podman 5 a list. */
const words = z
  .union([z.string(), z.array(z.string())])
  .nullish()
  .transform((value) => (typeof value === 'string' ? (value === '' ? [] : [value]) : (value ?? [])));

export const nothing = z.unknown().transform(() => undefined);

export const version = z.object({ Version: z.string(), ApiVersion: text });

export const containerList = list(
  z.object({
    Id: z.string(),
    Names: list(z.string()),
    Image: text,
    State: z.string(),
    /** The health: `starting`, `healthy`, `unhealthy`, empty without a HEALTHCHECK. */
    Status: text,
    Pod: text,
    PodName: text,
    IsInfra: z.boolean(),
    AutoRemove: z.boolean().nullish(),
    Pid: number,
    /** Seconds; negative: never. */
    StartedAt: z.number(),
    ExitedAt: z.number(),
    ExitCode: number,
    Labels: map,
  }),
);
export type ListedContainer = z.infer<typeof containerList>[number];

export const podList = list(
  z.object({
    Id: z.string(),
    Name: z.string(),
    Created: time,
    InfraId: text,
    Status: text,
    Labels: map,
    Containers: list(z.object({ Id: z.string(), Names: text, Status: text })),
  }),
);
export type ListedPod = z.infer<typeof podList>[number];

export const podInspection = z.object({
  Id: z.string(),
  Name: z.string(),
  Created: time,
  State: text,
  Hostname: text,
  Labels: map,
  CgroupPath: text,
  InfraContainerID: text,
  Containers: list(z.object({ Id: z.string(), Name: z.string(), State: text })),
});
export type PodInspection = z.infer<typeof podInspection>;

const health = z
  .object({
    Status: text,
    FailingStreak: number,
    Log: list(z.object({ Start: time, End: time, ExitCode: number, Output: text })),
  })
  .nullish();

export const containerInspection = z.object({
  Id: z.string(),
  Name: z.string(),
  Created: time,
  Image: text,
  ImageName: text,
  Pod: text,
  RestartCount: number,
  State: z.object({
    Status: z.string(),
    Running: z.boolean(),
    Paused: z.boolean().nullish(),
    Pid: number,
    OOMKilled: z.boolean().nullish(),
    ExitCode: number,
    Error: text,
    StartedAt: time,
    FinishedAt: time,
    Health: health,
    /** Of podman 4.3 only while it runs. */
    CgroupPath: text,
  }),
  IsInfra: z.boolean().nullish(),
  Mounts: list(
    z.object({ Type: text, Name: text, Source: text, Destination: text, RW: z.boolean().nullish() }),
  ),
  NetworkSettings: z
    .object({
      IPAddress: text,
      Networks: z.record(z.string(), z.object({ IPAddress: text })).nullish(),
    })
    .nullish(),
  Config: z.object({
    Hostname: text,
    Env: list(z.string()),
    Cmd: list(z.string()),
    Entrypoint: words,
    WorkingDir: text,
    Labels: map,
    StopTimeout: number,
    /** Durations in nanoseconds. */
    Healthcheck: z
      .object({
        Test: list(z.string()),
        Interval: number,
        Timeout: number,
        Retries: number,
        StartPeriod: number,
      })
      .nullish(),
  }),
  HostConfig: z.object({
    AutoRemove: z.boolean().nullish(),
    NetworkMode: text,
    RestartPolicy: z.object({ Name: text, MaximumRetryCount: number }).nullish(),
    Memory: number,
    NanoCpus: number,
    CpuQuota: number,
    CpuPeriod: number,
    PidsLimit: number,
    LogConfig: z.object({ Type: text, Path: text }).nullish(),
    PortBindings: z
      .record(z.string(), z.array(z.object({ HostIp: text, HostPort: text })).nullish())
      .nullish(),
  }),
});
export type ContainerInspection = z.infer<typeof containerInspection>;

export const event = z.object({
  Type: z.string(),
  Action: z.string(),
  Actor: z.object({ ID: text, Attributes: map }),
  /** Nanoseconds; as a number exact to 256 ns. */
  timeNano: z.number(),
  HealthStatus: z.string().nullish(),
});
