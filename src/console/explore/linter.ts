import type { Diagnostic } from '@codemirror/lint';
import type { EditorView } from '@codemirror/view';
import type { PromQLExtension } from '@prometheus-io/codemirror-promql';
import { getText, RequestError } from '../request.ts';
import { mistakeIn } from './mistake.ts';

type LintStrategy = Parameters<PromQLExtension['setLinter']>[0];

/** Marks what the API will not read; it reads by the same parser that will evaluate, so both say the same. */
export function createLinter(): LintStrategy {
  return { promQL: () => lint };
}

async function lint(view: EditorView): Promise<readonly Diagnostic[]> {
  const expr = view.state.doc.toString();
  if (expr.trim() === '') return [];
  try {
    await getText('/api/v1/parse_query', { method: 'POST', body: new URLSearchParams({ query: expr }) });
    return [];
  } catch (error) {
    if (!(error instanceof RequestError) || error.code !== 400) return [];
    const { message, place } = mistakeIn(expr, error.message);
    return [{ from: place?.from ?? 0, to: place?.to ?? expr.length, severity: 'error', message }];
  }
}
