import type { Container, EnvVar, PodSpec, PodTemplate, Probe, Volume } from '../model/kubernetes.ts';

/** What a pod's spec asks for, as kubectl's describe lays it out; each a list of lines. */

const WIDTH = 16;
const line = (title: string, text: string) => `    ${`${title}:`.padEnd(WIDTH)}${text}`;

/** Image and command, which come before the state of a container. */
export function programLines({ image, command = [], args = [], ports = [] }: Container): readonly string[] {
  const port = ports.map(({ containerPort, protocol = 'TCP' }) => `${containerPort}/${protocol}`);
  const hostPort = ports.map(({ hostPort: own = 0, protocol = 'TCP' }) => `${own}/${protocol}`);
  return [
    line('Image', image ?? 'host'),
    ...(ports.length === 0 ? [] : [line('Port', port.join(', ')), line('Host Port', hostPort.join(', '))]),
    line('Command', [...command, ...args].join(' ')),
  ];
}

/** Everything else a container asks for, which comes after its state. */
export function demandLines(container: Container): readonly string[] {
  return [
    ...amounts('Limits', container.resources?.limits),
    ...amounts('Requests', container.resources?.requests),
    ...probe('Liveness', container.livenessProbe),
    ...probe('Readiness', container.readinessProbe),
    ...probe('Startup', container.startupProbe),
    ...environment(container),
    ...mounts(container),
  ];
}

/** Volumes, and where the pod may run. */
export function placeLines({
  volumes = [],
  nodeSelector = {},
  tolerations = [],
}: PodSpec): readonly string[] {
  const selected = Object.entries(nodeSelector).map(([key, value]) => `${key}=${value}`);
  const tolerated = tolerations.map(({ key = '', operator, value, effect, tolerationSeconds }) => {
    const what = `${key}${value === undefined ? '' : `=${value}`}${effect === undefined ? '' : `:${effect}`}`;
    const op = operator === 'Exists' ? ' op=Exists' : '';
    return `${what}${op}${tolerationSeconds === undefined ? '' : ` for ${tolerationSeconds}s`}`;
  });
  return [
    ...(volumes.length === 0 ? [] : ['Volumes:', ...volumes.flatMap(volume)]),
    ...(selected.length === 0 ? [] : [`Node-Selectors:  ${selected.join(',')}`]),
    ...(tolerated.length === 0 ? [] : [`Tolerations:     ${tolerated.join(', ')}`]),
  ];
}

/** A template as a whole; indented below `Pod Template:`. */
export function templateLines({ metadata, spec }: PodTemplate): readonly string[] {
  const all = (title: string, containers: readonly Container[]) =>
    containers.length === 0
      ? []
      : [
          `  ${title}:`,
          ...containers.flatMap((container) =>
            [`  ${container.name}:`, ...programLines(container), ...demandLines(container)].map(indented),
          ),
        ];
  return [
    'Pod Template:',
    ...pairs('Labels', metadata?.labels ?? {}),
    ...(metadata?.annotations ? pairs('Annotations', metadata.annotations) : []),
    ...all('Init Containers', spec.initContainers ?? []),
    ...all('Containers', spec.containers),
    ...placeLines(spec).map((text) => `  ${text}`),
  ];
}

const indented = (text: string) => ` ${text}`;

function pairs(title: string, values: Readonly<Record<string, string>>): readonly string[] {
  const entries = Object.entries(values).map(([key, value]) => `${key}=${value}`);
  const [first = '<none>', ...rest] = entries;
  return [`  ${`${title}:`.padEnd(14)}${first}`, ...rest.map((text) => ' '.repeat(WIDTH) + text)];
}

function amounts(title: string, values: Readonly<Record<string, string>> = {}): readonly string[] {
  const entries = Object.entries(values);
  return entries.length === 0
    ? []
    : [line(title, entries.map(([name, value]) => `${name}=${value}`).join(' '))];
}

function probe(title: string, value: Probe | undefined): readonly string[] {
  if (!value) return [];
  const { httpGet, tcpSocket, grpc, exec } = value;
  const action = httpGet
    ? `http-get ${(httpGet.scheme ?? 'HTTP').toLowerCase()}://${httpGet.host ?? ''}:${httpGet.port}${httpGet.path ?? '/'}`
    : tcpSocket
      ? `tcp-socket ${tcpSocket.host ?? ''}:${tcpSocket.port}`
      : grpc
        ? `grpc <pod>:${grpc.port} ${grpc.service ?? ''}`
        : `exec [${exec?.command.join(' ')}]`;
  return [
    line(
      title,
      `${action} delay=${value.initialDelaySeconds ?? 0}s timeout=${value.timeoutSeconds ?? 1}s period=${value.periodSeconds ?? 10}s #success=${value.successThreshold ?? 1} #failure=${value.failureThreshold ?? 3}`,
    ),
  ];
}

function environment({ env = [], envFrom = [] }: Container): readonly string[] {
  const sources = envFrom.map(({ prefix, configMapRef, secretRef }) => {
    const [kind, ref] = configMapRef ? ['ConfigMap', configMapRef] : ['Secret', secretRef];
    const words = `${ref?.name}  ${kind}${prefix === undefined ? '' : ` with prefix '${prefix}'`}`;
    return `      ${words}  Optional: ${ref?.optional ?? false}`;
  });
  return [
    ...(sources.length === 0 ? [] : ['    Environment Variables from:', ...sources]),
    ...(env.length === 0
      ? []
      : ['    Environment:', ...env.map((variable) => `      ${variable.name}:  ${valueText(variable)}`)]),
  ];
}

function valueText({ value = '', valueFrom }: EnvVar): string {
  if (!valueFrom) return value;
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  if (fieldRef) return ` (v1:${fieldRef.fieldPath})`;
  if (resourceFieldRef) return ` (${resourceFieldRef.resource})`;
  const [kind, ref] = configMapKeyRef ? ['config map', configMapKeyRef] : ['secret', secretKeyRef];
  return `<set to the key '${ref?.key}' of ${kind} '${ref?.name}'>  Optional: ${ref?.optional ?? false}`;
}

function mounts({ volumeMounts = [] }: Container): readonly string[] {
  if (volumeMounts.length === 0) return [];
  return [
    '    Mounts:',
    ...volumeMounts.map(({ mountPath, name, readOnly, subPath, subPathExpr }) => {
      const path = subPath ?? subPathExpr;
      const how = [readOnly ? 'ro' : 'rw', ...(path === undefined ? [] : [`path="${path}"`])];
      return `      ${mountPath} from ${name} (${how.join(',')})`;
    }),
  ];
}

function volume({ name, ...source }: Volume): readonly string[] {
  const rows = (type: string, more: Readonly<Record<string, string | undefined>> = {}) => [
    `  ${name}:`,
    `    Type:       ${type}`,
    ...Object.entries(more).flatMap(([title, text]) =>
      text === undefined ? [] : [`    ${`${title}:`.padEnd(12)}${text}`],
    ),
  ];
  const { emptyDir, hostPath, configMap, secret, persistentVolumeClaim: claim } = source;
  if (emptyDir)
    return rows("EmptyDir (a temporary directory that shares a pod's lifetime)", {
      Medium: emptyDir.medium,
      SizeLimit: emptyDir.sizeLimit,
    });
  if (hostPath) return rows('HostPath (bare host directory volume)', { Path: hostPath.path });
  if (configMap)
    return rows('ConfigMap (a volume populated by a ConfigMap)', {
      Name: configMap.name,
      Optional: String(configMap.optional ?? false),
    });
  if (secret)
    return rows('Secret (a volume populated by a Secret)', {
      SecretName: secret.secretName,
      Optional: String(secret.optional ?? false),
    });
  if (claim) return rows('PersistentVolumeClaim', { ClaimName: claim.claimName });
  if (source.projected) return rows('Projected (a volume that contains injected data from multiple sources)');
  return rows('DownwardAPI (a volume populated by information about the pod)');
}
