import { CodedError } from '../../../util/coded-error.ts';
import { checkFields, isRecord } from './field-check.ts';
import { KUBERNETES_KINDS } from './generated/kubernetes-fields.ts';
import { HONOURED_RESOURCES, isUnhonoured } from './honoured-fields.ts';
import type { ManifestObject } from './manifest-object.ts';
import { nearestName } from './nearest-name.ts';
import { type CheckedObject, OBJECT_KINDS } from './object-validation.ts';
import { type Path, type Problem, printPath, printProblem, startsWith } from './problem.ts';
import { readYaml } from './yaml-documents.ts';

export interface ManifestFile {
  readonly path: string;
  readonly text: string;
}

export interface ParsedManifests {
  readonly objects: readonly ManifestObject[];
  /** What is accepted but not honoured, each with its place. */
  readonly warnings: readonly string[];
}

const MOST_OBJECTS = 1000;
const MOST_PROBLEMS = 100;
const LONGEST_MESSAGE_NAME = 253;

/**
 * Reads Kubernetes manifests: v1 Pod, Service, ConfigMap, Secret, List, apps/v1 Deployment, StatefulSet, DaemonSet,
 * batch/v1 Job and CronJob, in multi-document YAML or JSON. What is returned is checked, has the API's defaults, and is safe to apply.
 *
 * @throws CodedError `MANIFEST_INVALID` with every problem found, one a line: file:line, path, value, what is allowed.
 */
export function parseManifests(files: readonly ManifestFile[]): ParsedManifests {
  const objects: ManifestObject[] = [];
  const problems: string[] = [];
  const warnings: string[] = [];
  const seen = new Map<string, string>();
  for (const file of files) {
    const { documents, errors } = readYaml(file.text);
    for (const { line, message } of errors) problems.push(`${file.path}:${line}: ${message}`);
    for (const document of documents) {
      const at = (path: Path) => `${file.path}:${document.lineOf(path)}`;
      for (const { value, path } of itemsOf(document.value, [])) {
        const item = readObject(value, file.path);
        for (const problem of item.problems) {
          const full = { ...problem, path: [...path, ...problem.path] };
          problems.push(`${at(full.path)}: ${printProblem(full)}`);
        }
        for (const warning of item.warnings)
          warnings.push(`${at([...path, ...warning.path])}: ${warning.message}`);
        if (!item.object) continue;
        const { kind, metadata } = item.object;
        const key = `${kind} ${metadata.namespace}/${metadata.name}`;
        const before = seen.get(key);
        if (before !== undefined)
          problems.push(`${at([...path, 'metadata', 'name'])}: ${key}: duplicate, first at ${before}`);
        else seen.set(key, at([...path, 'metadata', 'name']));
        objects.push(item.object);
      }
    }
  }
  if (objects.length > MOST_OBJECTS) problems.push(`more than ${MOST_OBJECTS} objects; split them`);
  if (objects.length + problems.length + warnings.length === 0) {
    problems.push(`${files.map(({ path }) => path).join(', ')}: there is no object in it`);
  }
  if (problems.length > 0) throw invalid(problems);
  return { objects, warnings };
}

function invalid(problems: readonly string[]): CodedError {
  const shown = problems.slice(0, MOST_PROBLEMS);
  const rest = problems.length - shown.length;
  const text = [...shown, ...(rest > 0 ? [`… and ${rest} more problems`] : [])].join('\n');
  return new CodedError('MANIFEST_INVALID', text, { status: 422 });
}

/** The objects of a document: itself, or the items of a List. */
function* itemsOf(value: unknown, path: Path): Generator<{ readonly value: unknown; readonly path: Path }> {
  if (isRecord(value) && value.kind === 'List' && value.apiVersion === 'v1' && Array.isArray(value.items)) {
    for (const [index, item] of value.items.entries()) yield { value: item, path: [...path, 'items', index] };
  } else yield { value, path };
}

interface ReadObject {
  readonly object?: ManifestObject;
  readonly problems: readonly Problem[];
  readonly warnings: readonly { readonly path: Path; readonly message: string }[];
}

function readObject(value: unknown, file: string): ReadObject {
  if (!isRecord(value)) {
    return {
      problems: [{ path: [], value, message: 'must be a Kubernetes object with apiVersion and kind' }],
      warnings: [],
    };
  }
  const kind = value.kind;
  const known =
    typeof kind === 'string' && Object.hasOwn(OBJECT_KINDS, kind)
      ? (kind as ManifestObject['kind'])
      : undefined;
  if (known === undefined || value.apiVersion !== OBJECT_KINDS[known].apiVersion)
    return readUnknown(value, known);
  return checkObject(value, known, file);
}

function checkObject(
  value: Readonly<Record<string, unknown>>,
  kind: ManifestObject['kind'],
  file: string,
): ReadObject {
  const { type, check, body, warnings: warn } = OBJECT_KINDS[kind];
  const problems: Problem[] = [];
  const warnings: { path: Path; message: string }[] = [];
  const unhonoured: Path[] = [];
  const checked = checkFields(
    value,
    type,
    [],
    (problem) => problems.push(problem),
    (owner, field, item, path) => {
      for (const ignored of unhonouredIn(owner, field, item, path)) {
        if (unhonoured.some((above) => startsWith(ignored, above))) continue;
        unhonoured.push(ignored);
        warnings.push({
          path: ignored,
          message: `${kind} ${nameOf(value)}: ${printPath(ignored)} is accepted but not honoured yet`,
        });
      }
    },
  ) as CheckedObject;
  // Where a field is missing or of the wrong type, the rest cannot be judged.
  if (!problems.some(({ structural }) => structural)) check(checked, (problem) => problems.push(problem));
  if (problems.length > 0)
    return { problems: kind === 'Secret' ? problems.map(withoutValue) : problems, warnings };
  for (const { path, message } of warn?.(checked) ?? [])
    warnings.push({ path, message: `${kind} ${nameOf(value)}: ${printPath(path)}: ${message}` });
  const { name, namespace: own = 'default', labels, annotations } = checked.metadata!;
  const namespace = OBJECT_KINDS[kind].clusterScoped ? 'default' : own;
  const metadata = { name: name!, namespace, ...(labels && { labels }), ...(annotations && { annotations }) };
  return { object: { file, kind, metadata, ...body(checked) } as ManifestObject, problems, warnings };
}

const withoutValue = ({ path, message }: Problem): Problem => ({ path, message });

function* unhonouredIn(type: string, field: string, value: unknown, path: Path): Generator<Path> {
  if (isUnhonoured(type, field, value)) yield path;
  if (type !== 'V1ResourceRequirements' || !isRecord(value)) return;
  for (const name of Object.keys(value)) if (!HONOURED_RESOURCES.includes(name)) yield [...path, name];
}

function nameOf(value: Readonly<Record<string, unknown>>): string {
  const metadata = isRecord(value.metadata) ? value.metadata : {};
  return `${metadata.namespace ?? 'default'}/${metadata.name ?? '?'}`.slice(0, LONGEST_MESSAGE_NAME);
}

/** A kind we do not run: a warning if Kubernetes or one of its extensions has it, else a mistake. */
function readUnknown(
  value: Readonly<Record<string, unknown>>,
  known: ManifestObject['kind'] | undefined,
): ReadObject {
  const { apiVersion, kind } = value;
  const problem = (path: Path, found: unknown, message: string): ReadObject => ({
    problems: [{ path, value: found, message }],
    warnings: [],
  });
  if (typeof kind !== 'string' || kind === '') return problem(['kind'], kind, 'required, but missing');
  if (typeof apiVersion !== 'string' || apiVersion === '') {
    return problem(['apiVersion'], apiVersion, 'required, but missing');
  }
  if (known)
    return problem(['apiVersion'], apiVersion, `must be ${OBJECT_KINDS[known].apiVersion} for a ${known}`);
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0]! : '';
  const custom = group.includes('.') && !group.endsWith('.k8s.io');
  if (custom || KUBERNETES_KINDS.includes(kind)) {
    const message = `${kind} ${nameOf(value)}: this kind is accepted but not honoured yet`;
    return { problems: [], warnings: [{ path: ['kind'], message }] };
  }
  const near = nearestName(kind, [...Object.keys(OBJECT_KINDS), ...KUBERNETES_KINDS]);
  const hint =
    near === undefined
      ? `; use one of ${Object.keys(OBJECT_KINDS).join(', ')}, List`
      : `; did you mean ${near}?`;
  return problem(['kind'], kind, `Kubernetes has no such kind${hint}`);
}
