import type { Probe } from '../../../model/kubernetes.ts';
import { type Death, livedMs } from '../death.ts';
import type { FailureOf } from '../failure.ts';
import { portsOf, portWords, probeOf } from '../listening.ts';
import { isMisaddressed, misaddressedWords } from '../probe-answer.ts';
import { isRepeated, type ProbeKill, probeKillOf, probeKillVerdict } from '../probe-kill.ts';

// A program has had its time to listen where it wants to when nothing was heard of that port for so long.
const LONG_ENOUGH_MS = 60_000;

/**
 * The probe asks the wrong port, path, scheme or command: the program is well, or at least nobody knows. Refuted by
 * any good answer in this life. A wrong startup probe has this name, too, where the liveness probe asks the same.
 */
export const livenessProbeWrong: FailureOf = (death) => {
  const kill = probeKillOf(death);
  if (!kill || kill.successes.length > 0 || kill.late.length > 0) return undefined;
  const why = wrongIn(death, kill);
  if (why === undefined) return undefined;
  const cause = causeOf(death, kill);
  return probeKillVerdict(death, kill, {
    cause,
    confidence: isRepeated(death, cause) || kill.answer.kind === 'impossible' ? 'certain' : 'likely',
    why,
    remedy: `correct what the ${kill.kind} probe asks: path, port or scheme`,
  });
};

function wrongIn(death: Death, { answer, match, port, last, heard }: ProbeKill): string | undefined {
  if (isMisaddressed(answer)) return misaddressedWords(answer, last?.target ?? '');
  if (answer.kind === 'other' && last !== undefined && /: EOF$/.test(last.message))
    return 'the program closes the connection at once, as one that speaks TLS does when it is asked without (scheme)';
  if (answer.kind !== 'refused') return undefined;
  if (match === 'nothing-there')
    return `nothing listens on port ${port}, the pod listens on ${portWords(portsOf(heard?.listening ?? []))}`;
  if (match === 'loopback-only')
    return `port ${port} is open on the loopback address only, where a probe cannot reach it`;
  if (livedMs(death) < LONG_ENOUGH_MS || port === undefined) return undefined;
  return `nothing ever listened on port ${port}`;
}

function causeOf({ spec }: Death, { kind }: ProbeKill): string {
  if (kind === 'liveness') return 'LivenessProbeWrong';
  const [startup, liveness] = [probeOf(spec, 'startup'), probeOf(spec, 'liveness')];
  return liveness !== undefined && questionOf(startup) === questionOf(liveness)
    ? 'LivenessProbeWrong'
    : 'StartupProbeWrong';
}

const questionOf = (probe: Probe | undefined) =>
  JSON.stringify([probe?.httpGet, probe?.tcpSocket, probe?.exec]);
