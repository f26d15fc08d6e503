import { Socket } from 'node:net';
import helmet from 'helmet';
import { IncomingMessage, ServerResponse } from '../util/node-http.ts';
import { CONTENT_SECURITY_POLICY } from './content-security-policy.ts';

/**
 * The headers that every answer has, the same ones always: helmet is asked once, at the start, rather than at each request,
 * where writing the policy anew costs more than a small answer.
 */
export function securityHeaders(): Readonly<Record<string, string>> {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  const protect = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: CONTENT_SECURITY_POLICY },
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
  });
  let failed: unknown;
  protect(request, response, (error) => {
    failed = error;
  });
  if (failed !== undefined) throw failed;
  return Object.fromEntries(
    Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)]),
  );
}
