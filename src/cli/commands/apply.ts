import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { ApplyOutcome, ManifestFile } from '../../agent/api/objects.ts';
import { CodedError, messageOf } from '../../util/coded-error.ts';
import { askAgent } from '../client.ts';
import { inputText } from '../input-text.ts';
import { type CommonFlags, collect, connectionOf, type Terminal, withConnection } from '../program.ts';
import { printable } from '../terminal.ts';

/** `apply -f FILE`: hands manifests to the running agent. */
export function applyCommand(terminal: Terminal): Command {
  return withConnection(new Command('apply'))
    .description('create or change what manifests describe')
    .option('-f, --filename <file>', 'manifest; - reads standard input', collect)
    .action(async (flags: CommonFlags & { filename?: readonly string[] }) => {
      if (flags.filename === undefined)
        throw new InvalidArgumentError('name a manifest: podvitals apply -f FILE');
      const outcome = await askAgent<ApplyOutcome>(connectionOf(flags, terminal), 'POST', '/apply', {
        files: await readManifests(flags.filename),
      });
      for (const warning of outcome.warnings) terminal.err(`Warning: ${printable(warning)}\n`);
      terminal.out(describeApplied(outcome));
    });
}

export function describeApplied(outcome: ApplyOutcome): string {
  return outcome.objects
    .map((object) => `${object.kind.toLowerCase()}/${object.name} ${object.action}\n`)
    .join('');
}

/** Manifests as the agent takes them. @throws CodedError when one cannot be read. */
export async function readManifests(paths: readonly string[]): Promise<readonly ManifestFile[]> {
  const files: ManifestFile[] = [];
  for (const path of paths) {
    try {
      files.push({ path: resolve(path === '-' ? 'stdin.yaml' : path), text: await inputText(path) });
    } catch (error) {
      throw new CodedError('FILE_UNREADABLE', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
    }
  }
  return files;
}
