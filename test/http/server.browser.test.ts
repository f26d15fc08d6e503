import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEventStream } from '../../src/http/event-stream.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { openBrowser, type TestBrowser } from '../support/browser.ts';
import { missing } from '../support/parts.ts';

const SECRET = 'what only our own pages may read';

/** A server whose routes change and tell without any token: only the checks of origin stand between. */
async function startServer() {
  const asked: string[] = [];
  const server = await createHttpServer({ name: 'collector', listen: { host: '127.0.0.1', port: 0 } });
  const { app } = server;
  app.addContentTypeParser('application/x-www-form-urlencoded', (_request, _body, done) => done(null));
  app.addContentTypeParser('text/plain', (_request, _body, done) => done(null));
  app.get('/', async (_request, reply) => reply.type('text/html').send('<!doctype html><title>ours</title>'));
  app.get('/secret', async () => {
    asked.push('read');
    return { secret: SECRET };
  });
  app.post('/change', { config: { access: 'read' } }, async () => {
    asked.push('change');
    return { changed: true };
  });
  app.get('/watch', (_request, reply) => {
    asked.push('watch');
    openEventStream(reply).send({ data: SECRET });
  });
  return { server, asked, url: await server.listen() };
}

/** What a hostile page tries; answers with everything it got to see. Runs in the browser. */
const ATTACK = `async (target) => {
  const seen = [];
  const attempt = async (name, run) => {
    try { seen.push(name + ': ' + await run()); } catch { seen.push(name + ': nothing'); }
  };
  const read = async (answer) => answer.type === 'opaque' ? 'opaque' : await answer.text();
  await attempt('get', async () => read(await fetch(target + '/secret')));
  await attempt('get without cors', async () => read(await fetch(target + '/secret', { mode: 'no-cors' })));
  await attempt('post', async () => read(await fetch(target + '/change', { method: 'POST' })));
  await attempt('post without cors', async () =>
    read(await fetch(target + '/change', { method: 'POST', mode: 'no-cors', body: 'x=1' })));
  await attempt('beacon', async () => { navigator.sendBeacon(target + '/change', 'x=1'); return 'sent'; });
  await attempt('json with preflight', async () =>
    read(await fetch(target + '/change', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })));
  await attempt('watch', () => new Promise((resolve, reject) => {
    const source = new EventSource(target + '/watch');
    source.onmessage = (message) => resolve(message.data);
    source.onerror = () => { source.close(); reject(); };
  }));
  await attempt('script', () => new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = target + '/secret';
    script.onload = () => resolve('loaded');
    script.onerror = reject;
    document.head.append(script);
  }));
  await attempt('frame', () => new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.src = target + '/secret';
    frame.onload = () => { try { resolve(frame.contentDocument.body.textContent || 'empty'); } catch { resolve('nothing'); } };
    document.body.append(frame);
  }));
  await attempt('form', () => new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.name = 'sink';
    document.body.append(frame);
    const form = document.createElement('form');
    Object.assign(form, { action: target + '/change', method: 'post', target: 'sink' });
    document.body.append(form);
    frame.onload = () => resolve('sent');
    form.submit();
  }));
  return seen;
}`;

describe.skipIf(missing('chromium'))('a web page', () => {
  let ours: Awaited<ReturnType<typeof startServer>>;
  let other: Server;
  let browser: TestBrowser;
  let otherPort: number;

  beforeAll(async () => {
    ours = await startServer();
    other = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><title>hostile</title><body>');
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    otherPort = (other.address() as { port: number }).port;
    browser = await openBrowser({}, ['--host-resolver-rules=MAP evil.example 127.0.0.1']);
  });
  afterAll(async () => {
    await browser?.close();
    other?.close();
    await ours?.server.close();
  });

  it.each([
    ['of another port', '127.0.0.1'],
    ['of another name for this machine', 'localhost'],
    ['of another site', 'evil.example'],
  ])('%s changes nothing and reads nothing', async (_where, host) => {
    const page = await browser.context.newPage();
    await page.goto(`http://${host}:${otherPort}/`);
    ours.asked.length = 0;
    const seen = (await page.evaluate(`(${ATTACK})(${JSON.stringify(ours.url)})`)) as string[];
    expect(seen).toHaveLength(10);
    expect(seen.join('\n')).not.toContain(SECRET);
    expect(seen.join('\n')).not.toContain('loaded');
    expect(ours.asked, seen.join('\n')).toEqual([]);
    await page.close();
  });

  it('that makes its own name point to us is refused', async () => {
    const page = await browser.context.newPage();
    const { port } = new URL(ours.url);
    const answer = await page.goto(`http://evil.example:${port}/secret`);
    expect(answer!.status()).toBe(403);
    expect(await page.textContent('body')).not.toContain(SECRET);
    expect(ours.asked).toEqual([]);
    await page.close();
  });

  it('of ours may read, watch and change', async () => {
    const page = await browser.context.newPage();
    await page.goto(ours.url);
    const seen = (await page.evaluate(`(${ATTACK})('')`)) as string[];
    expect(seen.slice(0, 3)).toEqual([
      `get: {"secret":"${SECRET}"}`,
      `get without cors: {"secret":"${SECRET}"}`,
      'post: {"changed":true}',
    ]);
    expect(seen).toContain(`watch: "${SECRET}"`);
    await page.close();
  });

  it('may link to us', async () => {
    const page = await browser.context.newPage();
    await page.goto(`http://evil.example:${otherPort}/`);
    await page.setContent(`<a href="${ours.url}/">see</a>`);
    await page.click('a');
    await page.waitForURL(`${ours.url}/`);
    expect(await page.title()).toBe('ours');
    await page.close();
  });
});
