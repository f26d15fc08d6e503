import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Clock } from '../../../util/clock.ts';
import { request as httpRequest } from '../../../util/node-http.ts';

/** How a request ended; `error` is worded as Go's dialer has it, which is what users of the kubelet know. */
export type HttpAnswer =
  | { readonly status: number; readonly body: string; readonly redirectedAway: boolean }
  | { readonly error: string };

export interface HttpQuestion {
  readonly url: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly timeoutMs: number;
}

/** Told once when an answer comes after the time-out: how long it took in all. */
export type OnLateAnswer = (answer: HttpAnswer, tookMs: number) => void;

// Source: kubernetes/pkg/probe/http/http.go (maxRespBodyLength), net/http Client (ten redirects)
const LONGEST_BODY = 10 * 1024;
const MOST_REDIRECTS = 10;
/** How long after its time-out an answer is still waited for: a slow program answers then, a hung one never. */
const LATE_MS = 10_000;

/**
 * GETs like the kubelet: follows redirects on the same host, takes one to another host for an answer, checks no
 * certificate, reads at most 10 KiB. With `onLate` the connection stays open past the time-out, which changes nothing
 * in the answer, to learn whether one comes at all.
 */
export async function askHttp(
  question: HttpQuestion,
  clock: Clock,
  signal: AbortSignal,
  onLate?: OnLateAnswer,
): Promise<HttpAnswer> {
  const from = clock.monotonic();
  const timedOut: HttpAnswer = { error: `Get "${question.url}": ${TIMED_OUT}` };
  const giveUp = new AbortController();
  const answer = follow(question, AbortSignal.any([signal, giveUp.signal]));
  let late = false;
  const timeout = new Promise<HttpAnswer>((resolve) => {
    const cancel = clock.setTimer(question.timeoutMs, () => {
      late = true;
      resolve(timedOut);
      const cancelLate = clock.setTimer(onLate ? LATE_MS : 0, () => giveUp.abort(), { unref: true });
      void answer.then((then) => {
        cancelLate();
        if (!('error' in then)) onLate?.(then, clock.monotonic() - from);
      });
    });
    void answer.then(() => late || cancel());
  });
  return Promise.race([answer, timeout]);
}

async function follow(question: HttpQuestion, either: AbortSignal): Promise<HttpAnswer> {
  try {
    let url = new URL(question.url);
    for (let redirects = 0; ; redirects += 1) {
      const { status, location, body } = await get(url, question.headers, either);
      if (status < 300 || status >= 400 || location === undefined)
        return { status, body, redirectedAway: false };
      const target = new URL(location, url);
      if (target.hostname !== url.hostname) return { status, body, redirectedAway: true };
      if (redirects === MOST_REDIRECTS) return { error: `Get "${location}": stopped after 10 redirects` };
      url = target;
    }
  } catch (error) {
    return { error: `Get "${question.url}": ${dialError(error, question.url)}` };
  }
}

const TIMED_OUT = 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)';

function get(
  url: URL,
  headers: HttpQuestion['headers'],
  signal: AbortSignal,
): Promise<{ status: number; location: string | undefined; body: string }> {
  const sent: Record<string, string> = {
    'user-agent': 'kube-probe/1.34',
    accept: '*/*',
    connection: 'close',
  };
  for (const { name, value } of headers) sent[name.toLowerCase()] = value;
  const tls = url.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const options = { headers: sent, signal, agent: false as const, rejectUnauthorized: false };
    const request = (tls ? httpsRequest : httpRequest)(url, options, (response: IncomingMessage) => {
      let body = '';
      response.setEncoding('utf8');
      const done = () =>
        resolve({ status: response.statusCode ?? 0, location: response.headers.location, body });
      response.on('data', (chunk: string) => {
        body = (body + chunk).slice(0, LONGEST_BODY);
        if (body.length === LONGEST_BODY) {
          done();
          response.destroy();
        }
      });
      response.on('end', done);
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end();
  });
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
};

/** A connection error in Go's words, with the address that was dialled. */
export function dialError(error: unknown, address: string): string {
  const { code, message } = error as { code?: string; message?: string };
  if (code === 'ECONNRESET') return 'EOF';
  const reason = code === undefined ? undefined : REASONS[code];
  if (reason === undefined) return message ?? String(error);
  const host = address.includes('://') ? hostPortOf(new URL(address)) : address;
  return `dial tcp ${host}: ${reason}`;
}

const hostPortOf = (url: URL) => `${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : 80)}`;
