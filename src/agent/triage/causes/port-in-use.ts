import { ofLife } from '../citation.ts';
import type { FailureOf } from '../failure.ts';
import { hintOf, logVerdict } from '../log-verdict.ts';
import { manifestOf } from '../next-step.ts';

/** Its port is taken. Certain when something in the pod was still seen listening on it. */
export const portInUse: FailureOf = (death) => {
  const hint = hintOf(death, 'PortInUse');
  if (!hint) return undefined;
  const { container, exitCode, pod, listening, finishedAt } = death.life;
  const port = hint.found.port === undefined ? undefined : Number(hint.found.port);
  const taken = port !== undefined && listening.some((socket) => socket.port === port);
  return logVerdict(death, hint, {
    summary: `Container ${container} exits with code ${exitCode} because ${port === undefined ? 'the port it wants to listen on' : `port ${port}`} is already in use: by another container of the pod, a second copy of the program, or, on the host's network, by another process.`,
    corroborated: taken
      ? ofLife(death, `something in the pod listened on port ${port}`, finishedAt)
      : undefined,
    next: [manifestOf(pod, 'give the containers of the pod different ports, or take hostNetwork away')],
  });
};
