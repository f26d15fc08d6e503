import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

/** What a path answers: a text, or anything that can be done to a request. */
export type Answer = string | ((request: IncomingMessage, response: ServerResponse) => void);

/** A real HTTP server on 127.0.0.1 whose answers can be changed while it is scraped. */
export interface ScrapeTarget {
  readonly address: string;
  readonly answers: Map<string, Answer>;
  close(): Promise<void>;
}

export const TEXT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** Texts that end with # EOF are OpenMetrics. */
export async function startScrapeTarget(answers: Readonly<Record<string, Answer>>): Promise<ScrapeTarget> {
  const known = new Map(Object.entries(answers));
  const server = createServer((request, response) => {
    const answer = known.get(request.url!.split('?')[0]!);
    if (answer === undefined) response.writeHead(404).end();
    else if (typeof answer === 'function') answer(request, response);
    else sendText(response, answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    answers: known,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function sendText(response: ServerResponse, text: string): void {
  const type = text.endsWith('# EOF\n') ? OPEN_METRICS_TYPE : TEXT_TYPE;
  response.writeHead(200, { 'content-type': type }).end(text);
}

export const gzipped =
  (text: string): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': TEXT_TYPE, 'content-encoding': 'gzip' }).end(gzipSync(text));
  };
