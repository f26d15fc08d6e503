import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { parseRequest } from '../../http/parse-request.ts';
import type { Alert } from '../../model/alert.ts';
import { CodedError } from '../../util/coded-error.ts';
import type { RunbookPage, Runbooks } from '../runbooks/runbooks.ts';
import type { EventLog } from '../storage/storage.ts';
import { liveFacts } from './runbooks-facts.ts';

export interface RunbookRoutesOptions {
  readonly runbooks: Runbooks;
  readonly log: EventLog;
  /** Those that are pending or firing. */
  readonly alerts: () => readonly Alert[];
}

const label = z.string().min(1).max(253).optional();
const subjectQuery = z.object({
  namespace: label,
  pod: label,
  container: label,
  workload: label,
  node: label,
  slo: label,
});

/** `GET /runbooks/<Alert>?namespace=&pod=` as a page, with what is known now about the subject in the query; `<Alert>.md`, or an Accept header that prefers Markdown, gives Markdown. */
export function runbookRoutes({ runbooks, log, alerts }: RunbookRoutesOptions): FastifyPluginAsync {
  return async (app) => {
    app.get<{ Params: { file: string } }>('/runbooks/:file', async (request, reply) => {
      const [, alert, extension] = /^([A-Za-z0-9_]{1,100})(\.md)?$/.exec(request.params.file) ?? [];
      const about = parseRequest(subjectQuery, request.query, 'query');
      const page = alert && runbooks.page(alert, liveFacts({ alert, subject: about, log, alerts: alerts() }));
      if (!page) {
        throw new CodedError(
          'RUNBOOK_NOT_FOUND',
          `there is no runbook "${request.params.file.slice(0, 100)}"`,
          {
            status: 404,
          },
        );
      }
      reply.header('cache-control', 'no-store').header('vary', 'accept');
      if (extension === '.md' || prefersMarkdown(request.headers.accept ?? '')) {
        return reply.type('text/markdown; charset=utf-8').send(page.markdown);
      }
      return reply.type('text/html; charset=utf-8').send(toDocument(page));
    });
  };
}

function prefersMarkdown(accept: string): boolean {
  return accept.includes('text/markdown') && !accept.includes('text/html');
}

function toDocument({ title, html }: RunbookPage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)} · podvitals</title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/document.css">
</head>
<body>
<header><a href="/">podvitals</a><span aria-hidden="true"> / </span><a href="/alerts">alerts</a></header>
<main>
${html}
</main>
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
