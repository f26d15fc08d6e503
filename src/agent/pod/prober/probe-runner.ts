import type { Probe } from '../../../model/kubernetes.ts';
import type { Clock } from '../../../util/clock.ts';
import { messageOf } from '../../../util/coded-error.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { askGrpc } from './grpc-probe.ts';
import { askHttp, type HttpAnswer, type HttpQuestion } from './http-probe.ts';
import { askFromWithin } from './inner-probe.ts';
import {
  hostOf,
  type ProbeOutcome,
  type ProbeRunner,
  type ProbeSubject,
  requirePort,
  timeoutMsOf,
  urlOf,
} from './probe.ts';
import { askTcp } from './tcp-probe.ts';

type OnLate = (outcome: Omit<ProbeOutcome, 'target'>, tookMs: number) => void;

const AGAIN_MS = 10_000;

/**
 * Probes for real: commands by the runtime; HTTP, gRPC and TCP from here to the pod's address, or, where it has none,
 * from within the container.
 */
export function createProbeRunner(runtime: Runtime, clock: Clock): ProbeRunner {
  const askedAgain = new WeakSet<ProbeSubject>();
  return async (probe, subject, signal, onLate) => {
    const target = targetOf(probe, subject);
    const late: OnLate = (outcome, tookMs) => onLate?.({ target, ...outcome }, tookMs);
    try {
      return { target, ...(await ask(probe, subject, signal, late)) };
    } catch (error) {
      return { target, ok: false, message: messageOf(error) };
    }
  };

  function ask(probe: Probe, subject: ProbeSubject, signal: AbortSignal, late: OnLate) {
    if (probe.exec) return askExec(probe.exec.command, probe, subject, signal, late);
    if (probe.grpc) return askGrpcHealth(probe, subject, signal);
    return probe.httpGet ? askGet(probe, subject, signal, late) : askConnect(probe, subject, signal);
  }

  async function askExec(
    command: readonly string[],
    probe: Probe,
    subject: ProbeSubject,
    signal: AbortSignal,
    late: OnLate,
  ): Promise<Omit<ProbeOutcome, 'target'>> {
    const timeoutMs = timeoutMsOf(probe);
    const result = await runtime.exec(subject.containerId, command, { timeoutMs, signal });
    if (result.timedOut) {
      void askAgain(command, subject, signal, late);
      return {
        ok: false,
        message: `command timed out: "${command.join(' ')}" timed out after ${timeoutMs / 1000}s`,
      };
    }
    const output = `${result.stdout}${result.stderr}`.trim();
    if (result.exitCode === 0) return { ok: true, message: output };
    return { ok: false, message: output || `command exited with ${result.exitCode}` };
  }

  // The command that took too long is ended, as the kubelet does; whether it ever ends by itself is asked once a life.
  async function askAgain(
    command: readonly string[],
    subject: ProbeSubject,
    signal: AbortSignal,
    late: OnLate,
  ) {
    if (askedAgain.has(subject)) return;
    askedAgain.add(subject);
    const from = clock.monotonic();
    const result = await runtime
      .exec(subject.containerId, command, { timeoutMs: AGAIN_MS, signal })
      .catch(() => undefined);
    if (result?.exitCode === 0 && !result.timedOut)
      late({ ok: true, message: 'the same command, given more time' }, clock.monotonic() - from);
  }

  async function askGet(probe: Probe, subject: ProbeSubject, signal: AbortSignal, late: OnLate) {
    const question: HttpQuestion = {
      url: urlOf(probe.httpGet!, subject),
      headers: probe.httpGet!.httpHeaders ?? [],
      timeoutMs: timeoutMsOf(probe),
    };
    const outside = subject.ip ?? probe.httpGet!.host;
    return judgeHttp(
      outside === undefined
        ? await askFromWithin<HttpAnswer>(runtime, subject.containerId, { kind: 'http', ...question }, signal)
        : await askHttp(question, clock, signal, (answer, tookMs) => late(judgeHttp(answer), tookMs)),
    );
  }

  async function askGrpcHealth(probe: Probe, subject: ProbeSubject, signal: AbortSignal) {
    const { port, service = '' } = probe.grpc!;
    if (subject.ip === undefined)
      return {
        ok: false,
        message: 'gRPC probes need a pod with an address of its own, or the network of the host',
      };
    const error = await askGrpc(
      { host: hostOf(subject), port, service, timeoutMs: timeoutMsOf(probe) },
      clock,
      signal,
    );
    return error === undefined ? { ok: true, message: '' } : { ok: false, message: error };
  }

  async function askConnect(probe: Probe, subject: ProbeSubject, signal: AbortSignal) {
    const tcp = probe.tcpSocket!;
    const outside = tcp.host ?? subject.ip;
    const [port, timeoutMs] = [requirePort(tcp.port, subject), timeoutMsOf(probe)];
    const error =
      outside === undefined
        ? (
            await askFromWithin<{ error?: string }>(
              runtime,
              subject.containerId,
              { kind: 'tcp', port, timeoutMs },
              signal,
            )
          ).error
        : await askTcp(outside, port, timeoutMs, clock, signal);
    return error === undefined ? { ok: true, message: '' } : { ok: false, message: error };
  }
}

/** Source: kubernetes/pkg/probe/http/http.go, DoHTTPProbe */
function judgeHttp(answer: HttpAnswer): Omit<ProbeOutcome, 'target'> {
  if ('error' in answer) return { ok: false, message: answer.error };
  if (answer.redirectedAway) return { ok: true, message: 'Probe terminated redirects' };
  if (answer.status >= 200 && answer.status < 400) return { ok: true, message: '' };
  return { ok: false, message: `HTTP probe failed with statuscode: ${answer.status}` };
}

function targetOf(probe: Probe, subject: ProbeSubject): string {
  if (probe.exec) return `exec ${probe.exec.command.join(' ')}`;
  try {
    if (probe.httpGet) return `GET ${urlOf(probe.httpGet!, subject)}`;
    if (probe.grpc) {
      const { port, service = '' } = probe.grpc;
      return `grpc ${hostOf(subject)}:${port}${service === '' ? '' : ` ${service}`}`;
    }
    const { host = hostOf(subject), port } = probe.tcpSocket!;
    return `tcp ${host}:${requirePort(port, subject)}`;
  } catch (error) {
    return messageOf(error);
  }
}
