import type { LifecycleHandler } from '../../../model/kubernetes.ts';
import { type Clock, sleep } from '../../../util/clock.ts';
import { messageOf } from '../../../util/coded-error.ts';
import { askHttp, type HttpAnswer } from '../prober/http-probe.ts';
import { askFromWithin } from '../prober/inner-probe.ts';
import { type ProbeSubject, urlOf } from '../prober/probe.ts';
import type { Runtime } from '../runtime/runtime.ts';

/**
 * Runs a lifecycle handler to its end; resolves with why it failed, or undefined when it did not. An abort ends it and
 * counts as a failure. Never rejects. Source: kubernetes/pkg/kubelet/lifecycle/handlers.go
 */
export type HookRunner = (
  handler: LifecycleHandler,
  subject: ProbeSubject,
  timeoutMs: number,
  signal: AbortSignal,
) => Promise<string | undefined>;

/** What a timer can wait for: a postStart hook has no limit of its own. */
export const NO_LIMIT_MS = 2 ** 31 - 1;

export function createHookRunner(runtime: Runtime, clock: Clock): HookRunner {
  async function runCommand(
    command: readonly string[],
    { containerId }: ProbeSubject,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const result = await runtime.exec(containerId, command, { timeoutMs, signal });
    const what = `command '${command.join(' ')}'`;
    if (result.timedOut) return `${what} timed out`;
    if (result.exitCode === 0) return undefined;
    const said = `${result.stderr}${result.stdout}`.trim();
    return `${what} exited with ${result.exitCode}${said === '' ? '' : `: ${said}`}`;
  }

  async function runGet(
    action: NonNullable<LifecycleHandler['httpGet']>,
    subject: ProbeSubject,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const question = { url: urlOf(action, subject), headers: action.httpHeaders ?? [], timeoutMs };
    const answer =
      (subject.ip ?? action.host) === undefined
        ? await askFromWithin<HttpAnswer>(runtime, subject.containerId, { kind: 'http', ...question }, signal)
        : await askHttp(question, clock, signal);
    if ('error' in answer) return answer.error;
    return answer.status < 400 ? undefined : `GET ${question.url} answered ${answer.status}`;
  }

  return async (handler, subject, timeoutMs, signal) => {
    try {
      if (handler.exec) return await runCommand(handler.exec.command, subject, timeoutMs, signal);
      if (handler.httpGet) return await runGet(handler.httpGet, subject, timeoutMs, signal);
      const seconds = handler.sleep?.seconds ?? 0;
      await sleep(clock, Math.min(seconds * 1000, timeoutMs), signal);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  };
}
