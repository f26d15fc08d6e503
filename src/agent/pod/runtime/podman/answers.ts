import { z } from 'zod';

/**
 * Answers of libpod's REST API as a runtime needs them; what else is in them is passed over.
 * Source: https://docs.podman.io/en/latest/_static/api.html, checked on Podman 4.3 and 5.4
 */
export const made = z.object({ Id: z.string().min(1) });

export const image = z.object({ Id: z.string().min(1), User: z.string().nullish() });

export const host = z.object({
  host: z.object({
    ociRuntime: z.object({ name: z.string(), path: z.string() }),
    security: z.object({ rootless: z.boolean() }),
  }),
});

/** Go writes a time that is not set as year 1. */
const time = z.string().transform((text) => {
  const ms = Date.parse(text);
  return Number.isNaN(ms) || ms <= 0 ? undefined : ms;
});

/** Podman 5 has a name (`SIGTERM`) where Podman 4 has a number. */
const signal = z.union([z.string(), z.number()]).nullish();

export const container = z.object({
  Id: z.string(),
  State: z.object({
    Status: z.string(),
    Pid: z.number(),
    ExitCode: z.number(),
    StartedAt: time,
    FinishedAt: time,
  }),
  OCIConfigPath: z.string().nullish(),
  /** Of the driver `overlay`: `UpperDir`, where what the container writes lies. */
  GraphDriver: z.object({ Data: z.record(z.string(), z.string()).nullish() }).nullish(),
  OCIRuntime: z.string().nullish(),
  NetworkSettings: z
    .object({
      IPAddress: z.string().nullish(),
      Networks: z.record(z.string(), z.object({ IPAddress: z.string().nullish() })).nullish(),
    })
    .nullish(),
  Config: z.object({
    Labels: z.record(z.string(), z.string()).nullish(),
    StopSignal: signal,
  }),
});
export type Container = z.infer<typeof container>;

/** The first address the infra container has in any network. */
export function addressOf({ NetworkSettings }: Container): string | undefined {
  const all = [
    NetworkSettings?.IPAddress,
    ...Object.values(NetworkSettings?.Networks ?? {}).map(({ IPAddress }) => IPAddress),
  ];
  return all.find((address) => address !== undefined && address !== null && address !== '') ?? undefined;
}

/** One line of a pull's answer; the status is 200 whatever comes of it. */
export const pullLine = z.object({
  id: z.string().nullish(),
  error: z.string().nullish(),
});
