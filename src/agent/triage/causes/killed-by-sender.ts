import type { Evidence } from '../../../model/evidence.ts';
import type { SignalSender } from '../../../model/life.ts';
import { exitFact, oomCounterFact } from '../citation.ts';
import { type Death, signalOf } from '../death.ts';
import type { FailureOf } from '../failure.ts';
import { currentLog, describePod, podEvents } from '../next-step.ts';
import { senderFacts, senderWords } from '../signal-sender.ts';
import { signalName } from '../words.ts';

/**
 * Another process sent the signal, and the kernel's trace says which. A process that signals itself, or a parent its
 * child, as timeout(1) does, is a way of the program's own to end.
 */
export const killedBySender: FailureOf = (death) => {
  const { life } = death;
  const { sender } = life;
  if (!sender || life.killRequest !== null || sender.place === 'itself' || sender.place === 'parent')
    return undefined;
  const bySignal = signalOf(death) === sender.signal;
  const name = signalName(sender.signal);
  const counter: Evidence | undefined = sender.signal === 9 ? oomCounterFact(death) : undefined;
  return {
    cause: causeBy(sender),
    confidence: bySignal ? 'certain' : 'likely',
    summary: `Container ${life.container} ${bySignal ? `was ended by ${name}` : `ended with code ${life.exitCode} after ${name}`}, sent by ${senderWords(sender)}${counter ? '; it was no OOM kill' : ''}.`,
    evidence: [exitFact(death), ...senderFacts(death), ...(counter ? [counter] : [])],
    next: nextSteps(death, sender),
  };
};

function causeBy({ place, user }: SignalSender): string {
  if (place === 'pod' || place === 'container') return 'KilledBySibling';
  if (place === 'exec') return 'KilledByUser';
  return place === 'node' && user !== undefined ? 'KilledByUser' : 'TerminatedBySignal';
}

function nextSteps({ life: { pod, container } }: Death, sender: SignalSender) {
  const at = podEvents(pod, 'see what happened around that time');
  if (sender.place === 'pod')
    return [currentLog(pod, sender.container!), describePod(pod, 'see what that container runs'), at];
  if (sender.place === 'container')
    return [currentLog(pod, container), describePod(pod, 'see what its command starts'), at];
  if (sender.place === 'exec') return [at];
  return [
    {
      command: `ps -o pid,ppid,lstart,args -p ${sender.pid}`,
      why: `see on node ${pod.node} what it is, if it still runs`,
    },
    at,
  ];
}
