import { useEffect, useRef, useState } from 'preact/hooks';
import { Choices } from '../choices.tsx';
import { timeOf } from '../format.ts';
import { Notice } from '../notice.tsx';
import { serverNow } from '../now.ts';
import { go } from '../router.ts';
import { RANGES, rangeCalled } from '../time-range.ts';
import { type Changes, exploreAddress, type Question, questionOf, VIEWS } from './address.ts';
import { createEditor, type Editor } from './editor.ts';
import { keepPastQueries, readPastQueries, withQuery } from './past-queries.ts';
import { QueryError } from './query-error.tsx';
import { ResultGraph } from './result-graph.tsx';
import { ResultTable } from './result-table.tsx';
import { type Run, useRun } from './run.ts';

/** Any query, as a graph over time or as a table at one time. The address holds the question. */
export function ExplorePage({ query }: { query: URLSearchParams }) {
  const question = questionOf(query);
  const { expr, view, range, end } = question;
  const [round, setRound] = useState(0);
  const [past, setPast] = useState(readPastQueries);
  const run = useRun(question, round);
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor>(undefined);
  const asked = useRef(expr);

  // The same question asked again is asked again.
  const ask = (changed: Changes) => {
    const next = { ...question, expr: editor.current?.text().trim() ?? expr, ...changed };
    const address = exploreAddress(next);
    if (changed.expr !== undefined) editor.current?.setText(changed.expr);
    asked.current = questionOf(new URL(address, location.href).searchParams).expr;
    if (address === location.pathname + location.search) setRound((before) => before + 1);
    else go(address);
  };
  const latest = useRef(ask);
  latest.current = ask;

  useEffect(() => {
    editor.current = createEditor(place.current!, { text: expr, onRun: () => latest.current({}) });
    if (expr === '') editor.current.focus();
    return () => editor.current?.destroy();
  }, []);
  // Only an address that somebody else went to, such as the back button: what was written since asking stays.
  useEffect(() => {
    const now = questionOf(new URLSearchParams(location.search)).expr;
    if (now !== asked.current) editor.current?.setText(now);
    asked.current = now;
  }, [expr]);
  useEffect(() => {
    if (expr === '') return;
    setPast((before) => {
      const next = withQuery(before, expr);
      keepPastQueries(next);
      return next;
    });
  }, [expr]);

  return (
    <article class="explore">
      <h1 class="hidden">Explore</h1>
      <div class="editor-row">
        <div class="editor" ref={place} />
        <button type="button" class="run" onClick={() => ask({})} title="Ctrl+Enter">
          Run
        </button>
      </div>
      <div class="controls explore-controls">
        <Choices
          label="View"
          options={VIEWS.map(capital)}
          chosen={capital(view)}
          onChoose={(word) => ask({ view: VIEWS.find((one) => capital(one) === word) })}
        />
        {view === 'graph' && (
          <Choices
            label="Time range"
            options={RANGES.map(({ word }) => word)}
            chosen={range.word}
            onChoose={(word) => ask({ range: rangeCalled(word) })}
          />
        )}
        {end !== undefined && (
          <p class="until">
            {view === 'graph' ? 'until' : 'at'} {timeOf(end * 1000, serverNow())}{' '}
            <button type="button" class="link" onClick={() => ask({ end: undefined })}>
              now
            </button>
          </p>
        )}
        <span class="keys faint">
          <kbd>Ctrl</kbd> <kbd>Enter</kbd> runs it
        </span>
      </div>
      <PastQueries queries={past} onChoose={(chosen) => ask({ expr: chosen })} />
      <Result question={question} run={run} />
    </article>
  );
}

const capital = (word: string) => `${word[0]!.toUpperCase()}${word.slice(1)}`;

function PastQueries({
  queries,
  onChoose,
}: {
  queries: readonly string[];
  onChoose: (expr: string) => void;
}) {
  const details = useRef<HTMLDetailsElement>(null);
  if (queries.length === 0) return null;
  const choose = (expr: string) => {
    details.current!.open = false;
    onChoose(expr);
  };
  return (
    <details class="past" ref={details}>
      <summary>Asked before</summary>
      <ol>
        {queries.map((expr) => (
          <li key={expr}>
            <button type="button" title={expr} onClick={() => choose(expr)}>
              {expr}
            </button>
          </li>
        ))}
      </ol>
    </details>
  );
}

function Result({ question: { expr }, run: { answer, error, asking } }: { question: Question; run: Run }) {
  if (expr === '') {
    return (
      <Notice title="Nothing asked yet.">
        Write a query; names and labels are offered as you type. Then press Ctrl+Enter.
      </Notice>
    );
  }
  if (error !== undefined) return <QueryError expr={expr} error={error} />;
  if (answer === undefined) return <Notice title="Asking …" />;
  return (
    <section class={asking ? 'result result-old' : 'result'} aria-label="Result" aria-busy={asking}>
      <Told words={answer.warnings} tone="warning" />
      <Told words={answer.infos} tone="info" />
      {answer.kind === 'series' ? <ResultGraph answer={answer} /> : <ResultTable answer={answer} />}
    </section>
  );
}

/** What the API says beside its answer: `PromQL warning: …`. */
function Told({ words, tone }: { words: readonly string[]; tone: 'warning' | 'info' }) {
  if (words.length === 0) return null;
  return (
    <ul class={`told told-${tone}`}>
      {words.map((text) => (
        <li key={text}>
          <b>{capital(tone)}</b> {text.replace(/^PromQL (?:warning|info): /, '')}
        </li>
      ))}
    </ul>
  );
}
