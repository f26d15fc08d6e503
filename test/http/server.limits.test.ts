import { afterEach, describe, expect, it } from 'vitest';
import { createHttpServer, type HttpServer, type HttpServerOptions } from '../../src/http/server.ts';
import { CodedError } from '../../src/util/coded-error.ts';

const TOKEN = 'a-token-of-twenty-four-c';
const servers: HttpServer[] = [];

async function server(options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const made = await createHttpServer({
    name: 'collector',
    listen: { host: '127.0.0.1', port: 0 },
    ...options,
  });
  servers.push(made);
  made.app.get('/api/thing', async () => ({ thing: 1 }));
  made.app.post('/api/thing', async () => ({ changed: true }));
  made.app.post('/api/question', { config: { access: 'read' } }, async () => ({ asked: true }));
  made.app.get('/api/defect', async () => {
    throw new TypeError('secret detail at /home/someone');
  });
  made.app.get('/api/coded', async () => {
    throw new CodedError('POD_UNKNOWN', 'pod "cart" not found', { status: 404 });
  });
  return made;
}

afterEach(async () => {
  for (const made of servers.splice(0)) await made.close();
});

const LOCAL = { host: 'localhost:7638' };

describe('what a server answers', () => {
  it('says that it is healthy, and ready or what is missing', async () => {
    let missing: string | null = 'the store is being read';
    const { app } = await server({ notReady: () => missing });
    expect((await app.inject({ url: '/-/healthy', headers: LOCAL })).statusCode).toBe(200);
    const early = await app.inject({ url: '/-/ready', headers: LOCAL });
    expect(early.json()).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'the store is being read',
      reason: 'ServiceUnavailable',
      code: 503,
    });
    missing = null;
    expect((await app.inject({ url: '/-/ready', headers: LOCAL })).body).toBe('the collector is ready\n');
  });

  it('tells a coded error and an unknown path as a Status', async () => {
    const { app } = await server();
    expect((await app.inject({ url: '/api/coded', headers: LOCAL })).json()).toMatchObject({
      message: 'pod "cart" not found',
      reason: 'NotFound',
      code: 404,
    });
    expect((await app.inject({ url: '/nowhere?x=1', headers: LOCAL })).json()).toMatchObject({
      message: 'there is nothing at GET /nowhere',
      reason: 'NotFound',
    });
  });

  it('keeps what went wrong inside to its log', async () => {
    const { app } = await server();
    const answer = await app.inject({ url: '/api/defect', headers: LOCAL });
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toMatch(/secret|home|server\.limits/);
    expect(answer.json().reason).toBe('InternalError');
  });

  it('refuses a body of more than 1 MiB', async () => {
    const { app } = await server();
    const answer = await app.inject({
      method: 'POST',
      url: '/api/question',
      headers: { ...LOCAL, 'content-type': 'application/json' },
      body: JSON.stringify('x'.repeat(1 << 20)),
    });
    expect(answer.json()).toMatchObject({ code: 413, reason: 'RequestEntityTooLarge' });
  });

  it('allows its pages their own files only, on refusals as well', async () => {
    const { app } = await server();
    for (const headers of [LOCAL, { host: 'evil.example' }]) {
      const answer = await app.inject({ url: '/api/thing', headers });
      const policy = String(answer.headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self';");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|https?:|\*/);
      expect(answer.headers['x-content-type-options']).toBe('nosniff');
      expect(answer.headers['cross-origin-resource-policy']).toBe('same-origin');
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  it('refuses a client that asks 12,000 times in a minute, and says when to come back', async () => {
    const { app } = await server();
    let last = await app.inject({ url: '/api/thing', headers: LOCAL });
    expect(last.headers['x-ratelimit-limit']).toBe('12000');
    for (let asked = 1; asked <= 12_000; asked += 1) {
      last = await app.inject({ url: '/api/thing', headers: LOCAL });
    }
    expect(last.json()).toMatchObject({ code: 429, reason: 'TooManyRequests' });
    expect(last.json().message).toMatch(/ask again in \d+ s/);
    expect((await app.inject({ url: '/-/healthy', headers: LOCAL })).statusCode).toBe(200);
  });
});

describe('who may ask', () => {
  const hosts = async (host: string, options: Partial<HttpServerOptions> = {}) => {
    const { app } = await server(options);
    return (await app.inject({ url: '/api/thing', headers: { host } })).statusCode;
  };

  it.each(['localhost', 'localhost:7638', 'LOCALHOST.:7638', '127.0.0.1:9999', '[::1]:7638'])(
    'answers to the Host %s',
    async (host) => expect(await hosts(host)).toBe(200),
  );

  it.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example:7638',
    'localhost@evil',
    '[::2]',
  ])('refuses the Host "%s"', async (host) => expect(await hosts(host)).toBe(403));

  it('answers to a configured name', async () => {
    expect(await hosts('pods.example.org', { allowedHosts: ['pods.example.org'] })).toBe(200);
    expect(await hosts('pods.example.org:443', { allowedHosts: ['pods.example.org'] })).toBe(200);
  });

  const asks = async (headers: Record<string, string>, method: 'GET' | 'POST' | 'OPTIONS' = 'GET') => {
    const { app } = await server();
    const url = method === 'GET' ? '/api/thing' : '/api/question';
    return (await app.inject({ method, url, headers: { ...LOCAL, ...headers } })).statusCode;
  };

  it('answers clients that are no browsers, its own pages, and links that someone follows', async () => {
    expect(await asks({})).toBe(200);
    expect(await asks({ origin: 'http://localhost:7638', 'sec-fetch-site': 'same-origin' }, 'POST')).toBe(
      200,
    );
    expect(await asks({ 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' })).toBe(200);
    const link = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    };
    expect(await asks(link)).toBe(200);
  });

  it('refuses what a page of another origin sends, reading and preflights included', async () => {
    expect(await asks({ origin: 'http://evil.example' })).toBe(403);
    expect(await asks({ origin: 'http://localhost:3000' }, 'POST')).toBe(403);
    expect(await asks({ origin: 'null' }, 'POST')).toBe(403);
    expect(await asks({ origin: 'http://evil.example' }, 'OPTIONS')).toBe(403);
    expect(await asks({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).toBe(403);
    expect(await asks({ 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' })).toBe(403);
    const frame = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'iframe',
    };
    expect(await asks(frame)).toBe(403);
    const form = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    };
    expect(await asks(form, 'POST')).toBe(403);
  });

  it('takes the origin of a configured name although a proxy changed the Host', async () => {
    const { app } = await server({ allowedHosts: ['pods.example.org'] });
    const headers = { ...LOCAL, origin: 'https://pods.example.org' };
    expect((await app.inject({ method: 'POST', url: '/api/question', headers })).statusCode).toBe(200);
  });

  it('changes nothing for a caller without a token, not even one on this machine', async () => {
    const answer = await (await server()).app.inject({ method: 'POST', url: '/api/thing', headers: LOCAL });
    expect(answer.json()).toMatchObject({ code: 403, reason: 'Forbidden' });
    expect(answer.json().message).toContain('changes state');
  });

  it('asks for the token where one is set, but not for its health', async () => {
    const { app } = await server({ token: TOKEN });
    const ask = (authorization?: string, url = '/api/thing') =>
      app.inject({ url, headers: { ...LOCAL, ...(authorization && { authorization }) } });
    const refused = await ask();
    expect(refused.statusCode).toBe(401);
    expect(refused.headers['www-authenticate']).toContain('Basic');
    expect((await ask(`Bearer ${TOKEN}x`)).statusCode).toBe(401);
    expect((await ask('Bearer')).statusCode).toBe(401);
    expect((await ask(undefined, '/unknown')).statusCode).toBe(401);
    expect((await ask(`Bearer ${TOKEN}`)).statusCode).toBe(200);
    expect((await ask(`Basic ${Buffer.from(`me:${TOKEN}`).toString('base64')}`)).statusCode).toBe(200);
    expect((await ask(undefined, '/-/healthy')).statusCode).toBe(200);
    const changed = await app.inject({
      method: 'POST',
      url: '/api/thing',
      headers: { ...LOCAL, authorization: `Bearer ${TOKEN}` },
    });
    expect(changed.json()).toEqual({ changed: true });
  });

  it('does not start beyond this machine without a token, or with a short one', async () => {
    const create = (token?: string) =>
      createHttpServer({ name: 'collector', listen: { host: '0.0.0.0', port: 0 }, token });
    await expect(create()).rejects.toMatchObject({ code: 'HTTP_TOKEN_REQUIRED' });
    await expect(create('short')).rejects.toMatchObject({ code: 'HTTP_TOKEN_SHORT' });
    await expect(create(TOKEN)).resolves.toBeDefined();
  });
});
