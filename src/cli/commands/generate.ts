import { Command } from 'commander';
import { createPodmanClient } from '../../agent/engines/podman/podman-client.ts';
import { podmanSocketOf } from '../../agent/pod/runtime/podman/podman-socket.ts';
import { cleanManifest } from '../podman-kube.ts';
import type { Terminal } from '../program.ts';
import { printableLines } from '../terminal.ts';

/** `generate kube NAME…`: a manifest of pods or containers that Podman runs, as Podman writes it. */
export function generateCommand(terminal: Terminal): Command {
  const generate = new Command('generate').description('make a manifest of what runs already');
  generate
    .command('kube')
    .description('a Kubernetes manifest of pods or containers that Podman made')
    .argument('<names...>', 'names or ids, as Podman knows them')
    .action(async (names: readonly string[]) => {
      const client = createPodmanClient(podmanSocketOf(terminal.env, process.getuid?.()));
      try {
        const text = await client.text({ path: '/generate/kube', query: { names } });
        const manifest = cleanManifest(text);
        terminal.out(terminal.isTty ? printableLines(manifest) : manifest);
      } finally {
        client.close();
      }
    });
  return generate;
}
