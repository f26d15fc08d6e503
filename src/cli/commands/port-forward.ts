import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Command, InvalidArgumentError } from 'commander';
import type { Pod } from '../../model/kubernetes.ts';
import type { Service, ServicePort } from '../../model/kubernetes-service.ts';
import { CodedError, messageOf } from '../../util/coded-error.ts';
import type { Connection } from '../client.ts';
import { onInterrupt } from '../interrupt.ts';
import { podOf, serviceOf } from '../pod-choice.ts';
import { type CommonFlags, connectionOf, type Terminal, withConnection } from '../program.ts';
import { openSession } from '../session.ts';
import { printable } from '../terminal.ts';

interface Ports {
  readonly local: number;
  readonly remote: number;
}

/** `port-forward POD [LOCAL:]REMOTE…`: ports of this machine's loopback that lead into a pod. */
export function portForwardCommand(terminal: Terminal): Command {
  return withConnection(new Command('port-forward'))
    .description('reach ports of a pod at 127.0.0.1')
    .argument(
      '<pod>',
      'a pod’s NAME or NAMESPACE/NAME, or KIND/NAME of a workload or Service: one of its pods',
    )
    .argument('<port...>', 'PORT, LOCAL:REMOTE or :REMOTE (any free local one); REMOTE may be a name')
    .option('-n, --namespace <name>', 'namespace')
    .action(async (name: string, words: readonly string[], flags: CommonFlags) => {
      const connection = connectionOf(flags, terminal);
      const pod = await podOf(connection, name, flags);
      requireRunning(pod);
      const service = await serviceOf(connection, name, flags);
      const ports = words.map((word) => parsePorts(word, pod, service));
      const servers: Server[] = [];
      try {
        for (const port of ports) servers.push(await listen(port, connection, pod, terminal));
        const interrupt = onInterrupt(terminal, 'forwarding ends');
        await new Promise<void>((resolve) => interrupt.addEventListener('abort', () => resolve()));
      } finally {
        for (const server of servers) server.close();
      }
      process.exit(0);
    });
}

/** Source: kubectl/pkg/cmd/portforward/portforward.go, RunPortForwardContext */
function requireRunning({ metadata: { namespace, name }, status }: Pod): void {
  if (status.phase === 'Running') return;
  throw new CodedError(
    'POD_NOT_RUNNING',
    `pod ${namespace}/${name} does not run, so no port of it can be reached: it is ${status.phase}; see: podvitals why ${namespace}/${name}`,
  );
}

/**
 * With a Service, the remote port is one of its own, and leads to the pod's it stands for.
 *
 * @throws InvalidArgumentError for a word that is no port, or a name no container of the pod has given one.
 */
export function parsePorts(word: string, pod: Pod, service?: Pick<Service, 'metadata' | 'spec'>): Ports {
  const [first = '', second] = word.split(':', 2);
  const asked = second ?? first;
  const own = service && servicePort(asked, service);
  const remote = portOf(own === undefined ? asked : String(own.targetPort ?? own.port), pod);
  const local = second === undefined ? (own?.port ?? remote) : first === '' ? 0 : portOf(first, pod);
  return { local, remote };
}

/** Source: kubectl/pkg/cmd/portforward/portforward.go, translateServicePortToTargetPort */
function servicePort(word: string, { metadata, spec }: Pick<Service, 'metadata' | 'spec'>): ServicePort {
  const { ports = [] } = spec;
  const found = ports.find(({ name, port }) => name === word || String(port) === word);
  if (found) return found;
  const has = ports.map(({ name, port }) => (name === undefined ? port : `${port} (${name})`)).join(', ');
  throw new InvalidArgumentError(`Service ${metadata.name} has no port "${word}"; it has ${has || 'none'}`);
}

function portOf(word: string, pod: Pod): number {
  const named = pod.spec.containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === word);
  const port = named?.containerPort ?? (/^\d{1,5}$/.test(word) ? Number(word) : 0);
  if (port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError(`"${word}" is no port; write PORT, LOCAL:REMOTE or :REMOTE`);
}

function listen(
  { local, remote }: Ports,
  connection: Connection,
  pod: Pod,
  terminal: Terminal,
): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (client) => {
    forward(client, connection, pod, remote).catch((error: unknown) => {
      terminal.err(`podvitals: ${printable(messageOf(error))}\n`);
      client.destroy();
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', ({ code, message }: NodeJS.ErrnoException) =>
      reject(
        new CodedError(
          'PORT_TAKEN',
          code === 'EADDRINUSE'
            ? `port ${local} of 127.0.0.1 is taken; choose another: podvitals port-forward ${pod.metadata.namespace}/${pod.metadata.name} :${remote}`
            : `port ${local} of 127.0.0.1 cannot be opened: ${code ?? message}`,
        ),
      ),
    );
    server.listen({ host: '127.0.0.1', port: local }, () => {
      const { port } = server.address() as AddressInfo;
      terminal.out(`Forwarding from 127.0.0.1:${port} -> ${remote}\n`);
      resolve(server);
    });
  });
}

async function forward(client: Socket, connection: Connection, pod: Pod, port: number): Promise<void> {
  client.on('error', () => client.destroy());
  const query = new URLSearchParams({ port: String(port) });
  const { socket, head } = await openSession(connection, pod, 'portforward', query);
  const end = () => {
    client.destroy();
    socket.destroy();
  };
  socket.on('error', end);
  socket.once('close', end);
  client.once('close', end);
  if (head.length > 0) client.write(head);
  client.pipe(socket).pipe(client);
}
