/** What a page of another origin aims at on one server. */
export interface Target {
  readonly url: string;
  /** A path worth reading. */
  readonly read: string;
  /** A path that takes a POST. */
  readonly change: string;
  /** A path of server-sent events. */
  readonly watch: string;
  /** What is posted, in base64, and its type. */
  readonly body: string;
  readonly contentType: string;
}

/**
 * JavaScript, to be called with a `Target` in a browser: everything a hostile page may try against another origin.
 * Answers with a line an attempt: what it got to see.
 */
export const ATTACK = `async ({ url, read, change, watch, body, contentType }) => {
  const seen = [];
  const bytes = Uint8Array.from(atob(body), (character) => character.charCodeAt(0));
  const attempt = async (name, run) => {
    try { seen.push(name + ': ' + await Promise.race([run(), new Promise((_, late) => setTimeout(late, 2000))])); } catch { seen.push(name + ': nothing'); }
  };
  const text = async (answer) => answer.type === 'opaque' ? 'opaque' : await answer.text();
  await attempt('get', async () => text(await fetch(url + read)));
  await attempt('get without cors', async () => text(await fetch(url + read, { mode: 'no-cors' })));
  await attempt('post', async () => text(await fetch(url + change, { method: 'POST', body: bytes })));
  await attempt('post without cors', async () =>
    text(await fetch(url + change, { method: 'POST', mode: 'no-cors', body: bytes })));
  await attempt('post with the right type', async () =>
    text(await fetch(url + change, { method: 'POST', headers: { 'content-type': contentType }, body: bytes })));
  await attempt('beacon', async () => { navigator.sendBeacon(url + change, bytes); return 'sent'; });
  await attempt('delete', async () => text(await fetch(url + change, { method: 'DELETE' })));
  await attempt('watch', () => new Promise((resolve, reject) => {
    const source = new EventSource(url + watch);
    source.onmessage = (message) => resolve(message.data);
    source.onerror = () => { source.close(); reject(); };
  }));
  await attempt('script', () => new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = url + read;
    script.onload = () => resolve('loaded');
    script.onerror = reject;
    document.head.append(script);
  }));
  await attempt('frame', () => new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.src = url + read;
    frame.onload = () => { try { resolve(frame.contentDocument.body.textContent || 'empty'); } catch { resolve('nothing'); } };
    document.body.append(frame);
  }));
  await attempt('form', () => new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.name = 'sink';
    document.body.append(frame);
    const form = document.createElement('form');
    Object.assign(form, { action: url + change, method: 'post', enctype: 'text/plain', target: 'sink' });
    document.body.append(form);
    frame.onload = () => resolve('sent');
    form.submit();
  }));
  return seen;
}`;
