import { run } from '../../src/cli/main.ts';

/** Runs one command line of podvitals in this process: its exit code, and all it printed. */
export async function runCommandLine(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let out = '';
  let err = '';
  const code = await run(args, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    env,
    isTty: false,
  });
  return { code, out, err };
}
