import { isAbsolute } from 'node:path/posix';
import type { DownwardFile, KeyToPath, Projection, Volume } from '../../../model/kubernetes.ts';
import { isVolumeFieldPath, RESOURCE_FIELDS, VOLUME_FIELD_PATHS } from '../spec/field-ref.ts';
import { parseQuantity } from '../spec/quantity.ts';
import { HOST_PATH_TYPES } from '../spec/volumes.ts';
import { CONFIG_KEY, checkName, DNS_LABEL, DNS_SUBDOMAIN } from './names.ts';
import type { Path, Report } from './problem.ts';
import { checkRelative, exactlyOne, oneOf } from './rules.ts';

const VOLUME_SOURCES = [
  'emptyDir',
  'hostPath',
  'configMap',
  'secret',
  'downwardAPI',
  'projected',
  'persistentVolumeClaim',
] as const;
const PROJECTIONS = ['configMap', 'secret', 'downwardAPI', 'serviceAccountToken'] as const;

export function checkVolumes(volumes: readonly Volume[], path: Path, report: Report): void {
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
  const { emptyDir, configMap, secret, downwardAPI, projected, persistentVolumeClaim } = volume;
  if (persistentVolumeClaim)
    checkName(
      persistentVolumeClaim.claimName,
      DNS_SUBDOMAIN,
      [...path, 'persistentVolumeClaim', 'claimName'],
      report,
    );
  if (volume.hostPath) checkHostPath(volume.hostPath, [...path, 'hostPath'], report);
  if (emptyDir) {
    const place = [...path, 'emptyDir'];
    oneOf(emptyDir.medium, ['', 'Memory'], [...place, 'medium'], report);
    const size = emptyDir.sizeLimit === undefined ? 0 : parseQuantity(emptyDir.sizeLimit);
    if (size === undefined || size < 0) {
      report({
        path: [...place, 'sizeLimit'],
        value: emptyDir.sizeLimit,
        message: 'must be a quantity of bytes such as 64Mi, at least 0',
      });
    }
  }
  if (configMap) checkObject(configMap.name, 'name', configMap, [...path, 'configMap'], report);
  if (secret) checkObject(secret.secretName, 'secretName', secret, [...path, 'secret'], report);
  if (downwardAPI) {
    checkMode(downwardAPI.defaultMode, [...path, 'downwardAPI', 'defaultMode'], report);
    checkDownward(downwardAPI.items, [...path, 'downwardAPI', 'items'], report);
  }
  if (projected) {
    checkMode(projected.defaultMode, [...path, 'projected', 'defaultMode'], report);
    for (const [index, source] of (projected.sources ?? []).entries())
      checkProjection(source, [...path, 'projected', 'sources', index], report);
  }
}

function checkHostPath(
  { path: hostPath, type }: NonNullable<Volume['hostPath']>,
  place: Path,
  report: Report,
): void {
  if (hostPath.split('/').includes('..'))
    report({ path: [...place, 'path'], value: hostPath, message: 'must not contain ..' });
  if (!isAbsolute(hostPath))
    report({ path: [...place, 'path'], value: hostPath, message: 'must be an absolute path' });
  oneOf(type, HOST_PATH_TYPES, [...place, 'type'], report);
}

function checkProjection(source: Projection, path: Path, report: Report): void {
  exactlyOne(source, PROJECTIONS, path, report);
  for (const kind of ['configMap', 'secret'] as const) {
    const object = source[kind];
    if (object) checkObject(object.name, 'name', object, [...path, kind], report);
  }
  checkDownward(source.downwardAPI?.items, [...path, 'downwardAPI', 'items'], report);
}

interface ObjectFiles {
  readonly items?: readonly KeyToPath[];
  readonly defaultMode?: number;
}

function checkObject(
  name: unknown,
  nameField: string,
  source: ObjectFiles,
  path: Path,
  report: Report,
): void {
  if (typeof name !== 'string') report({ path: [...path, nameField], message: 'required, but missing' });
  else checkName(name, DNS_SUBDOMAIN, [...path, nameField], report);
  checkMode(source.defaultMode, [...path, 'defaultMode'], report);
  for (const [index, item] of (source.items ?? []).entries()) {
    const place = [...path, 'items', index];
    checkName(item.key, CONFIG_KEY, [...place, 'key'], report);
    checkFile(item, place, report);
  }
}

function checkFile(
  { path: file, mode }: { readonly path: string; readonly mode?: number },
  path: Path,
  report: Report,
): void {
  checkMode(mode, [...path, 'mode'], report);
  checkRelative(file, [...path, 'path'], report);
  // Names the links of the volume itself have. Source: core/validation, validateLocalNonReservedPath
  if (file.startsWith('..'))
    report({ path: [...path, 'path'], value: file, message: 'must not begin with ..' });
}

function checkDownward(items: readonly DownwardFile[] | undefined, path: Path, report: Report): void {
  for (const [index, item] of (items ?? []).entries()) {
    const place = [...path, index];
    exactlyOne(item, ['fieldRef', 'resourceFieldRef'], place, report);
    checkFile(item, place, report);
    const fieldPath = item.fieldRef?.fieldPath;
    if (fieldPath !== undefined && !isVolumeFieldPath(fieldPath)) {
      report({
        path: [...place, 'fieldRef', 'fieldPath'],
        value: fieldPath,
        message: `must be one of ${VOLUME_FIELD_PATHS.join(', ')}`,
      });
    }
    const resource = item.resourceFieldRef;
    if (!resource) continue;
    oneOf(resource.resource, RESOURCE_FIELDS, [...place, 'resourceFieldRef', 'resource'], report);
    if (resource.containerName === undefined) {
      report({
        path: [...place, 'resourceFieldRef', 'containerName'],
        message: 'required in a volume, but missing',
      });
    }
  }
}

function checkMode(mode: number | undefined, path: Path, report: Report): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777)) {
    report({ path, value: mode, message: 'must be a file mode from 0 to 0777 (511)' });
  }
}
