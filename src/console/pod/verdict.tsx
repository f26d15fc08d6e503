import type { Verdict } from '../../model/verdict.ts';
import { CopyButton } from '../copy-button.tsx';
import { evidenceAddress } from '../explore/address.ts';
import { timeOf } from '../format.ts';

const CONFIDENCE: Readonly<Record<Verdict['confidence'], string>> = {
  certain: 'Certain: the facts leave no other cause.',
  likely: 'Likely: the facts point here; they do not prove it.',
  unknown: 'Unknown: the facts do not decide.',
};

/** What is wrong, what proves it, and what to type next. */
export function VerdictView({ verdict, now, level }: { verdict: Verdict; now: number; level: 'h2' | 'h4' }) {
  const { cause, failureMode, confidence, summary, evidence, next } = verdict;
  const Heading = level;
  if (cause === 'None') {
    return (
      <section class="verdict verdict-none">
        <Heading>Nothing is wrong</Heading>
        <p class="verdict-summary">{summary}</p>
      </section>
    );
  }
  return (
    <section class={`verdict verdict-${confidence}`}>
      <Heading>
        {cause}
        {failureMode && <span class="mode">{failureMode}</span>}
      </Heading>
      <p class="verdict-summary">{summary}</p>
      <p class="verdict-confidence">{CONFIDENCE[confidence]}</p>
      {evidence.length > 0 && (
        <>
          <p class="label">Evidence</p>
          <ul class="evidence">
            {evidence.map(({ fact, source, at }) => (
              <li key={`${fact}${source}${at}`}>
                <time dateTime={at} title={at}>
                  {timeOf(Date.parse(at), now)}
                </time>
                <span class="fact">{fact}</span>
                <Source source={source} at={at} now={now} />
              </li>
            ))}
          </ul>
        </>
      )}
      {next.length > 0 && (
        <>
          <p class="label">Next</p>
          <ul class="next">
            {next.map(({ command, why }) => (
              <li key={command}>
                <div class="command">
                  <code>{command}</code>
                  <CopyButton text={command} what={`the command ${command}`} />
                </div>
                <span class="why">{why}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function Source({ source, at, now }: { source: string; at: string; now: number }) {
  const address = evidenceAddress({ source, at }, now);
  return (
    <span class="source" title="where this is recorded">
      {address === undefined ? source : <a href={address}>{source}</a>}
    </span>
  );
}
