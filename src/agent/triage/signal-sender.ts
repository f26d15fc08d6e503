import type { Evidence } from '../../model/evidence.ts';
import type { SignalSender } from '../../model/life.ts';
import { ofLife } from './citation.ts';
import type { Death } from './death.ts';
import { brief, signalName } from './words.ts';

/** `process kill (pid 812) of container janitor in the same pod`. */
export function senderWords(sender: SignalSender): string {
  const process = `process ${brief(sender.command, 20)} (pid ${sender.pid})`;
  return {
    itself: 'the very process that got it',
    parent: `${process}, which had started the one that got it`,
    container: `${process}, another of the same container`,
    pod: `${process} of container ${sender.container} in the same pod`,
    'other-pod': `${process} of container ${sender.container} of pod ${sender.pod}`,
    exec: `${process} of a command that was run by podvitals exec`,
    node: `${process} of the node, which is of no pod${sender.user === undefined ? '' : `, started by ${brief(sender.user, 40)}`}`,
  }[sender.place];
}

/** Who sent it, as the kernel traced it; nothing where it was not traced. */
export function senderFacts(death: Death): readonly Evidence[] {
  const { sender } = death.life;
  if (!sender) return [];
  const { target } = sender;
  const whom = target.mainProcess
    ? 'its first process'
    : `its process ${brief(target.command, 20)} (pid ${target.pid})`;
  const fact = `the kernel traced ${signalName(sender.signal)} to ${whom}, sent by ${senderWords(sender)}`;
  return [ofLife(death, fact, sender.at)];
}
