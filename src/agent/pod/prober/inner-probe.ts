import type { Runtime } from '../runtime/runtime.ts';

type Question =
  | {
      readonly kind: 'http';
      readonly url: string;
      readonly headers: readonly { readonly name: string; readonly value: string }[];
      readonly timeoutMs: number;
    }
  | { readonly kind: 'tcp'; readonly port: number; readonly timeoutMs: number };

// Runs inside the container, whose loopback is not ours; prints its answer as JSON. Worded as http-probe.ts words it.
const SCRIPT = `
const q = JSON.parse(process.argv[1]);
const say = (answer) => { process.stdout.write(JSON.stringify(answer), () => process.exit(0)); };
const words = { ECONNREFUSED: 'connect: connection refused' };
const dial = (address, e) => 'dial tcp ' + address + ': ' + (words[e.code] ?? e.message);
if (q.kind === 'tcp') {
  const address = '127.0.0.1:' + q.port;
  const socket = require('node:net').connect(q.port, '127.0.0.1');
  setTimeout(() => say({ error: 'dial tcp ' + address + ': i/o timeout' }), q.timeoutMs);
  socket.on('connect', () => say({}));
  socket.on('error', (e) => say({ error: dial(address, e) }));
} else {
  const fail = (text) => say({ error: 'Get "' + q.url + '": ' + text });
  setTimeout(() => fail('context deadline exceeded (Client.Timeout exceeded while awaiting headers)'), q.timeoutMs);
  const headers = { 'user-agent': 'kube-probe/1.34', accept: '*/*', connection: 'close' };
  for (const { name, value } of q.headers) headers[name.toLowerCase()] = value;
  const get = (url, left) => {
    const module = require(url.protocol === 'https:' ? 'node:https' : 'node:http');
    module.get(url, { headers, agent: false, rejectUnauthorized: false }, (response) => {
      const { statusCode: status, headers: { location } } = response;
      response.resume();
      const moved = status >= 300 && status < 400 && location ? new URL(location, url) : undefined;
      if (moved && moved.hostname !== url.hostname) return say({ status, body: '', redirectedAway: true });
      if (moved && left > 0) return get(moved, left - 1);
      if (moved) return fail('stopped after 10 redirects');
      say({ status, body: '', redirectedAway: false });
    }).on('error', (e) => fail(e.code === 'ECONNRESET' ? 'EOF' : dial(url.host, e)));
  };
  get(new URL(q.url), 10);
}
`;

/** Starting Node takes its own time, which is not the container's fault. */
const START_ALLOWANCE_MS = 5000;

/**
 * Asks an HTTP or TCP question from within a container that has no address of its own. Needs `node` on the
 * PATH there, as containers on the host's root have it.
 */
export async function askFromWithin<Answer>(
  runtime: Runtime,
  containerId: string,
  question: Question,
  signal: AbortSignal,
): Promise<Answer | { error: string }> {
  const result = await runtime.exec(containerId, ['node', '-e', SCRIPT, JSON.stringify(question)], {
    timeoutMs: question.timeoutMs + START_ALLOWANCE_MS,
    signal,
  });
  if (result.exitCode === 0 && result.stdout !== '') return JSON.parse(result.stdout) as Answer;
  return { error: result.stderr.trim().split('\n').at(-1) || `probe ended with ${result.exitCode}` };
}
