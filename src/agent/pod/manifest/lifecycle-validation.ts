import type { Container, LifecycleHandler } from '../../../model/kubernetes.ts';
import { portOf } from '../prober/probe.ts';
import { nearestName } from './nearest-name.ts';
import type { Path, Report } from './problem.ts';
import { atLeast, exactlyOne } from './rules.ts';

const HANDLERS = ['exec', 'httpGet', 'sleep'];

/** Those of Linux, wherever this runs. Source: kubernetes/pkg/apis/core/validation, supportedStopSignalsLinux */
const STOP_SIGNALS: readonly string[] = [
  ...'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS'.split(
    ' ',
  ),
  ...'TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX'.split(' '),
  ...Array.from({ length: 15 }, (_, step) => `RTMIN+${step + 1}`),
  ...Array.from({ length: 14 }, (_, step) => `RTMAX-${step + 1}`),
].map((name) => `SIG${name}`);

/** The hooks of a container, and its stop signal. `os` is that of the pod. */
export function checkLifecycle(
  container: Container,
  { init, os }: { readonly init: boolean; readonly os?: string },
  path: Path,
  report: Report,
): void {
  const { lifecycle } = container;
  if (!lifecycle) return;
  if (init && container.restartPolicy !== 'Always') {
    report({ path, message: 'init containers may have hooks only with restartPolicy: Always' });
  }
  for (const hook of ['postStart', 'preStop'] as const) {
    const handler = lifecycle[hook];
    if (handler) checkHandler(handler, container, [...path, hook], report);
  }
  if (lifecycle.stopSignal !== undefined)
    checkStopSignal(lifecycle.stopSignal, os, [...path, 'stopSignal'], report);
}

/** Source: kubernetes/pkg/apis/core/validation/validation.go, validateStopSignal; KEP-4960 */
function checkStopSignal(value: string, os: string | undefined, path: Path, report: Report): void {
  if (os === undefined)
    report({
      path,
      value,
      message: 'needs the name of its system: add os: {name: linux} to the spec of the pod',
    });
  if (STOP_SIGNALS.includes(value)) return;
  const near = nearestName(value, STOP_SIGNALS);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  report({ path, value, message: `must be a signal such as SIGTERM, SIGQUIT or SIGRTMIN+3${hint}` });
}

function checkHandler(handler: LifecycleHandler, container: Container, path: Path, report: Report): void {
  if ('tcpSocket' in handler) {
    report({
      path: [...path, 'tcpSocket'],
      message: 'does nothing in Kubernetes either; use exec, httpGet or sleep',
    });
    return;
  }
  exactlyOne(handler, HANDLERS, path, report);
  if (handler.exec && (handler.exec.command ?? []).length === 0)
    report({ path: [...path, 'exec', 'command'], message: 'required, but missing' });
  atLeast(handler.sleep?.seconds, 0, [...path, 'sleep', 'seconds'], report);
  const port = handler.httpGet?.port;
  if (typeof port === 'string' && portOf(port, container) === undefined)
    report({ path: [...path, 'httpGet', 'port'], value: port, message: 'there is no port of this name' });
}
