/** How surely a name stands for a secret: `weak` ones mean it only in settings (`key=…`), not in prose. */
export type NameStrength = 'strong' | 'weak';

const STRONG = new Set([
  'password',
  'passwd',
  'passphrase',
  'pwd',
  'secret',
  'token',
  'apikey',
  'authorization',
  'credential',
  'credentials',
  'privatekey',
  'accesskey',
  'secretkey',
  'bearer',
  'cookie',
  'xsrf',
  'csrf',
]);
const STRONG_ENDINGS = [
  'password',
  'passwd',
  'passphrase',
  'secret',
  'token',
  'apikey',
  'accesskey',
  'secretkey',
];
const WEAK = new Set([
  'pass',
  'key',
  'auth',
  'sig',
  'signature',
  'session',
  'sid',
  'jwt',
  'dsn',
  'otp',
  'salt',
]);
const KEY_OWNERS = new Set([
  'api',
  'access',
  'private',
  'secret',
  'signing',
  'encryption',
  'auth',
  'account',
  'master',
  'shared',
  'service',
  'client',
  'app',
  'admin',
  'storage',
  'license',
  'webhook',
  'deploy',
  'ssh',
  'hmac',
  'jwt',
  'session',
  'license',
]);
// What says something about a secret rather than being one: PASSWORD_FILE, secretName, token_count.
const ABOUT = new Set([
  'file',
  'files',
  'path',
  'dir',
  'name',
  'names',
  'ref',
  'refs',
  'length',
  'len',
  'count',
  'size',
  'ttl',
  'expiry',
  'expires',
  'expiration',
  'type',
  'policy',
  'url',
  'uri',
  'endpoint',
  'version',
  'enabled',
  'required',
  'limit',
  'min',
  'max',
  'age',
  'timeout',
  'algorithm',
  'issuer',
  'field',
  'header',
  'prefix',
  'provider',
  'source',
  'store',
  'manager',
  'mode',
  'namespace',
  'kind',
  'audience',
  'id',
  'lookup',
  'refresh',
  'rotation',
  'interval',
]);

/** Words of a name, lower case: `dbPassword`, `DB_PASSWORD` and `db-password` are all `db`, `password`. */
function wordsOf(name: string): readonly string[] {
  return name
    .slice(0, 128)
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}

/** Whether what stands under `name` (of a setting, variable, header, field) is a secret; undefined: no. */
export function secretNameStrength(name: string): NameStrength | undefined {
  const words = wordsOf(name);
  const last = words.at(-1);
  if (last === undefined || ABOUT.has(last)) return undefined;
  if (words.some((word) => STRONG.has(word) || STRONG_ENDINGS.some((ending) => word.endsWith(ending)))) {
    return 'strong';
  }
  if (last === 'key' && KEY_OWNERS.has(words.at(-2) ?? '')) return 'strong';
  return WEAK.has(last) ? 'weak' : undefined;
}
