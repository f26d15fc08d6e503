import { describe, expect, it } from 'vitest';
import { containerInspection, containerList } from '../../../../src/agent/engines/podman/answers.ts';
import { parseEvent } from '../../../../src/agent/engines/podman/event-stream.ts';
import { container } from '../../../../src/agent/pod/runtime/podman/answers.ts';
import { stopSignalOf } from '../../../../src/agent/pod/runtime/podman/stop-signal.ts';

/** What versions of Podman have in common, as far as they are read. */
const COMMON = {
  Id: 'c11',
  Created: '2026-01-01T00:00:11.111111111Z',
  Name: 'cart',
  Image: 'i11',
  ImageName: 'localhost/cart:1',
  RestartCount: 2,
  State: {
    Status: 'running',
    Running: true,
    Pid: 1111,
    ExitCode: 0,
    StartedAt: '2026-01-01T00:00:11Z',
    FinishedAt: '0001-01-01T00:00:00Z',
  },
  Config: { Hostname: 'cart', Env: ['A=1'], Cmd: ['serve'], Labels: null },
  HostConfig: { Memory: 67_108_864, NanoCpus: 0 },
};

/** Podman 4 has the entrypoint as one string and the stop signal as a number. */
const FOUR = {
  ...COMMON,
  State: { ...COMMON.State, Health: { Status: '', FailingStreak: 0, Log: null } },
  Config: { ...COMMON.Config, Entrypoint: '/bin/run', StopSignal: 15, StopTimeout: 10 },
};
/**
 * Podman 5.0 has a list and a name, also for who asks by the path of 4; from 5.1 on those get the old shape. Source:
 * github.com/containers/podman pull requests 21601 and 22700
 */
const FIVE = {
  ...COMMON,
  State: { ...COMMON.State, StoppedByUser: false, CheckpointedAt: '0001-01-01T00:00:00Z' },
  Config: {
    ...COMMON.Config,
    Entrypoint: ['/bin/run', '--fast'],
    StopSignal: 'SIGINT',
    StopTimeout: 10,
    HealthcheckOnFailureAction: 'none',
    Healthcheck: { Test: ['CMD', 'true'], Interval: 30e9, Timeout: 30e9, StartInterval: 5e9, Retries: 3 },
  },
  HostConfig: { ...COMMON.HostConfig, Memory: 67_108_864, PidMode: 'private', AutoRemoveImage: false },
  LockNumber: 11,
  SomethingOfNextYear: { Deep: [null, 1] },
};

describe('answers of Podman, over its versions', () => {
  it('have the entrypoint as one string, or as a list, or not at all', () => {
    const words = (answer: object) => containerInspection.parse(answer).Config.Entrypoint;
    expect(words(FOUR)).toEqual(['/bin/run']);
    expect(words(FIVE)).toEqual(['/bin/run', '--fast']);
    expect(words({ ...FIVE, Config: { ...FIVE.Config, Entrypoint: null } })).toEqual([]);
    expect(words(COMMON)).toEqual([]);
  });

  it('have the stop signal as a number or as a name', () => {
    const signal = (answer: object) =>
      stopSignalOf(
        container.parse({ OCIConfigPath: null, OCIRuntime: 'crun', NetworkSettings: null, ...answer }),
      );
    expect(signal(FOUR)).toBe('SIGTERM');
    expect(signal(FIVE)).toBe('SIGINT');
    expect(signal(COMMON)).toBe('SIGTERM');
  });

  it('may have more than is read, and leave out what is empty', () => {
    const five = containerInspection.parse(FIVE);
    expect(five.Config.Healthcheck).toMatchObject({ Test: ['CMD', 'true'], Retries: 3, StartPeriod: 0 });
    expect(five.Config.Labels).toEqual({});
    expect(five.State.FinishedAt).toBeUndefined();
    expect(containerInspection.parse(COMMON).State.Health).toBeUndefined();
    expect(containerInspection.parse(FOUR).State.Health?.Log).toEqual([]);
  });

  it('list containers with names and labels, or null for none', () => {
    const listed = { Id: 'c11', State: 'running', IsInfra: false, StartedAt: 11, ExitedAt: -62_135_596_800 };
    expect(containerList.parse([{ ...listed, Names: null, Labels: null, Pod: '' }])[0]).toMatchObject({
      Names: [],
      Labels: {},
    });
    expect(containerList.parse(null)).toEqual([]);
  });

  it('tell of health in the attributes, or beside them', () => {
    const event = (more: object, attributes: object = {}) =>
      parseEvent(
        '/run/podman/podman.sock',
        JSON.stringify({
          Type: 'container',
          Action: 'health_status',
          Actor: { ID: 'c11', Attributes: { name: 'cart', ...attributes } },
          scope: 'local',
          time: 1_767_225_611,
          timeNano: 1_767_225_611_000_000_000,
          ...more,
        }),
      ).health;
    expect(event({ HealthStatus: 'unhealthy' })).toBe('unhealthy');
    expect(event({}, { health_status: 'healthy' })).toBe('healthy');
    expect(event({})).toBeUndefined();
  });
});
