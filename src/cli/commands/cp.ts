import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, posix, resolve } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { Command, InvalidArgumentError } from 'commander';
import { create, extract } from 'tar';
import type { Pod } from '../../model/kubernetes.ts';
import { CodedError } from '../../util/coded-error.ts';
import type { Connection } from '../client.ts';
import { runInPod } from '../command-session.ts';
import { findPod } from '../pod-choice.ts';
import { type CommonFlags, connectionOf, parseName, type Terminal, withConnection } from '../program.ts';
import { printable } from '../terminal.ts';

interface CopyFlags extends CommonFlags {
  readonly container?: string;
}

interface Remote {
  readonly connection: Connection;
  readonly pod: Pod;
  readonly container: string | undefined;
  readonly path: string;
}

/** `cp POD:PATH LOCAL`, `cp LOCAL POD:PATH`: files out of a container, or into it, by its own `tar`. */
export function cpCommand(terminal: Terminal): Command {
  return withConnection(new Command('cp'))
    .description('copy files from or to a container, which must have tar')
    .argument('<source>', 'POD:PATH, NAMESPACE/POD:PATH, or a path here')
    .argument('<target>', 'the same; one of the two is in a pod')
    .option('-n, --namespace <name>', 'namespace')
    .option('-c, --container <name>', 'container; the first one when left out')
    .action(async (source: string, target: string, flags: CopyFlags) => {
      const [from, to] = [parsePlace(source), parsePlace(target)];
      if ((from.pod === undefined) === (to.pod === undefined))
        throw new InvalidArgumentError('one of the two, and only one, must be POD:PATH');
      const connection = connectionOf(flags, terminal);
      const place = from.pod === undefined ? to : from;
      const pod = await findPod(connection, parseName(place.pod!, flags));
      const remote = { connection, pod, container: flags.container, path: place.path };
      if (from.pod === undefined) await upload(from.path, remote);
      else await download(remote, to.path, terminal);
    });
}

/** `pod:path`; a colon after a slash or dot belongs to a local path. */
export function parsePlace(text: string): { readonly pod?: string; readonly path: string } {
  const match = /^([a-z0-9][a-z0-9./-]*):(.+)$/s.exec(text);
  return match ? { pod: match[1]!, path: match[2]! } : { path: text };
}

function complaintTaker() {
  let text = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text = (text + chunk.toString()).slice(-2000);
      done();
    },
  });
  return { stream, text: () => text.trim() };
}

async function runTar(
  { connection, pod, container }: Remote,
  command: readonly string[],
  streams: { readonly stdin?: PassThrough; readonly stdout: Writable },
): Promise<void> {
  const complaint = complaintTaker();
  const exitCode = await runInPod(connection, pod, {
    container,
    command,
    stdin: streams.stdin,
    stdout: streams.stdout,
    stderr: complaint.stream,
  });
  if (exitCode === 0) return;
  const why = complaint.text() || `tar ended with ${exitCode}`;
  throw new CodedError('COPY_FAILED', `${pod.metadata.namespace}/${pod.metadata.name}: ${why}`);
}

/**
 * What the container sends is not trusted: links are left out, names that lead elsewhere too, and all of it is unpacked
 * in a folder of its own before it comes to its place.
 */
async function download(remote: Remote, target: string, terminal: Terminal): Promise<void> {
  const path = posix.normalize(remote.path).replace(/(?<=.)\/$/, '');
  const name = posix.basename(path) || '.';
  const goal =
    existsSync(target) && statSync(target).isDirectory() && name !== '.' ? join(target, name) : target;
  mkdirSync(dirname(resolve(goal)), { recursive: true });
  const folder = mkdtempSync(join(dirname(resolve(goal)), '.podvitals-cp-'));
  try {
    const skipped: string[] = [];
    const unpack = extract({
      cwd: folder,
      preservePaths: false,
      noMtime: false,
      filter: (entryPath, entry) => {
        const type = 'type' in entry ? entry.type : undefined;
        const inside = name === '.' || entryPath === name || entryPath.startsWith(`${name}/`);
        const plain = type === 'File' || type === 'OldFile' || type === 'Directory';
        if (inside && plain) return true;
        skipped.push(entryPath);
        return false;
      },
    });
    const done = new Promise<void>((settle, fail) => {
      unpack.once('close', settle);
      unpack.once('error', fail);
    });
    const command = ['tar', 'cf', '-', '-C', posix.dirname(path), '--', name];
    await runTar(remote, command, { stdout: unpack as unknown as Writable });
    unpack.end();
    await done;
    for (const entry of skipped.slice(0, 10))
      terminal.err(`podvitals: left out, as it is no file or folder: ${printable(entry)}\n`);
    const found = name === '.' ? folder : join(folder, name);
    if (!existsSync(found)) throw new CodedError('COPY_FAILED', `${remote.path}: nothing that can be copied`);
    cpSync(found, goal, { recursive: true, preserveTimestamps: true });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function isRemoteFolder({ connection, pod, container, path }: Remote): Promise<boolean> {
  const nowhere = () => complaintTaker().stream;
  const exitCode = await runInPod(connection, pod, {
    container,
    command: ['test', '-d', path],
    stdout: nowhere(),
    stderr: nowhere(),
  });
  return exitCode === 0;
}

async function upload(source: string, remote: Remote): Promise<void> {
  if (!existsSync(source)) throw new CodedError('NOT_FOUND', `there is no file or folder ${source}`);
  const real = resolve(source);
  const [folder, name] = (await isRemoteFolder(remote))
    ? [remote.path, basename(real)]
    : [posix.dirname(remote.path), posix.basename(remote.path)];
  const local = basename(real);
  const pack = create(
    {
      cwd: dirname(real),
      portable: true,
      onWriteEntry(entry) {
        entry.path = entry.path === local ? name : `${name}${entry.path.slice(local.length)}`;
      },
    },
    [local],
  );
  const stdin = new PassThrough();
  (pack as unknown as NodeJS.ReadableStream).pipe(stdin);
  await runTar(remote, ['tar', 'xmf', '-', '-C', folder], { stdin, stdout: complaintTaker().stream });
}
