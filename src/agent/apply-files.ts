import { dirname } from 'node:path';
import type { VolumeClaimTemplate } from '../model/kubernetes-workload.ts';
import { CodedError } from '../util/coded-error.ts';
import type { ApplyOutcome, ManifestFile } from './api/objects.ts';
import { type ManifestObject, podSpecOf } from './pod/manifest/manifest-object.ts';
import { parseManifests } from './pod/manifest/parse-manifests.ts';
import type { PodManager } from './pod/pod-manager.ts';
import type { Enforcement } from './pod/runtime/runtime.ts';
import { needsAddress } from './pod/service/service-publisher.ts';
import { askedInVain } from './pod/spec/unenforced.ts';
import type { KnownSecrets } from './redaction/known-secrets.ts';

const TARGET_PORT = 'Service.spec.ports.targetPort';
const CLAIM_SIZE = 'volumeClaimTemplates.resources.requests.storage';

/** Parses and applies manifests; each file's folder is where its host containers start. */
export async function applyFiles(
  manager: PodManager,
  secrets: Pick<KnownSecrets, 'learn'>,
  enforcement: Enforcement,
  files: readonly ManifestFile[],
  create: boolean,
): Promise<ApplyOutcome> {
  const { objects, warnings } = parseManifests(files);
  for (const { file, kind, metadata } of create ? objects : []) {
    if (!manager.get(kind, metadata.namespace, metadata.name)) continue;
    throw new CodedError(
      'ALREADY_EXISTS',
      `${file}: ${kind.toLowerCase()} "${metadata.name}" already exists in namespace ${metadata.namespace}; podvitals apply -f changes it`,
      { status: 409 },
    );
  }
  secrets.learn(objects);
  const applied = [];
  for (const { path } of files) {
    const own = objects.filter((object) => object.file === path);
    applied.push(...(await manager.apply(own, { folder: dirname(path) })));
  }
  return { objects: applied, warnings: [...warnings, ...unenforcedWarnings(objects, enforcement)] };
}

/** What these objects ask for and do not get on this host. */
function unenforcedWarnings(objects: readonly ManifestObject[], { level, notEnforced }: Enforcement) {
  return objects.flatMap((object) => {
    const fields = askedFor(object, notEnforced);
    if (fields.length === 0) return [];
    const { namespace, name } = object.metadata;
    return [
      `${object.file}: ${object.kind} ${namespace}/${name}: not enforced on this host (${level}): ${fields.join(', ')}`,
    ];
  });
}

function askedFor(object: ManifestObject, notEnforced: readonly string[]): readonly string[] {
  if (object.kind === 'Service') {
    if (!notEnforced.includes(TARGET_PORT) || !needsAddress(object)) return [];
    return [`${TARGET_PORT} (its name stands for the pods: connect to their own port)`];
  }
  const spec = podSpecOf(object);
  const sized = object.kind === 'StatefulSet' && (object.spec.volumeClaimTemplates ?? []).some(isSized);
  const claims = sized && notEnforced.includes(CLAIM_SIZE) ? [CLAIM_SIZE] : [];
  return [...claims, ...(spec ? askedInVain(spec, notEnforced) : [])];
}

const isSized = ({ spec }: VolumeClaimTemplate) => spec?.resources?.requests?.storage !== undefined;
