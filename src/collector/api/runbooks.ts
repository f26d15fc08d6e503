import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { parseRequest } from '../../http/parse-request.ts';
import { CodedError } from '../../util/coded-error.ts';

/** What an alert is about, from the link's query: its identity labels. */
export interface RunbookSubject {
  readonly namespace?: string | undefined;
  readonly pod?: string | undefined;
  readonly container?: string | undefined;
  readonly workload?: string | undefined;
  readonly node?: string | undefined;
  readonly slo?: string | undefined;
}

export interface RunbookPage {
  readonly title: string;
  readonly markdown: string;
  /** The same as markup that is safe to show: sanitized, no script, no inline style. */
  readonly html: string;
}

export interface Runbooks {
  /** The page of an alert with the evidence there is now; undefined for an alert without a runbook. */
  page(alert: string, subject: RunbookSubject): Promise<RunbookPage | undefined>;
}

const label = z.string().min(1).max(253).optional();
const subject = z.object({
  namespace: label,
  pod: label,
  container: label,
  workload: label,
  node: label,
  slo: label,
});

/** `GET /runbooks/<Alert>` as a page; `<Alert>.md`, or an Accept header that prefers Markdown, gives Markdown. */
export function runbookRoutes(runbooks: Runbooks): FastifyPluginAsync {
  return async (app) => {
    app.get<{ Params: { file: string } }>('/runbooks/:file', async (request, reply) => {
      const [, alert, extension] = /^([A-Za-z0-9_]{1,100})(\.md)?$/.exec(request.params.file) ?? [];
      const page = alert && (await runbooks.page(alert, parseRequest(subject, request.query, 'query')));
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
