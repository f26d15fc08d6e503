import { exitFact, lastLogFacts, ofLife, oomCounterFact } from '../citation.ts';
import { signalOf } from '../death.ts';
import type { FailureOf } from '../failure.ts';
import { describePod, podEvents } from '../next-step.ts';
import { senderFacts, senderWords } from '../signal-sender.ts';
import { signalName } from '../words.ts';

const SIGKILL = 9;

/**
 * A signal ended it that nobody podvitals knows of sent. A SIGKILL with the OOM counter at rest is no OOM kill; where
 * the counter could not be read it stays open (`Unknown`), and the verdict says so.
 */
export const terminatedBySignal: FailureOf = (death) => {
  const { life } = death;
  const signal = signalOf(death);
  if (signal === undefined || life.killRequest !== null) return undefined;
  const counter = oomCounterFact(death);
  const name = signalName(signal);
  const { sender } = life;
  const open = signal === SIGKILL && counter === undefined && !sender;
  const refuted = signal === SIGKILL && !open ? ' It was no OOM kill: the kernel counted none.' : '';
  return {
    cause: open ? 'Unknown' : 'TerminatedBySignal',
    confidence: open ? 'unknown' : 'likely',
    summary: open
      ? `Container ${life.container} was killed by ${name} and nothing says by whom: what is missing is the kernel's OOM counter, which could not be read here.`
      : `Container ${life.container} was ended by ${name} (exit code ${life.exitCode}), sent by ${sender ? senderWords(sender) : 'someone podvitals does not know: a process in the pod, or somebody on the node'}; no probe, deletion or rollout asked for it.${refuted}`,
    evidence: [
      exitFact(death),
      ...senderFacts(death),
      ofLife(death, 'no probe, deletion, rollout or eviction asked for this kill'),
      ...(counter ? [counter] : []),
      ...lastLogFacts(death).slice(-1),
    ],
    next: [
      podEvents(life.pod, 'see what happened around that time'),
      describePod(life.pod, 'see limits, probes and the state of the other containers'),
    ],
  };
};
