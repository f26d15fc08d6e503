import handlebars from 'handlebars';
import { command, type Names, query } from './command.ts';
import { toHtml } from './html.ts';
import { type LiveFacts, namesOf, templateFacts } from './live-facts.ts';
import type { Templates } from './templates.ts';

export interface RunbookPage {
  readonly title: string;
  readonly markdown: string;
  /** The same as markup that is safe to show: sanitized, no script, no inline style. */
  readonly html: string;
}

export interface Runbooks {
  /** The alerts that have a runbook, in order of their names. */
  readonly names: readonly string[];
  /** With `live` the page has the evidence and filled-in commands; without, variables stand for names. */
  page(alert: string, live?: LiveFacts): RunbookPage | undefined;
}

/**
 * Runbooks made from Handlebars templates. What comes from pods enters a template only as Markdown that shows exactly
 * that text, and commands only quoted for a shell; what a template gives is sanitized once more as HTML.
 */
export function createRunbooks({ templates }: { readonly templates: Templates }): Runbooks {
  const environment = handlebars.create();
  // Text is escaped as Markdown before it comes here; escaping it as HTML, too, would show entities in code.
  const options = { noEscape: true, knownHelpers: { command: true, query: true } };
  environment.registerHelper('command', (template: string, { data }: handlebars.HelperOptions) =>
    command(template, (data.root as { names: Names }).names),
  );
  environment.registerHelper('query', (template: string, { data }: handlebars.HelperOptions) =>
    query(template, (data.root as { names: Names }).names),
  );
  const pages = new Map<string, HandlebarsTemplateDelegate>();
  for (const [name, source] of templates) {
    if (name.startsWith('_'))
      environment.registerPartial(name.slice(1), environment.compile(source, options));
    else pages.set(name, environment.compile(source, options));
  }
  return {
    names: [...pages.keys()].sort(),
    page(alert, live) {
      const template = pages.get(alert);
      if (!template) return undefined;
      const facts = live === undefined ? {} : { live: templateFacts(live) };
      const markdown = squeeze(template({ alert, names: namesOf(live), ...facts }));
      return { title: alert, markdown, html: toHtml(markdown) };
    },
  };
}

/** At most one empty line in a row, outside of code blocks, and one newline at the end. */
function squeeze(text: string): string {
  return `${text.replace(/(^(`{3,})[^\n]*\n[\s\S]*?^\2$)|\n{3,}/gm, (match, block?: string) => (block === undefined ? '\n\n' : match)).trim()}\n`;
}
