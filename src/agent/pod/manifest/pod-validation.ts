import { isAbsolute } from 'node:path/posix';
import type { Container, PodSpec, Volume } from '../../../model/kubernetes.ts';
import { HOST_PATH_TYPES } from '../spec/volumes.ts';
import { checkContainer } from './container-validation.ts';
import { CONFIG_KEY, checkName, DNS_LABEL, DNS_SUBDOMAIN } from './names.ts';
import type { Path, Report } from './problem.ts';
import { atLeast, checkRelative, exactlyOne, oneOf } from './rules.ts';

const VOLUME_SOURCES = ['emptyDir', 'hostPath', 'configMap', 'secret'] as const;

/** What the field types do not say about a pod. Source: kubernetes/pkg/apis/core/validation/validation.go */
export function checkPodSpec(spec: PodSpec, path: Path, report: Report): void {
  oneOf(spec.restartPolicy, ['Always', 'OnFailure', 'Never'], [...path, 'restartPolicy'], report);
  atLeast(spec.terminationGracePeriodSeconds, 0, [...path, 'terminationGracePeriodSeconds'], report);
  atLeast(spec.activeDeadlineSeconds, 1, [...path, 'activeDeadlineSeconds'], report);
  if (spec.hostname !== undefined) checkName(spec.hostname, DNS_LABEL, [...path, 'hostname'], report);
  if (spec.containers.length === 0) {
    report({ path: [...path, 'containers'], message: 'a pod needs at least one container' });
  }
  checkVolumes(spec.volumes ?? [], [...path, 'volumes'], report);
  const names = new Set<string>();
  const each = (list: readonly Container[], field: string, init: boolean) => {
    for (const [index, container] of list.entries()) {
      const place = [...path, field, index];
      if (names.has(container.name)) {
        report({
          path: [...place, 'name'],
          value: container.name,
          message: 'duplicate: another container has this name',
        });
      }
      names.add(container.name);
      checkContainer(container, { init, volumes: spec.volumes ?? [], path: place, report });
    }
  };
  each(spec.initContainers ?? [], 'initContainers', true);
  each(spec.containers, 'containers', false);
}

function checkVolumes(volumes: readonly Volume[], path: Path, report: Report): void {
  const names = new Set<string>();
  for (const [index, volume] of volumes.entries()) {
    const place = [...path, index];
    checkName(volume.name, DNS_LABEL, [...place, 'name'], report);
    if (names.has(volume.name)) {
      report({
        path: [...place, 'name'],
        value: volume.name,
        message: 'duplicate: another volume has this name',
      });
    }
    names.add(volume.name);
    const other = Object.keys(volume).find(
      (field) => field !== 'name' && !VOLUME_SOURCES.includes(field as never),
    );
    if (other !== undefined) {
      report({
        path: [...place, other],
        message: `this kind of volume is not supported; use one of ${VOLUME_SOURCES.join(', ')}`,
      });
    } else exactlyOne(volume, VOLUME_SOURCES, place, report);
    checkSource(volume, place, report);
  }
}

function checkSource(volume: Volume, path: Path, report: Report): void {
  if (volume.hostPath) {
    const place = [...path, 'hostPath'];
    if (volume.hostPath.path.split('/').includes('..')) {
      report({ path: [...place, 'path'], value: volume.hostPath.path, message: 'must not contain ..' });
    }
    if (!isAbsolute(volume.hostPath.path)) {
      report({ path: [...place, 'path'], value: volume.hostPath.path, message: 'must be an absolute path' });
    }
    oneOf(volume.hostPath.type, HOST_PATH_TYPES, [...place, 'type'], report);
  }
  for (const [kind, nameField] of [
    ['configMap', 'name'],
    ['secret', 'secretName'],
  ] as const) {
    const source = volume[kind] as { readonly [field: string]: unknown } & Volume['secret'];
    if (source === undefined) continue;
    const place = [...path, kind];
    const name = source[nameField];
    if (typeof name !== 'string') report({ path: [...place, nameField], message: 'required, but missing' });
    else checkName(name, DNS_SUBDOMAIN, [...place, nameField], report);
    checkMode(source.defaultMode, [...place, 'defaultMode'], report);
    for (const [index, item] of (source.items ?? []).entries()) {
      const itemPlace = [...place, 'items', index];
      checkName(item.key, CONFIG_KEY, [...itemPlace, 'key'], report);
      checkMode(item.mode, [...itemPlace, 'mode'], report);
      checkRelative(item.path, [...itemPlace, 'path'], report);
    }
  }
}

function checkMode(mode: number | undefined, path: Path, report: Report): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777)) {
    report({ path, value: mode, message: 'must be a file mode from 0 to 0777 (511)' });
  }
}
