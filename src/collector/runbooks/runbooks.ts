import handlebars from 'handlebars';
import { CAUSES, type Cause, causeOf } from '../../model/cause.ts';
import { command, expressionOf, type Names, query } from './command.ts';
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
  /** Of alerts, failure modes (`F1` … `F16`) and the checklist, in order. A cause's page is that of its failure mode. */
  readonly names: readonly string[];
  /**
   * The page of an alert, a failure mode or a cause. With `live` it has the evidence and filled-in commands; without,
   * variables stand for names. `answers` are shown below the queries they belong to.
   */
  page(name: string, live?: LiveFacts, answers?: Answers): RunbookPage | undefined;
  /** The queries of a page whose names are all known: what can be run beforehand, as it only reads. */
  queries(name: string, live: LiveFacts): readonly string[];
}

/** What a query answered, as lines of text; by its expression. */
export type Answers = ReadonlyMap<string, readonly string[]>;

interface Context {
  readonly names: Names;
  readonly answers: Answers;
  readonly onQuery: (expression: string) => void;
}

const byName = new Intl.Collator('en', { numeric: true }).compare;

/**
 * Runbooks made from Handlebars templates. What comes from pods enters a template only as Markdown that shows exactly
 * that text, and commands only quoted for a shell; what a template gives is sanitized once more as HTML.
 */
export function createRunbooks({ templates }: { readonly templates: Templates }): Runbooks {
  const environment = handlebars.create();
  // Text is escaped as Markdown before it comes here; escaping it as HTML, too, would show entities in code.
  const options = { noEscape: true, knownHelpers: { command: true, query: true } };
  environment.registerHelper('command', (template: string, { data }: handlebars.HelperOptions) =>
    command(template, (data.root as Context).names),
  );
  environment.registerHelper('query', (template: string, { data }: handlebars.HelperOptions) => {
    const { names, answers, onQuery } = data.root as Context;
    const expression = expressionOf(template, names);
    if (expression !== undefined) onQuery(expression);
    return query(template, names, expression === undefined ? undefined : answers.get(expression));
  });
  const pages = new Map<string, HandlebarsTemplateDelegate>();
  for (const [name, source] of templates) {
    if (name.startsWith('_'))
      environment.registerPartial(name.slice(1), environment.compile(source, options));
    else pages.set(name, environment.compile(source, options));
  }
  const render = (
    name: string,
    live: LiveFacts | undefined,
    answers: Answers,
    onQuery: Context['onQuery'] = () => {},
  ): string | undefined => {
    const cause = causeOf(name);
    const template = pages.get(cause?.failureMode ?? name);
    if (!template) return undefined;
    return template({
      alert: name,
      title: name,
      names: namesOf(live),
      answers,
      onQuery,
      ...(cause === undefined ? {} : { cause: { name, ...cause } }),
      causes: causesOf(cause?.failureMode ?? name),
      ...(live === undefined ? {} : { live: templateFacts(live) }),
    });
  };
  return {
    names: [...pages.keys()].sort(byName),
    page(name, live, answers = new Map()) {
      const rendered = render(name, live, answers);
      if (rendered === undefined) return undefined;
      const markdown = squeeze(rendered);
      return { title: name, markdown, html: toHtml(markdown) };
    },
    queries(name, live) {
      const found = new Set<string>();
      render(name, live, new Map(), (expression) => found.add(expression));
      return [...found];
    },
  };
}

function causesOf(failureMode: string): readonly (Cause & { readonly name: string })[] {
  return Object.entries(CAUSES)
    .filter(([, cause]) => cause.failureMode === failureMode)
    .map(([name, cause]) => ({ name, ...cause }));
}

/** At most one empty line in a row, outside of code blocks, and one newline at the end. */
function squeeze(text: string): string {
  return `${text.replace(/(^(`{3,})[^\n]*\n[\s\S]*?^\2$)|\n{3,}/gm, (match, block?: string) => (block === undefined ? '\n\n' : match)).trim()}\n`;
}
