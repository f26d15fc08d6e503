import { isAbsolute } from 'node:path/posix';
import type { Container, EnvVar, Probe, Volume } from '../../../model/kubernetes.ts';
import { portOf, probeOf } from '../prober/probe.ts';
import { HOST_IMAGE, imageOf } from '../spec/container-config.ts';
import { isEnvName } from '../spec/env.ts';
import { FIELD_PATHS, isFieldPath, RESOURCE_FIELDS } from '../spec/field-ref.ts';
import { parseQuantity } from '../spec/quantity.ts';
import { checkLifecycle } from './lifecycle-validation.ts';
import { CONFIG_KEY, checkName, DNS_LABEL, DNS_SUBDOMAIN, PORT_NAME } from './names.ts';
import { nearestName } from './nearest-name.ts';
import type { Path, Report } from './problem.ts';
import { atLeast, checkRelative, exactlyOne, oneOf } from './rules.ts';
import { checkContainerSecurity } from './security-validation.ts';

interface Place {
  readonly init: boolean;
  /** The name of the pod's system, where it says so. */
  readonly os?: string;
  readonly volumes: readonly Volume[];
  readonly path: Path;
  readonly report: Report;
}

const LARGEST_PORT = 65_535;
const PROBES = ['liveness', 'readiness', 'startup'] as const;

export function checkContainer(container: Container, place: Place): void {
  const { path, report } = place;
  checkName(container.name, DNS_LABEL, [...path, 'name'], report);
  oneOf(container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never'], [...path, 'imagePullPolicy'], report);
  checkCommand(container, path, report);
  checkRestartPolicy(container, place);
  checkPorts(container, [...path, 'ports'], report);
  for (const [index, variable] of (container.env ?? []).entries())
    checkEnv(variable, [...path, 'env', index], report);
  for (const [index, source] of (container.envFrom ?? []).entries()) {
    exactlyOne(source, ['configMapRef', 'secretRef'], [...path, 'envFrom', index], report);
    for (const kind of ['configMapRef', 'secretRef'] as const) {
      if (source[kind]) checkReference(source[kind].name, [...path, 'envFrom', index, kind, 'name'], report);
    }
  }
  checkResources(container, [...path, 'resources'], report);
  checkMounts(container, place);
  checkContainerSecurity(container.securityContext, [...path, 'securityContext'], report);
  checkLifecycle(container, place, [...path, 'lifecycle'], report);
  oneOf(
    container.terminationMessagePolicy,
    ['File', 'FallbackToLogsOnError'],
    [...path, 'terminationMessagePolicy'],
    report,
  );
  const message = container.terminationMessagePath;
  if (message !== undefined && !isAbsolute(message))
    report({
      path: [...path, 'terminationMessagePath'],
      value: message,
      message: 'must be an absolute path',
    });
  for (const kind of PROBES) {
    const probe = probeOf(container, kind);
    if (probe) checkProbe(probe, kind, container, [...path, `${kind}Probe`], report);
  }
}

function checkCommand(container: Container, path: Path, report: Report): void {
  if (imageOf(container) === HOST_IMAGE && (container.command ?? []).length === 0) {
    report({
      path: [...path, 'command'],
      message:
        'required, as the image host (or none) has no command of its own; write the program and its arguments as a list',
    });
  }
  if (container.workingDir !== undefined && !isAbsolute(container.workingDir)) {
    report({
      path: [...path, 'workingDir'],
      value: container.workingDir,
      message: 'must be an absolute path',
    });
  }
}

function checkRestartPolicy(container: Container, { init, path, report }: Place): void {
  if (container.restartPolicy !== undefined) {
    if (!init) {
      report({
        path: [...path, 'restartPolicy'],
        value: container.restartPolicy,
        message: "only init containers may have one; set the pod's",
      });
    } else oneOf(container.restartPolicy, ['Always'], [...path, 'restartPolicy'], report);
  }
  if (!init || container.restartPolicy === 'Always') return;
  for (const kind of PROBES) {
    if (probeOf(container, kind)) {
      report({
        path: [...path, `${kind}Probe`],
        message: 'init containers may have probes only with restartPolicy: Always',
      });
    }
  }
}

function checkPorts(container: Container, path: Path, report: Report): void {
  const names = new Set<string>();
  for (const [index, port] of (container.ports ?? []).entries()) {
    const place = [...path, index];
    checkPort(port.containerPort, [...place, 'containerPort'], report);
    oneOf(port.protocol, ['TCP', 'UDP', 'SCTP'], [...place, 'protocol'], report);
    if (port.name === undefined) continue;
    checkName(port.name, PORT_NAME, [...place, 'name'], report);
    if (names.has(port.name)) {
      report({
        path: [...place, 'name'],
        value: port.name,
        message: 'duplicate: another port has this name',
      });
    }
    names.add(port.name);
  }
}

function checkPort(port: number, path: Path, report: Report): void {
  if (port < 1 || port > LARGEST_PORT)
    report({ path, value: port, message: `must be a port from 1 to ${LARGEST_PORT}` });
}

function checkReference(name: string | undefined, path: Path, report: Report): void {
  // The API's description calls names of references optional; without one there is nothing to refer to.
  if (name === undefined) report({ path, message: 'required, but missing' });
  else checkName(name, DNS_SUBDOMAIN, path, report);
}

function checkEnv(variable: EnvVar, path: Path, report: Report): void {
  if (!isEnvName(variable.name)) {
    report({
      path: [...path, 'name'],
      value: variable.name,
      message: 'must be printable ASCII without =, and not empty',
    });
  }
  const from = variable.valueFrom;
  if (from === undefined) return;
  const place = [...path, 'valueFrom'];
  if (variable.value !== undefined && variable.value !== '') {
    report({ path: place, message: 'may not be set together with value' });
  }
  exactlyOne(from, ['configMapKeyRef', 'secretKeyRef', 'fieldRef', 'resourceFieldRef'], place, report);
  for (const kind of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const ref = from[kind];
    if (!ref) continue;
    checkReference(ref.name, [...place, kind, 'name'], report);
    checkName(ref.key, CONFIG_KEY, [...place, kind, 'key'], report);
  }
  const fieldPath = from.fieldRef?.fieldPath;
  if (fieldPath !== undefined && !isFieldPath(fieldPath)) {
    const near = nearestName(fieldPath, FIELD_PATHS);
    const hint = near === undefined ? '' : `; did you mean ${near}?`;
    report({
      path: [...place, 'fieldRef', 'fieldPath'],
      value: fieldPath,
      message: `must be one of ${FIELD_PATHS.join(', ')}${hint}`,
    });
  }
  const resource = from.resourceFieldRef;
  oneOf(resource?.resource, RESOURCE_FIELDS, [...place, 'resourceFieldRef', 'resource'], report);
  if (resource?.divisor !== undefined)
    checkQuantity(resource.divisor, [...place, 'resourceFieldRef', 'divisor'], report);
}

function checkQuantity(text: string, path: Path, report: Report): number | undefined {
  const value = parseQuantity(text);
  if (value === undefined) {
    report({
      path,
      value: text,
      message:
        'must be a quantity: a number, with a suffix such as m, k, M, G, Ki, Mi, Gi if need be (100m, 64Mi)',
    });
  } else if (value < 0) report({ path, value: text, message: 'must be at least 0' });
  return value;
}

function checkResources(container: Container, path: Path, report: Report): void {
  const { limits = {}, requests = {} } = container.resources ?? {};
  for (const [name, text] of Object.entries(limits)) checkQuantity(text, [...path, 'limits', name], report);
  for (const [name, text] of Object.entries(requests)) {
    const request = checkQuantity(text, [...path, 'requests', name], report);
    const limit = Object.hasOwn(limits, name) ? parseQuantity(limits[name]!) : undefined;
    if (request !== undefined && limit !== undefined && request > limit) {
      report({
        path: [...path, 'requests', name],
        value: text,
        message: `must be at most the limit, ${limits[name]}`,
      });
    }
  }
}

function checkMounts(container: Container, { volumes, path, report }: Place): void {
  const targets = new Set<string>();
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const place = [...path, 'volumeMounts', index];
    if (!volumes.some(({ name }) => name === mount.name)) {
      const near = nearestName(
        mount.name,
        volumes.map(({ name }) => name),
      );
      const hint = near === undefined ? '; add it to spec.volumes' : `; did you mean ${near}?`;
      report({
        path: [...place, 'name'],
        value: mount.name,
        message: `there is no volume of this name${hint}`,
      });
    }
    if (!isAbsolute(mount.mountPath) || mount.mountPath.includes(':')) {
      report({
        path: [...place, 'mountPath'],
        value: mount.mountPath,
        message: 'must be an absolute path without :',
      });
    }
    if (targets.has(mount.mountPath)) {
      report({
        path: [...place, 'mountPath'],
        value: mount.mountPath,
        message: 'duplicate: something else is mounted there',
      });
    }
    targets.add(mount.mountPath);
    if (mount.subPath !== undefined) checkRelative(mount.subPath, [...place, 'subPath'], report);
    if (mount.subPathExpr === undefined) continue;
    checkRelative(mount.subPathExpr, [...place, 'subPathExpr'], report);
    if (mount.subPath !== undefined)
      report({ path: [...place, 'subPathExpr'], message: 'may not be set together with subPath' });
  }
}

function checkProbe(
  probe: Probe,
  kind: (typeof PROBES)[number],
  container: Container,
  path: Path,
  report: Report,
): void {
  exactlyOne(probe, ['exec', 'httpGet', 'tcpSocket', 'grpc'], path, report);
  if (probe.grpc) checkPort(probe.grpc.port, [...path, 'grpc', 'port'], report);
  atLeast(probe.initialDelaySeconds, 0, [...path, 'initialDelaySeconds'], report);
  for (const field of ['timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const) {
    atLeast(probe[field], 1, [...path, field], report);
  }
  atLeast(probe.terminationGracePeriodSeconds, 1, [...path, 'terminationGracePeriodSeconds'], report);
  if (kind !== 'readiness' && (probe.successThreshold ?? 1) > 1) {
    report({
      path: [...path, 'successThreshold'],
      value: probe.successThreshold,
      message: `must be 1 for a ${kind} probe`,
    });
  }
  if (kind === 'readiness' && probe.terminationGracePeriodSeconds !== undefined) {
    report({
      path: [...path, 'terminationGracePeriodSeconds'],
      message: 'may not be set for a readiness probe: it kills nothing',
    });
  }
  if (probe.exec && (probe.exec.command ?? []).length === 0) {
    report({ path: [...path, 'exec', 'command'], message: 'required, but missing' });
  }
  oneOf(probe.httpGet?.scheme, ['HTTP', 'HTTPS'], [...path, 'httpGet', 'scheme'], report);
  for (const field of ['httpGet', 'tcpSocket'] as const) {
    const port = probe[field]?.port;
    if (typeof port === 'number') checkPort(port, [...path, field, 'port'], report);
    else if (port !== undefined && portOf(port, container) === undefined) {
      const names = (container.ports ?? []).flatMap(({ name }) => name ?? []);
      const known =
        names.length === 0 ? 'the container names no port' : `the container has ${names.join(', ')}`;
      report({
        path: [...path, field, 'port'],
        value: port,
        message: `there is no port of this name; ${known}`,
      });
    }
  }
}
