import { quote, quoteAll } from './shell.ts';

export type Environment = readonly (readonly [name: string, value: string])[];

/** Names a shell uses itself: setting them inside the shell would change it, or fail. */
const SHELL_NAMES = new Set([
  'IFS',
  'LINENO',
  'OPTIND',
  'OPTARG',
  'PPID',
  'PS1',
  'PS2',
  'PS4',
  'PWD',
  'OLDPWD',
  'ENV',
  'CDPATH',
  'MAIL',
  'MAILPATH',
  'MAILCHECK',
  'UID',
  'EUID',
  'SHELLOPTS',
  'BASHOPTS',
  'HISTSIZE',
  'TERM',
  '_',
]);

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The container's environment as given, later entries winning, with PATH, HOME and HOSTNAME where absent. */
export function completeEnvironment(
  given: Environment,
  nodeFolder: string,
  hostname: string,
  home = '/root',
): Environment {
  const complete = new Map<string, string>([
    ['PATH', `${nodeFolder}:${DEFAULT_PATH}`],
    ['HOME', home],
    ['HOSTNAME', hostname],
  ]);
  for (const [name, value] of given) complete.set(name, value);
  return [...complete];
}

// What the loader reads must not act on what runs before the command, with more rights than it.
const isPlain = (name: string) =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !SHELL_NAMES.has(name) && !name.startsWith('LD_');

/**
 * Shell lines that become the command with exactly this environment. Values never pass through an argument list
 * others could read, the few names apart that a shell cannot hold (legal in Kubernetes: `a.b`) or that the loader acts
 * on (`LD_PRELOAD`), which a last `env` sets. `before` are words before it all, such as those that take away rights.
 */
export function execLines(
  command: readonly string[],
  environment: Environment,
  env: string,
  before: readonly string[] = [],
): readonly string[] {
  const first = before.length === 0 ? '' : `${quoteAll(before)} `;
  const exotic = environment.filter(([name]) => !isPlain(name)).map(([name, value]) => `${name}=${value}`);
  const exports = environment.filter(([name]) => isPlain(name));
  return [
    'unset PWD OLDPWD SHLVL _',
    ...exports.map(([name, value]) => `export ${name}=${quote(value)}`),
    exotic.length === 0
      ? `exec ${first}${quoteAll(command)}`
      : `exec ${first}${quote(env)} -- ${quoteAll(exotic)} ${quoteAll(command)}`,
  ];
}
