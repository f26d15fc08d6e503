import type { ProbeResult } from '../../../model/life.ts';
import type { ContainerInspection } from '../../engines/podman/answers.ts';

const MOST_MESSAGE = 1024;

/** Whether its HEALTHCHECK says that it serves; a container without one does as long as it runs. */
export function isHealthy({ State }: ContainerInspection): boolean {
  const status = State.Health?.Status ?? '';
  return status === '' || status === 'none' || status === 'healthy';
}

/** Health checks that ended after `sinceMs`, oldest first, as results of a readiness probe. */
export function healthResults(
  { State, Config }: ContainerInspection,
  sinceMs: number,
): readonly ProbeResult[] {
  const [kind, ...words] = Config.Healthcheck?.Test ?? [];
  const target = `exec ${(kind === 'CMD' || kind === 'CMD-SHELL' ? words : (Config.Healthcheck?.Test ?? [])).join(' ')}`;
  return (State.Health?.Log ?? []).flatMap(({ Start, End, ExitCode, Output }) =>
    Start === undefined || End === undefined || End <= sinceMs
      ? []
      : [
          {
            at: End,
            probe: 'readiness' as const,
            ok: ExitCode === 0,
            target,
            message: Output.trim().slice(0, MOST_MESSAGE) || `command exited with code ${ExitCode}`,
            latencyMs: Math.max(0, End - Start),
          },
        ],
  );
}
