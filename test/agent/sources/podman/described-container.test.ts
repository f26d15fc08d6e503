import { describe, expect, it } from 'vitest';
import { containerInspection } from '../../../../src/agent/engines/podman/answers.ts';
import { describeContainer } from '../../../../src/agent/sources/podman/described-container.ts';
import { healthResults, isHealthy } from '../../../../src/agent/sources/podman/health.ts';
import { workloadOf } from '../../../../src/agent/sources/podman/podman-pod.ts';

/** As Podman 4.3 answers, cut to what differs. */
const inspection = (
  more: { readonly State?: object; readonly Config?: object; readonly HostConfig?: object } = {},
) =>
  containerInspection.parse({
    Id: 'c11',
    Name: 'cart',
    Image: 'i12',
    ImageName: 'localhost/cart:1',
    RestartCount: 0,
    State: {
      Status: 'running',
      Running: true,
      StartedAt: '2026-01-01T00:00:11Z',
      FinishedAt: '0001-01-01T00:00:00Z',
      ...more.State,
    },
    Config: {
      Entrypoint: '',
      Cmd: ['serve'],
      Env: ['DATABASE_PASSWORD=hunter2', 'PATH=/bin'],
      WorkingDir: '/',
      Labels: null,
      ...more.Config,
    },
    HostConfig: {
      Memory: 67_108_864,
      NanoCpus: 500_000_000,
      CpuPeriod: 100_000,
      PidsLimit: 2048,
      ...more.HostConfig,
    },
  });

describe('a container of Podman’s as a manifest would have it', () => {
  it('has its limits, its command, and names of settings without their values', () => {
    const described = describeContainer(inspection(), 'salt');
    expect(described.container).toEqual({
      name: 'cart',
      image: 'localhost/cart:1',
      command: ['serve'],
      workingDir: '/',
      env: [{ name: 'DATABASE_PASSWORD' }, { name: 'PATH' }],
      resources: { limits: { cpu: '500m', memory: '67108864' } },
    });
    expect(JSON.stringify(described)).not.toContain('hunter2');
  });

  it('shows by its hash that a value changed, to who has the salt', () => {
    const hash = (env: readonly string[], salt = 'salt') =>
      describeContainer(inspection({ Config: { Env: env } }), salt).config.configHash;
    expect(hash(['A=1'])).toBe(hash(['A=1']));
    expect(hash(['A=1'])).not.toBe(hash(['A=2']));
    expect(hash(['A=1'])).not.toBe(hash(['A=1'], 'other'));
  });

  it.each([
    ['', 'Never'],
    ['no', 'Never'],
    ['always', 'Always'],
    ['unless-stopped', 'Always'],
    ['on-failure', 'OnFailure'],
  ])('with restart policy "%s" is %s', (Name, policy) =>
    expect(
      describeContainer(inspection({ HostConfig: { RestartPolicy: { Name, MaximumRetryCount: 2 } } }), '')
        .restartPolicy,
    ).toBe(policy),
  );

  it('has a HEALTHCHECK as its readiness probe', () => {
    const Healthcheck = {
      Test: ['CMD-SHELL', 'wget -q localhost'],
      Interval: 30e9,
      Timeout: 5e9,
      Retries: 3,
    };
    const healthy = inspection({
      Config: { Healthcheck },
      State: { Health: { Status: 'healthy', FailingStreak: 0, Log: null } },
    });
    expect(describeContainer(healthy, '').container.readinessProbe).toEqual({
      exec: { command: ['/bin/sh', '-c', 'wget -q localhost'] },
      initialDelaySeconds: 0,
      periodSeconds: 30,
      timeoutSeconds: 5,
      failureThreshold: 3,
    });
    expect(isHealthy(healthy)).toBe(true);
    expect(isHealthy(inspection())).toBe(true);
    for (const Status of ['starting', 'unhealthy'])
      expect(isHealthy(inspection({ State: { Health: { Status, FailingStreak: 1, Log: null } } }))).toBe(
        false,
      );
  });

  it('gives each check once, with what it said', () => {
    const Log = [
      { Start: '2026-01-01T00:00:20Z', End: '2026-01-01T00:00:20.013Z', ExitCode: 0, Output: '' },
      {
        Start: '2026-01-01T00:00:50Z',
        End: '2026-01-01T00:00:50.011Z',
        ExitCode: 1,
        Output: 'connection refused\n',
      },
    ];
    const found = inspection({
      Config: { Healthcheck: { Test: ['CMD', 'check'] } },
      State: { Health: { Status: 'starting', FailingStreak: 1, Log } },
    });
    expect(healthResults(found, Date.UTC(2026, 0, 1, 0, 0, 20, 13))).toEqual([
      {
        at: Date.UTC(2026, 0, 1, 0, 0, 50, 11),
        probe: 'readiness',
        ok: false,
        target: 'exec check',
        message: 'connection refused',
        latencyMs: 11,
      },
    ]);
  });

  it('belongs to the workload that compose names', () => {
    expect(
      workloadOf('shop_cart_1', {
        'io.podman.compose.project': 'shop',
        'com.docker.compose.service': 'cart',
      }),
    ).toBe('shop-cart');
    expect(workloadOf('web', {})).toBe('web');
  });
});
