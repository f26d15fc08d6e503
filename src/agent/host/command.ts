import { spawn } from 'node:child_process';
import { CodedError } from '../../util/coded-error.ts';

const KEPT_BYTES = 8192;

/**
 * Runs one of the host's tools to its end with an empty environment, `input` on its standard input.
 * @throws COMMAND_FAILED with the tool, its exit and the end of what it complained.
 */
export function runCommand(path: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { LC_ALL: 'C' } });
    let output = '';
    let complaint = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-KEPT_BYTES);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(-KEPT_BYTES);
    });
    // A tool that ends without reading its input is judged by its exit.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.once('error', (cause) =>
      reject(new CodedError('COMMAND_FAILED', `${path} could not be run: ${cause.message}`, { cause })),
    );
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(output);
      const reason = complaint.trim() || `ended with ${signal ?? `exit ${code}`}`;
      reject(new CodedError('COMMAND_FAILED', `${path} ${args.join(' ')}: ${reason}`));
    });
  });
}
