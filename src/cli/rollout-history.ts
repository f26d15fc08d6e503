import { InvalidArgumentError } from 'commander';
import type { KubernetesObject } from '../model/kubernetes-object.ts';
import type { ControllerRevision, ReplicaSet } from '../model/kubernetes-workload.ts';
import { CodedError } from '../util/coded-error.ts';
import { templateLines } from './container-text.ts';
import { type ObjectOutput, wholeText } from './object-output.ts';
import { table } from './table.ts';
import { printable } from './terminal.ts';

/** The objects that keep a workload's templates: ReplicaSets of a Deployment, else ControllerRevisions. */
export type KeptRevision = ReplicaSet | ControllerRevision;

const revisionOf = (kept: KeptRevision): number =>
  kept.kind === 'ControllerRevision'
    ? kept.revision
    : Number(kept.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0);

const templateOf = (kept: KeptRevision) =>
  kept.kind === 'ControllerRevision' ? kept.data.spec.template : kept.spec.template;

/** Those of one owner, oldest first. */
export const revisionsOf = (items: readonly KubernetesObject[], ownerUid: string): readonly KeptRevision[] =>
  items
    .filter((item) => item.kind === 'ReplicaSet' || item.kind === 'ControllerRevision')
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === ownerUid))
    .sort((a, b) => revisionOf(a) - revisionOf(b));

/**
 * `rollout history` in kubectl's words: the list, or one revision with its template. Exact words go to programs only.
 *
 * @throws CodedError `REVISION_NOT_FOUND`. Source: kubectl/pkg/cmd/rollout/rollout_history.go, polymorphichelpers/history.go
 */
export function historyText(
  word: string,
  all: readonly KeptRevision[],
  asked: { readonly revision?: number; readonly output?: ObjectOutput; readonly isTty: boolean },
): string {
  const { revision = 0, output, isTty } = asked;
  const shown = revision === 0 ? all : all.filter((kept) => revisionOf(kept) === revision);
  if (shown.length === 0 && revision !== 0) {
    const kept = all.map(revisionOf).join(', ') || 'none';
    throw new CodedError(
      'REVISION_NOT_FOUND',
      `unable to find the specified revision ${revision} of ${word}; kept: ${kept}`,
    );
  }
  if (output) return shown.map((kept) => objectText(kept, output, isTty)).join('');
  if (revision === 0) {
    const rows = shown.map((kept) => [
      String(revisionOf(kept)),
      kept.metadata.annotations?.['kubernetes.io/change-cause'] ?? '<none>',
    ]);
    return `${word}\n${table(['REVISION', 'CHANGE-CAUSE'], rows)}`;
  }
  const lines = templateLines(templateOf(shown[0]!)).map(printable);
  return `${word} with revision #${revision}\n${lines.join('\n')}\n`;
}

function objectText(kept: KeptRevision, output: ObjectOutput, isTty: boolean): string {
  if (output.kind === 'name') return `${kept.kind.toLowerCase()}.apps/${kept.metadata.name}\n`;
  const text = wholeText(output, kept, isTty);
  if (text === undefined)
    throw new InvalidArgumentError('a revision is printed as json, yaml, name or jsonpath');
  return text;
}
