import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { parseRequest } from '../../http/parse-request.ts';
import type { Alert } from '../../model/alert.ts';
import type { Query } from '../../model/query-result.ts';
import { type Clock, systemClock } from '../../util/clock.ts';
import { CodedError } from '../../util/coded-error.ts';
import { toHtml } from '../runbooks/html.ts';
import { runbookIndex } from '../runbooks/runbook-index.ts';
import type { RunbookPage, Runbooks } from '../runbooks/runbooks.ts';
import type { EventLog } from '../storage/storage.ts';
import { answersTo } from './runbooks-answers.ts';
import { liveFacts } from './runbooks-facts.ts';

export interface RunbookRoutesOptions {
  readonly runbooks: Runbooks;
  readonly log: EventLog;
  /** Those that are pending or firing. */
  readonly alerts: () => readonly Alert[];
  /** Runs the queries of a page; they are only shown when it is left out. */
  readonly query?: Query;
  readonly clock?: Clock;
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

/** `GET /runbooks/<Alert>?namespace=&pod=`, also of a failure mode or a cause, as a page, with what is known now about the subject in the query; `<Alert>.md`, or an Accept header that prefers Markdown, gives Markdown. */
export function runbookRoutes(options: RunbookRoutesOptions): FastifyPluginAsync {
  const { runbooks, log, alerts, query, clock = systemClock } = options;
  return async (app) => {
    app.get('/runbooks', async (_, reply) => {
      reply.header('cache-control', 'no-store').type('text/html; charset=utf-8');
      return toDocument({
        title: 'Runbooks',
        html: toHtml(runbookIndex(runbooks, (name) => `/runbooks/${name}`)),
      });
    });
    app.get<{ Params: { file: string } }>('/runbooks/:file', async (request, reply) => {
      const [, alert, extension] = /^([A-Za-z0-9_]{1,100})(\.md)?$/.exec(request.params.file) ?? [];
      const about = parseRequest(subjectQuery, request.query, 'query');
      const live = alert && liveFacts({ alert, subject: about, log, alerts: alerts() });
      const answers =
        live && query ? await answersTo(runbooks.queries(alert, live), query, clock.now()) : undefined;
      const page = alert && runbooks.page(alert, live || undefined, answers);
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

function toDocument({ title, html }: Pick<RunbookPage, 'title' | 'html'>): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)} · podvitals</title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/theme.css">
<link rel="stylesheet" href="/document.css">
</head>
<body>
<header><a href="/">podvitals</a><span aria-hidden="true"> / </span><a href="/alerts">alerts</a><span aria-hidden="true"> / </span><a href="/runbooks">runbooks</a></header>
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
