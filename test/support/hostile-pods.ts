import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// In pieces, so that no scanner takes this file for a leak.
const joined = (...parts: readonly string[]) => parts.join('');

/** Secrets of many kinds: the line each stands in, and the part that must never leave. */
export const SECRETS: readonly (readonly [line: string, secret: string])[] = (
  [
    ['AWS access key %', joined('AKIA', 'Q3EGRIEXAMPLE7ZT')],
    ['aws_secret_access_key = %', joined('wJalrXUtnFEMI/', 'K7MDENG/bPxRfiCYzEXAMPLE')],
    ['cloning with %', joined('ghp_', 'a8Zk3LmPq9RtVwXy2BcDfGhJkMnPqRsTuVw1')],
    ['posting to slack as %', joined('xoxb-', '263594206564-2343594206574-FGqddMF8t08v8N7Oq4i57vs1')],
    [
      'Authorization: Bearer %',
      joined('eyJhbGciOiJIUzI1NiJ9', '.eyJzdWIiOiJtYWxsb3J5In0.c2lnbmF0dXJlLW9mLW1hbGxvcnk'),
    ],
    ['connecting to postgres://shop:%@db.internal:5432/shop', 'Tr0ub4dor&3xyz'],
    ['started with --password=% --verbose', 'correct-horse-battery-9'],
    ['{"level":"info","apiKey":"%","msg":"ready"}', 'f3b1c9a07d5e4286b91c'],
    ['charge failed for key %', joined('sk_', 'live_51H8xQpKZvKYlo2C9xT7aBcDe')],
    ['Set-Cookie: session=%; HttpOnly', 's3ss10n-4f9a1c77b2e0'],
    ['SMTP_PASSWORD=%', 'mail-pass-77-qx!z'],
    ['maps loaded with %', joined('AIza', 'SyD4kQ7vB2nX9wE1rT6yU3iO8pA5sZ0cLqM')],
    ['mirroring with %', joined('glpat-', 'Zx8vQ2nM4kL7pR1tY6wS')],
    ['publishing as %', joined('npm_', 'q7Xw2Vb9Nk4Lm8Pz1Rt6Yc3Hd5Gf0SjAeUoIi')],
    ['mail relay %', joined('SG.', 'ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf09kqeF8tAmbihYzrnopKcNAn5ULw')],
    [
      'AccountName=shop;AccountKey=%;EndpointSuffix=core.example',
      joined('kQ7vB2nX9wE1rT6yU3iO8pA5', 'sZ0cLqM4dF7gH1jK9lP2oI6uY5tR3eW8qA=='),
    ],
    [
      'droplet made by %',
      joined('dop_v1_', '3f9a1c77b2e04d5e4286b91cf3b1c9a07d5e4286b91c3f9a1c77b2e04d5e4286'),
    ],
    [
      'alerting https://hooks.slack.com/services/%',
      joined('T0G9PQBBK/B0G9PQBBL/', 'Xr2Vb9Nk4Lm8Pz1Rt6Yc3Hd5'),
    ],
    ['proxy-authorization: Basic %', 'c2hvcDpodW50ZXItb2YtdGhlLWhpbGxz'],
    ['dsn shop:%@tcp(db.internal:3306)/shop', 'mysql-pass-41-vx'],
    ['cache at redis://default:%@cache.internal:6379/0', 'r3dis-pass-88-qq'],
    ['vault login with %', joined('hvs.', 'CAESIJ2Wm8Pz1Rt6Yc3Hd5Gf0SjAeUoIiQ7Xw2Vb9Nk4L')],
    ['asking the model with %', joined('sk-', 'proj-Nk4Lm8Pz1Rt6Yc3Hd5Gf0SjAeUoIiQ7Xw2Vb9')],
    ['trusting client_secret: "%"', 'GvT8~cl1ent-secret-of-shop'],
    ['GET /callback?state=1&access_token=% 302', 'q-tok-5512-xu'],
    ['pulling {"auths":{"registry.internal":{"auth":"%"}}}', 'c2hvcDpyZWdpc3RyeS1odW50ZXI='],
    ['-----BEGIN EC PRIVATE KEY-----\n%\n-----END EC PRIVATE KEY-----', 'MHcCAQEEIGt1cnplciBTY2hsdWVzc2Vs'],
    [
      '-----BEGIN RSA PRIVATE KEY----- % -----END RSA PRIVATE KEY-----',
      joined('MIIEpAIBAAKCAQEA7yn3bRHQ5FHMQ', 'Zx8vQ2nM4kL7pR1tY6wSq7Xw2Vb9Nk4Lm8Pz1Rt6'),
    ],
  ] as const
).map(([line, secret]) => [line.replace('%', secret), secret] as const);

export const ENV_SECRET = 'env-only-secret-5b8e0d3f';

/** Secrets that stand nowhere but in arguments, in a setting of an innocent name, in objects, or in the last words. */
export const PLACED_SECRETS = {
  argument: 'argument-only-secret-71c4a9',
  setting: 'setting-only-secret-c05e',
  configMap: 'configmap-only-secret-9d21',
  secret: 'object-only-secret-e7f60b',
  error: 'error-only-secret-33ab',
  // Nothing but the Secret that holds it says what it is.
  value: 'seven magpies on the mill',
} as const;

/** What a browser would act on. `window.pwned` and `data-pwned` tell that it did. */
const MARKUP = [
  '<script>window.pwned=1</script>',
  '</script><script>window.pwned=1</script>',
  '<img data-pwned src=x onerror=window.pwned=1>',
  '<svg data-pwned onload=window.pwned=1>',
  '"><a data-pwned href="javascript:window.pwned=1">x</a>',
  "{{constructor.constructor('window.pwned=1')()}} {{{lookup this}}} {{> now}}",
  '[click](javascript:window.pwned=1) ![x](http://evil.example/x.png) http://evil.example/',
  '```',
  '# Pwned',
  '<div data-pwned>',
];
/** What a terminal would act on. */
const ESCAPES = [
  '\u001b]8;;http://evil.example\u001b\\click\u001b]8;;\u001b\\',
  '\u001b]0;owned\u0007\u001b[2J\u001b[1;1H\u001b[5m\u001bc',
  '\u009b5m\u009d0;owned\u009c \u0090q',
  'harmless\rroot# rm -rf /\b\b\b\u007f',
  '\u202egnp.exe\u2066 \u061c\u200f\u2028next',
];
/** What a shell would act on. */
const SHELL = [
  "'; touch pwned; '",
  '$(touch pwned)',
  '`touch pwned`',
  '; touch pwned #',
  '--config=/etc/passwd',
];

const INVALID_UTF8 = Buffer.from([0x61, 0xff, 0xfe, 0xc3, 0x28, 0xf0, 0x9f, 0x9b, 0x80, 0x62, 0x0a]);

/** A line by which tests know that what was written has arrived. */
export const MARKER = 'innocent-marker-7f3a';

/** What each pod says last before it dies: the texts that verdicts are made of. */
const LAST_WORDS: Readonly<Record<string, string>> = {
  constructor: `Error: missing required environment variable PAYMENT_URL$(touch pwned)<img data-pwned src=x>`,
  'a--force': `Error: connect ECONNREFUSED $(touch pwned).internal:5432 (postgres://shop:${PLACED_SECRETS.error}@db.internal:5432/shop)`,
  '0x0': `Error: getaddrinfo ENOTFOUND \`touch pwned\`.<script>window.pwned=1</script>`,
  null: `Error: ENOENT: no such file or directory, open '/etc/'; touch pwned; '\u001b]0;owned\u0007'`,
  true: `panic: \u202e<svg onload=window.pwned=1> {{command "reboot"}}`,
};
export const CRASHING = Object.keys(LAST_WORDS);
export const NAMESPACE = 'constructor';
export const STEADY = 'steady';

/** Writes a manifest and what its pods print into `folder`; returns the manifest's path. */
export function writeHostilePods(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const lines = [MARKER, ...MARKUP, ...ESCAPES, ...SHELL, ...SECRETS.map(([line]) => line)];
  const megabyte = `${'A '.repeat(1 << 19)}${SECRETS[2]![0]} ${'B'.repeat(1000)}\n`;
  const said = Buffer.concat([Buffer.from(megabyte), INVALID_UTF8, Buffer.from(`${lines.join('\n')}\n`)]);
  writeFileSync(join(folder, 'said.txt'), said);
  for (const [name, words] of Object.entries(LAST_WORDS))
    writeFileSync(join(folder, `${name}.txt`), `${words}\n`);
  const crashing = CRASHING.map((name) =>
    pod(name, `cat said.txt; echo "I recite $VERSE"; cat ${name}.txt >&2; exit 1`),
  );
  const path = join(folder, 'hostile.yaml');
  writeFileSync(
    path,
    [...objects(), ...crashing, pod(STEADY, 'cat said.txt; echo "I recite $VERSE"; exec sleep 1000')]
      .map((one) => JSON.stringify(one))
      .join('\n---\n'),
  );
  return path;
}

const objects = () => [
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: NAMESPACE },
    data: { 'app.properties': `db.password=${PLACED_SECRETS.configMap}\n` },
  },
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'secrets', namespace: NAMESPACE },
    stringData: { pass: PLACED_SECRETS.secret, verse: PLACED_SECRETS.value },
  },
];

function pod(name: string, script: string) {
  const text = [...MARKUP, ...ESCAPES, ...SHELL].join('\n');
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: NAMESPACE,
      labels: { constructor: 'a--force', valueOf: 'x..y', 'app.kubernetes.io/part-of': 'constructor' },
      annotations: { 'evil.example/text': text },
    },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'constructor',
          command: ['sh', '-c', `${script} # <script>window.pwned=1</script>\u001b[2J\u202e`],
          args: ['sh', '--api-token', PLACED_SECRETS.argument],
          env: [
            { name: 'HOSTILE', value: text },
            { name: 'DATABASE_PASSWORD', value: ENV_SECRET },
            { name: 'UPSTREAM', value: `amqp://shop:${PLACED_SECRETS.setting}@queue.internal:5672` },
            { name: 'VERSE', valueFrom: { secretKeyRef: { name: 'secrets', key: 'verse' } } },
            { name: 'PASS', valueFrom: { secretKeyRef: { name: 'secrets', key: 'pass' } } },
          ],
          volumeMounts: [{ name: 'settings', mountPath: '/tmp/hostile-settings' }],
        },
      ],
      volumes: [{ name: 'settings', configMap: { name: 'settings' } }],
    },
  };
}
