import type { ProbeResult } from '../../model/life.ts';

/** What a failed probe was answered with, as far as its message tells. */
export type ProbeAnswer =
  /** Nothing took the connection. */
  | { readonly kind: 'refused' }
  /** Connected or not, nothing came in time. */
  | { readonly kind: 'timeout' }
  | { readonly kind: 'status'; readonly status: number }
  /** One side spoke TLS, the other did not. */
  | { readonly kind: 'scheme' }
  /** The probe's own command or named port does not exist. */
  | { readonly kind: 'impossible' }
  | { readonly kind: 'other' };

const WAYS: readonly (readonly [RegExp, ProbeAnswer['kind']])[] = [
  [/couldn't find port|unable to find port|executable file not found/i, 'impossible'],
  [/^\S{0,40}setpriv: failed to execute .{1,200}: (?:No such file|Permission denied)/, 'impossible'],
  [/exec: \S{1,200}: not found|command exited with 127|OCI runtime exec failed/i, 'impossible'],
  [/deadline exceeded|timed out|i\/o timeout|Client\.Timeout/i, 'timeout'],
  [/connection refused|ECONNREFUSED|curl: \(7\) Failed to connect/i, 'refused'],
  [/EPROTO|SSL routines|wrong version number|HTTP response to HTTPS|malformed HTTP|Parse Error/i, 'scheme'],
];
const STATUS = /statuscode: (\d{3})/;

export function probeAnswer({ message, target }: ProbeResult): ProbeAnswer {
  const status = STATUS.exec(message)?.[1];
  if (status !== undefined) return { kind: 'status', status: Number(status) };
  const way = WAYS.find(([pattern]) => pattern.test(message))?.[1] ?? 'other';
  if (
    way === 'other' &&
    target.startsWith('exec ') &&
    /^\S{1,200}: \d{1,5}: \S{1,200}: not found$/.test(message)
  )
    return { kind: 'impossible' };
  return { kind: way } as ProbeAnswer;
}

/**
 * The port of this very pod that a probe's command could not reach, by its own words:
 * `curl: (7) Failed to connect to 127.0.0.1 port 9000 after 0 ms`, `dial tcp [::1]:50051: connect: connection refused`.
 */
export function refusedPort({ message, target }: ProbeResult): number | undefined {
  if (!target.startsWith('exec ') || !COMMAND_REFUSED.test(message)) return undefined;
  const port = /(?:localhost|127\.0\.0\.1|\[::1\]|\b::1|0\.0\.0\.0)(?::| port |, port |\/)(\d{1,5})\b/.exec(
    message,
  )?.[1];
  return port === undefined ? undefined : Number(port);
}
const COMMAND_REFUSED = /connection refused|ECONNREFUSED|Failed to connect to|Couldn't connect/i;

// Nobody is at that path, or not for this question; 401 and 403: the probe has no credentials to show.
const WRONG_PATH: readonly number[] = [400, 401, 403, 404, 405, 406, 410, 414, 426];

/** An answer that a probe gets for asking the wrong question, by a program that is well. */
export const isMisaddressed = (answer: ProbeAnswer): boolean =>
  answer.kind === 'impossible' ||
  answer.kind === 'scheme' ||
  (answer.kind === 'status' && WRONG_PATH.includes(answer.status));

/** What the answer shows to be wrong in the probe, in words. */
export function misaddressedWords(answer: ProbeAnswer, target: string): string {
  const path = /^GET \w+:\/\/[^/]{1,300}(\/\S{0,200})/.exec(target)?.[1] ?? 'what it asks';
  if (answer.kind === 'scheme') return 'one of the two speaks TLS and the other does not (scheme)';
  if (answer.kind === 'impossible') return 'the command or port it names does not exist in the container';
  if (answer.kind === 'status' && (answer.status === 401 || answer.status === 403))
    return `the program asks for credentials at ${path}, and the probe shows none`;
  if (answer.kind === 'status')
    return `the program answers ${answer.status} at ${path}: it does not know that path`;
  return 'it asks something the program does not answer';
}
