import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactLog, redactObject, redactText } from '../../../src/agent/redaction/redaction.ts';

// Made up, and put together here so that no scanner takes them for leaked ones.
const join = (...parts: readonly string[]) => parts.join('');
const LONG = 'aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA';
const SECRETS: Readonly<Record<string, readonly [line: string, secret: string]>> = {
  'a password variable': ['DB_PASSWORD=hunter2swordfish', 'hunter2swordfish'],
  'a password in JSON': ['{"user":"shop","password":"s3cr3t, \\"and\\" more","port":1}', 'and'],
  'a password in YAML': ['  dbPassword: correct-horse', 'correct-horse'],
  'a flag with its value apart': ['exec server --api-token tk_live_81 --port 80', 'tk_live_81'],
  'a token in a query': ['GET /hook?access_token=81f0c&x=1 200', '81f0c'],
  'a bearer header': [`Authorization: Bearer ${LONG}`, LONG],
  'a basic header': ['authorization: Basic c2hvcDpodW50ZXIy', 'c2hvcDpodW50ZXIy'],
  'a web token': [
    `got ${join('eyJ', 'hbGciOiJIUzI1NiJ9')}.eyJzdWIiOiJzaG9wIn0.c2lnbmF0dXJl-x`,
    'c2lnbmF0dXJl',
  ],
  'an AWS key id': [`using ${join('AKIA', 'IOSFODNN7EXAMPLE')} in eu`, 'IOSFODNN7EXAMPLE'],
  'an AWS secret': [`aws_secret_access_key = ${LONG}/abcdEFG`, LONG],
  'a Google key': [`key ${join('AIza', 'SyA1234567890abcdefghijklmnopqrstuv')}`, '1234567890'],
  'a GitHub token': [`clone with ${join('ghp', '_')}${LONG}abcd`, LONG],
  'a GitLab token': [`${join('glpat', '-')}abcdefghij1234567890`, 'abcdefghij1234567890'],
  'a Slack token': [`${join('xox', 'b-')}1111-2222-abcdefGHIJ`, 'abcdefGHIJ'],
  'a Slack webhook': [
    `POST https://hooks.slack.com/${join('services', '/T0/B0/')}abcdefghijkl`,
    'abcdefghijkl',
  ],
  'a Stripe key': [`${join('sk', '_live_')}abcdefghijklmnop`, 'abcdefghijklmnop'],
  'an npm token': [`//registry/:_authToken=${join('npm', '_')}${LONG}abcd`, LONG],
  "a URL's password": ['connect postgres://shop:p%40ss-word@db:5432/shop failed', 'p%40ss-word'],
  "a URL's password with a slash": ['amqp://shop:pa/ss@rabbit:5672/', 'pa/ss'],
  "a URL's password without a user": ['redis://:hunter2@redis:6379/0', 'hunter2'],
  'a data source name': ['shop:hunter2@tcp(db:3306)/shop', 'hunter2'],
  'a connection string': ['Server=db;Database=shop;User Id=sa;Password=Hunter2!;Encrypt=true', 'Hunter2'],
  'an Azure key': [`DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=${LONG}==;`, LONG],
  'credentials of a registry': [
    '{"auths":{"registry.internal":{"auth":"c2hvcDpyZWdpc3RyeS1odW50ZXI="}}}',
    'c2hvcDpyZWdpc3RyeS1odW50ZXI',
  ],
  'a cookie': ['Set-Cookie: session=81f0c; Path=/', '81f0c'],
  'long random hexadecimal': ['seed=9f86d081884c7d659a2feaa0c55ad015', '9f86d081884c7d65'],
  'long random base64': [`value=${LONG}+/${LONG}`, LONG],
  'a key on one line': ['tls.key: -----BEGIN RSA PRIVATE KEY----- MIIEow IBAAK', 'MIIEow'],
};

/** What must stay readable: on-call engineers need it. */
const HARMLESS = [
  'Error: missing required environment variable PAYMENT_URL',
  'SyntaxError: Unexpected token } in JSON at position 41',
  'token expired, please log in again',
  'invalid token: expired',
  'FATAL:  password authentication failed for user "shop"',
  'Error: listen EADDRINUSE: address already in use :::8080',
  "Error: ENOENT: no such file or directory, open '/etc/cart/config.json'",
  'connect ECONNREFUSED 10.88.0.7:5432',
  'GET http://10.88.0.2:8080/healthz 200 4ms',
  'see https://example.com:8443/docs/@scope/page?x=1',
  'commit=3b18e512dba79e4c8300dd08aeb37f8e728b8dad',
  'image=registry/shop@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  'trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7',
  'request_id=7b0c81aa-5d9c-4b61-9d0e-0123456789ab',
  'max_tokens=4096 temperature=1',
  'tokenizer: loaded 32000 words',
  'monkey: eats banana, keyboard: qwerty, author: nobody, compass: north',
  'secretName: shop-tls, passwordFile: /run/secrets/db',
  'path=/usr/local/lib/node_modules/some-package/dist/index.js',
  'PASSWORD_MIN_LENGTH=12',
  'primary_key: order_id',
  'at Object.<anonymous> (/app/server.js:40:1)',
  '2026-03-01T10:00:00Z level=info msg="listening" addr=0.0.0.0:8080',
  'worker: 12 orders in memory, 81 MiB',
];

describe('a secret', () => {
  for (const [name, [line, secret]] of Object.entries(SECRETS)) {
    it(`is taken out: ${name}`, () => {
      expect(redactText(line)).not.toContain(secret);
      expect(redactText(line)).toContain('[redacted]');
    });
  }

  it('leaves the rest of its line readable', () => {
    expect(redactText('connect postgres://shop:hunter2@db:5432/shop failed after 3 s')).toBe(
      'connect postgres://shop:[redacted]@db:5432/shop failed after 3 s',
    );
    expect(redactText('retry with password=hunter2, user=shop')).toBe(
      'retry with password=[redacted], user=shop',
    );
  });

  it('of several lines is taken out whole, also where its beginning was cut off', () => {
    const at = { at: 0, stream: 'stdout' } as const;
    const body = `${LONG}${LONG}`;
    const lines = ['-----BEGIN PRIVATE KEY-----', body, 'c2hvcnQ=', '-----END PRIVATE KEY-----', 'listening'];
    const texts = redactLog(lines.map((text) => ({ ...at, text }))).map(({ text }) => text);
    expect(texts.join('\n')).not.toMatch(/aB3d|c2hv/);
    expect(texts.at(-1)).toBe('listening');
    expect(redactText(`${body}\n-----END PRIVATE KEY-----`)).not.toContain('aB3d');
  });

  it('of any kind is found wherever it stands in a line', () => {
    const around = fc.string({ unit: fc.constantFrom(...'abc 019.,()[]'.split('')), maxLength: 20 });
    const kinds = fc.constantFrom(
      ...Object.values(SECRETS).filter(([line]) => !line.startsWith('Set-Cookie')),
    );
    fc.assert(
      fc.property(around, kinds, around, (before, [line, secret], after) => {
        expect(redactText(`${before} ${line} ${after}`)).not.toContain(secret);
      }),
    );
  });
});

describe('what is no secret', () => {
  for (const line of HARMLESS)
    it(`stays as it is: ${line.slice(0, 60)}`, () => expect(redactText(line)).toBe(line));
});

describe('redaction', () => {
  it('done twice changes nothing more', () => {
    const pieces = fc.constantFrom(
      'password',
      'token',
      '=',
      ': ',
      '"',
      "'",
      ' ',
      'Bearer ',
      '://',
      '@',
      'a:b',
      '[redacted]',
      '\n',
      LONG,
      '-',
      '\\',
      ',',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.array(pieces, { maxLength: 40 }).map((list) => list.join('')),
    );
    fc.assert(
      fc.property(text, (drawn) => {
        expect(redactText(redactText(drawn))).toBe(redactText(drawn));
      }),
      { numRuns: 1000 },
    );
  });

  it('cuts lines that are too long, and says so', () => {
    const text = redactText(`${'word '.repeat(20_000)}password=hunter2`);
    expect(text.length).toBeLessThan(17_000);
    expect(text).toMatch(/characters more\)$/);
  });

  it('takes hostile lines in its stride: ten times the line is not a hundred times the work', () => {
    for (const unit of [
      'eyJ',
      'a:',
      'password',
      'password=',
      '"',
      'https://a:',
      '-----BEGIN ',
      'a=',
      'Bearer ',
      '\\',
      'a.b-',
    ]) {
      const cost = (length: number) => {
        const line = unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
        const started = process.cpuUsage().user;
        for (let round = 0; round < 16_000 / length; round += 1) redactText(line);
        return process.cpuUsage().user - started;
      };
      cost(1600);
      // Per character the long line may cost no more than 40 times the short one; quadratic would be worse by far.
      expect(cost(16_000), unit).toBeLessThan(40 * Math.max(2000, cost(1600)));
    }
  });
});

describe('a pod object', () => {
  const pod = {
    metadata: {
      name: 'cart',
      annotations: { 'example.com/db-password': 'hunter2', note: 'redis://:hunter3@r' },
    },
    spec: {
      containers: [
        {
          name: 'cart',
          command: ['server', '--password', 'hunter4', '--token=hunter5', '--port', '80'],
          env: [
            { name: 'DB_PASSWORD', value: 'hunter6' },
            { name: 'PAYMENT_URL', value: 'https://shop:hunter7@pay' },
            { name: 'CURRENCY', value: 'EUR' },
            { name: 'API_TOKEN', valueFrom: { secretKeyRef: { name: 'shop', key: 'token' } } },
            { name: 'PASSWORD_COPY', value: '$(DB_PASSWORD)' },
          ],
          livenessProbe: {
            httpGet: { httpHeaders: [{ name: 'Authorization', value: 'Bearer hunter8hunter8' }] },
          },
        },
      ],
      volumes: [{ name: 'tls', secret: { secretName: 'shop-tls' } }],
    },
  };

  it('loses the values of settings that sound secret, and secrets in any other', () => {
    expect(JSON.stringify(redactObject(pod))).not.toMatch(/hunter/);
  });

  it('keeps names, references and all that is no secret', () => {
    const { spec } = redactObject(pod);
    expect(spec.containers[0]!.env[2]).toEqual({ name: 'CURRENCY', value: 'EUR' });
    expect(spec.containers[0]!.env[3]).toEqual(pod.spec.containers[0]!.env[3]);
    expect(spec.volumes).toEqual(pod.spec.volumes);
    expect(spec.containers[0]!.command.slice(-2)).toEqual(['--port', '80']);
  });

  it('is not changed itself', () => {
    const before = structuredClone(pod);
    redactObject(pod);
    expect(pod).toEqual(before);
  });

  it('leave what identifies a pod or an image, as engines write it: 64 hexadecimal digits', () => {
    const id = '4f9b0c1d2e3a48576b8c9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c';
    const metadata = { uid: id, containerID: id, digest: id };
    expect(redactObject(metadata)).toEqual(metadata);
    expect(redactObject({ note: id, uid: `hunter ${id}=${id}` })).not.toMatchObject({ note: id });
  });
});
