import type { Evidence } from '../../model/evidence.ts';
import { explain } from '../../model/explanation.ts';
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
  const { cause, failureMode, confidence, summary, evidence } = verdict;
  const { changed, now: advice, next, forGood } = explain(verdict);
  const others = evidence.filter((one) => !changed.includes(one));
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
      <Facts label="Evidence" facts={others} now={now} />
      <Facts label="What changed" facts={changed} now={now} />
      {(advice !== undefined || next.length > 0) && (
        <>
          <p class="label">Now</p>
          {advice !== undefined && <p class="advice">{plain(advice)}</p>}
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
      {forGood !== undefined && (
        <>
          <p class="label">For good</p>
          <p class="advice">{plain(forGood)}</p>
        </>
      )}
    </section>
  );
}

/** Our own advice is Markdown; here its words do. */
const plain = (text: string) => text.replace(/`([^`]*)`/g, '$1');

function Facts({ label, facts, now }: { label: string; facts: readonly Evidence[]; now: number }) {
  if (facts.length === 0) return null;
  return (
    <>
      <p class="label">{label}</p>
      <ul class="evidence">
        {facts.map(({ fact, source, at }) => (
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
