import type { Container, PodSpec, Probe, Volume } from '../../../model/kubernetes.ts';
import { PROBE_DEFAULTS } from '../prober/probe.ts';
import { HOST_IMAGE, imageOf } from '../spec/container-config.ts';

/** Fills in what the API server fills in, as far as we read it. Source: kubernetes/pkg/apis/core/v1/defaults.go */
export function withDefaults(spec: PodSpec): PodSpec {
  return {
    ...spec,
    restartPolicy: spec.restartPolicy ?? 'Always',
    terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
    containers: spec.containers.map(defaultContainer),
    ...(spec.initContainers === undefined
      ? {}
      : { initContainers: spec.initContainers.map(defaultContainer) }),
    ...(spec.volumes === undefined ? {} : { volumes: spec.volumes.map(defaultVolume) }),
  };
}

function defaultContainer(container: Container): Container {
  const { limits, requests } = container.resources ?? {};
  return {
    ...container,
    image: imageOf(container),
    imagePullPolicy: container.imagePullPolicy ?? pullPolicyOf(imageOf(container)),
    ...(container.ports === undefined
      ? {}
      : { ports: container.ports.map((port) => ({ ...port, protocol: port.protocol ?? 'TCP' })) }),
    // A limit without a request is also the request.
    ...(limits === undefined ? {} : { resources: { limits, requests: { ...limits, ...requests } } }),
    ...defaultProbe('livenessProbe', container.livenessProbe),
    ...defaultProbe('readinessProbe', container.readinessProbe),
    ...defaultProbe('startupProbe', container.startupProbe),
  };
}

/** Always for `:latest` or no tag; what is named by tag or digest does not change. */
function pullPolicyOf(image: string): string {
  if (image === HOST_IMAGE || image.includes('@')) return 'IfNotPresent';
  const tag = /:([^/:]+)$/.exec(image)?.[1] ?? 'latest';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function defaultProbe(field: string, probe: Probe | undefined): object {
  if (probe === undefined) return {};
  const { initialDelaySeconds: _zero, ...defaults } = PROBE_DEFAULTS;
  const httpGet = probe.httpGet && { path: '/', scheme: 'HTTP', ...probe.httpGet };
  return { [field]: { ...defaults, ...probe, ...(httpGet === undefined ? {} : { httpGet }) } };
}

function defaultVolume(volume: Volume): Volume {
  const defaultMode = 0o644;
  return {
    ...volume,
    ...(volume.configMap === undefined ? {} : { configMap: { defaultMode, ...volume.configMap } }),
    ...(volume.secret === undefined ? {} : { secret: { defaultMode, ...volume.secret } }),
    ...(volume.hostPath === undefined ? {} : { hostPath: { type: '', ...volume.hostPath } }),
  };
}
