import { type ContainerRecord, isRunning, type PodRecord } from '../pod-record.ts';
import type { ContainerView, PodView } from '../view.ts';
import { podObject } from './pod-status.ts';

export function podView(pod: PodRecord, hostIp: string, now: number): PodView {
  return {
    ref: pod.ref,
    object: podObject(pod, hostIp),
    containers: pod.containers.map((container) => containerView(container, now)),
    ...(pod.sandbox === undefined
      ? {}
      : {
          sandbox: {
            ...(pod.sandbox.pid === undefined ? {} : { pid: pod.sandbox.pid }),
            cgroup: pod.sandbox.cgroup,
          },
        }),
    startup: { ...pod.startup } as PodView['startup'],
    ...(pod.deletion === undefined ? {} : { deletionAt: pod.deletion.at }),
  };
}

function containerView(container: ContainerRecord, now: number): ContainerView {
  const { life, backingOff } = container;
  return {
    name: container.name,
    init: container.init,
    attempt: life?.attempt ?? 0,
    ...(life === undefined || !isRunning(container)
      ? {}
      : { running: { id: life.id, pid: life.pid, startedAt: life.startedAt, cgroup: life.cgroup } }),
    config: container.config,
    deaths: { ...container.deaths },
    requestedDeaths: { ...container.requestedDeaths },
    crashLoops: container.crashLoops,
    oomKills: container.oomKills,
    ...(backingOff === undefined
      ? {}
      : { backOff: { delayMs: backingOff.delayMs, untilMs: backingOff.untilMs } }),
    backOffMs: container.backOffMs + (backingOff === undefined ? 0 : Math.max(0, now - backingOff.sinceMs)),
    probes: structuredClone(container.probes),
  };
}
