import type { FailureOf } from '../failure.ts';
import { hintOf, logVerdict } from '../log-verdict.ts';
import { manifestOf } from '../next-step.ts';
import { brief } from '../words.ts';

/** A TLS certificate in use has run out: its own, or that of whom it talks to. */
export const certificateExpired: FailureOf = (death) => {
  const hint = hintOf(death, 'CertificateExpired');
  if (!hint) return undefined;
  const { container, exitCode, pod } = death.life;
  return logVerdict(death, hint, {
    summary: `Container ${container} exits with code ${exitCode} because a TLS certificate has expired: ${brief(hint.line.text, 200)}`,
    next: [
      {
        command: 'openssl s_client -connect HOST:PORT </dev/null | openssl x509 -noout -dates -subject',
        why: 'see whose certificate it is and when it ended',
      },
      manifestOf(pod, 'renew the certificate in its Secret; if the clock of the node is wrong, mend that'),
    ],
  });
};
