import { once } from 'node:events';
import { createServer } from 'node:net';
import { type Finding, ok, warning } from './finding.ts';

export interface WantedPort {
  readonly what: string;
  readonly host: string;
  readonly port: number;
}

/** Whether each address can be listened on now; one that podvitals itself holds is taken all the same, and told so. */
export async function checkPorts(wanted: readonly WantedPort[]): Promise<readonly Finding[]> {
  const taken: string[] = [];
  for (const { what, host, port } of wanted) {
    const code = await listenCode(host, port);
    if (code !== undefined) taken.push(`${host}:${port} for ${what} (${code})`);
  }
  if (taken.length === 0) {
    return [ok('ports', wanted.map(({ host, port }) => `${host}:${port}`).join(', '))];
  }
  return [
    warning(
      'ports',
      `taken: ${taken.join(', ')}`,
      'if it is not podvitals itself, choose others: --listen, --agent-listen, or collector.otlpGrpc and otlpHttp in podvitals.yaml',
    ),
  ];
}

async function listenCode(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
