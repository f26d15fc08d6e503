import type { ToolName, Tools } from '../host/tool.ts';
import { type Finding, failure, ok, warning } from './finding.ts';

/** Which package of a distribution brings a tool, and what is lost without it. */
const PACKAGES: Readonly<Record<string, { readonly tools: readonly ToolName[]; readonly lost: string }>> = {
  'util-linux': {
    tools: ['unshare', 'nsenter', 'pivot_root', 'setpriv', 'setsid'],
    lost: 'pods have no namespaces of their own',
  },
  mount: { tools: ['mount', 'umount'], lost: 'containers have no file system of their own' },
  iproute2: { tools: ['ip'], lost: 'pods have no address, only loopback' },
  coreutils: { tools: ['cat', 'cp', 'dd', 'env', 'mkdir', 'rm', 'rmdir', 'sleep'], lost: 'nothing runs' },
  bash: { tools: ['bash'], lost: 'descriptors that the agent inherited stay open in pods' },
};

export function checkTools(tools: Tools): readonly Finding[] {
  if (tools.sh === undefined) return [failure('tools', 'there is no sh', 'install a POSIX shell')];
  const missing = Object.entries(PACKAGES)
    .map(([name, { tools: needed, lost }]) => ({
      name,
      lost,
      absent: needed.filter((tool) => tools[tool] === undefined),
    }))
    .filter(({ absent }) => absent.length > 0);
  if (missing.length === 0) return [ok('tools', Object.keys(PACKAGES).join(', '))];
  return missing.map(({ name, lost, absent }) =>
    (name === 'coreutils' ? failure : warning)(
      'tools',
      `${absent.join(', ')} not found: ${lost}`,
      `apt-get install ${name}   (or dnf, apk, pacman)`,
    ),
  );
}
