import { CAUSES } from '../../model/cause.ts';
import type { Runbooks } from './runbooks.ts';

/** All pages by what somebody comes with: an alert, a failure mode, a cause. `address` makes a link of a page's name. */
export function runbookIndex({ names }: Pick<Runbooks, 'names'>, address: (name: string) => string): string {
  const isMode = (name: string) => /^F\d+$/.test(name);
  const link = (name: string) => `[${name}](${address(name)})`;
  const alerts = names.filter((name) => !isMode(name) && name !== CHECKLIST);
  const modes = names.filter(isMode).map((mode) => {
    const causes = Object.keys(CAUSES).filter((cause) => CAUSES[cause]!.failureMode === mode);
    return `| ${link(mode)} | ${TITLES[mode]} | ${causes.join(', ')} |`;
  });
  return [
    '# Runbooks',
    '',
    'One for each alert in `rules/` and one for each failure mode, with its causes. A running collector serves them at `/runbooks/<name>?namespace=&pod=`, with the evidence it has, the names filled in and the queries already run. The name of a cause leads to its failure mode: `/runbooks/MissingConfig`.',
    '',
    `More than one person needed? The ${link(CHECKLIST)}.`,
    '',
    '## By failure mode',
    '',
    '| | what you see | causes |',
    '| --- | --- | --- |',
    ...modes,
    '',
    '## By alert',
    '',
    ...alerts.map((name) => `- ${link(name)}`),
    '',
  ].join('\n');
}

const CHECKLIST = 'IncidentChecklist';

/** What somebody sees who does not know the cause yet. */
const TITLES: Readonly<Record<string, string>> = {
  F1: 'CrashLoopBackOff: it does not stay up',
  F2: 'OOMKilled: killed for memory',
  F3: 'ImagePullBackOff: its image does not come',
  F4: 'running, and not ready',
  F5: 'Evicted by its node',
  F6: 'ContainerCreating: a volume is not mounted',
  F7: 'names do not resolve, connections fail',
  F8: 'certificates, tokens, clocks',
  F9: 'Pending: no node takes it',
  F10: 'restarts of several that follow one',
  F11: 'slow and throttled',
  F12: 'slow to start',
  F13: 'no more processes, threads or open files',
  F14: 'no space, or read-only',
  F15: 'the image does not fit the machine',
  F16: 'Terminating, and stays so',
};
