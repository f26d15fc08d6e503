import { useEffect, useState } from 'preact/hooks';
import type { PodEvent } from '../model/event.ts';
import type { PodRef } from '../model/pod-ref.ts';
import type { PodSummary } from '../model/pod-summary.ts';

/** What the collector tells as it happens. `again`: the line was broken, and something may have been missed. */
export type News =
  | { readonly kind: 'pod'; readonly pod: PodSummary }
  | { readonly kind: 'event'; readonly event: PodEvent }
  | { readonly kind: 'life'; readonly pod: PodRef }
  | { readonly kind: 'again' };

export type Line = 'opening' | 'open' | 'broken';

const listeners = new Set<(news: News) => void>();
const lineListeners = new Set<(line: Line) => void>();
let line: Line = 'opening';
let source: EventSource | undefined;

function setLine(next: Line): void {
  line = next;
  for (const listener of lineListeners) listener(next);
}

function tell(news: News): void {
  for (const listener of listeners) listener(news);
}

function open(): void {
  if (source !== undefined) return;
  source = new EventSource('/api/console/watch');
  source.onopen = () => {
    const broken = line === 'broken';
    setLine('open');
    if (broken) tell({ kind: 'again' });
  };
  source.onerror = () => {
    setLine('broken');
    // A refusal ends an event source for good; a server that comes back wants to be asked again.
    if (source?.readyState !== EventSource.CLOSED) return;
    source = undefined;
    setTimeout(open, 5000);
  };
  const on = <Data>(name: string, toNews: (data: Data) => News) =>
    source!.addEventListener(name, (message) =>
      tell(toNews(JSON.parse((message as MessageEvent<string>).data) as Data)),
    );
  on<PodSummary>('pod', (pod) => ({ kind: 'pod', pod }));
  on<PodEvent>('event', (event) => ({ kind: 'event', event }));
  on<{ pod: PodRef }>('life', ({ pod }) => ({ kind: 'life', pod }));
}

/** Hears all news while the component shows. */
export function useNews(hear: (news: News) => void): void {
  useEffect(() => {
    open();
    listeners.add(hear);
    return () => void listeners.delete(hear);
  }, [hear]);
}

/** Whether the live line stands. */
export function useLine(): Line {
  const [state, setState] = useState(line);
  useEffect(() => {
    open();
    lineListeners.add(setState);
    setState(line);
    return () => void lineListeners.delete(setState);
  }, []);
  return state;
}
