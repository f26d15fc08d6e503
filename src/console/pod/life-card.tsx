import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Life } from '../../model/life.ts';
import type { Verdict } from '../../model/verdict.ts';
import { ago, bytes, span, timeOf } from '../format.ts';
import { LifeCharts } from './life-chart.tsx';
import { LogTail } from './log-tail.tsx';
import { VerdictView } from './verdict.tsx';

/** One life that ended: in one line, and opened with all that was recorded of it. */
export function LifeCard({
  life,
  current,
  now,
  open: openAtFirst,
}: {
  life: Life;
  /** What the page proves above; not proven twice. */
  current: Verdict;
  now: number;
  open: boolean;
}) {
  const [open, setOpen] = useState(openAtFirst);
  return (
    <li class={`life ${life.unrequested ? 'life-unrequested' : 'life-requested'}`}>
      <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <span class="life-number">Life {life.attempt + 1}</span>
          <span class="life-end">
            {life.reason}, {exitWords(life)}
          </span>
          <span class="life-when">
            <time dateTime={new Date(life.finishedAt).toISOString()}>{ago(now - life.finishedAt)}</time> after{' '}
            {span(life.finishedAt - life.startedAt)}
          </span>
        </summary>
        {open && <LifeBody life={life} current={current} now={now} />}
      </details>
    </li>
  );
}

function LifeBody({ life, current, now }: { life: Life; current: Verdict; now: number }) {
  return (
    <div class="life-body">
      <dl class="facts">
        <Fact name="lived">
          {timeOf(life.startedAt, now)} – {timeOf(life.finishedAt, now)}
        </Fact>
        <Fact name="exit code">
          {life.exitCode}
          {life.signal !== undefined && ` (signal ${life.signal})`}
        </Fact>
        <Fact name="reason">{life.reason}</Fact>
        <Fact name="killed by">{killerWords(life)}</Fact>
      </dl>
      {life.verdict.cause === current.cause ? (
        <p>
          <b>{life.verdict.cause}</b> {life.verdict.summary}
        </p>
      ) : (
        <VerdictView verdict={life.verdict} now={now} level="h4" />
      )}
      <LifeCharts life={life} />
      <p class="label">Its last words</p>
      <LogTail lines={life.log} />
      <Probes life={life} now={now} />
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function exitWords({ exitCode, signal }: Life): string {
  return signal === undefined ? `exit code ${exitCode}` : `signal ${signal}`;
}

function killerWords({ killRequest, oomKills, signal }: Life): string {
  if (oomKills.length > 0) {
    return oomKills
      .map(({ command, pid, rssBytes, mainProcess }) => {
        const victim =
          command === undefined ? 'a process' : `${command}${pid === undefined ? '' : ` (pid ${pid})`}`;
        return `the kernel, out of memory: ${victim}${rssBytes === undefined ? '' : ` at ${bytes(rssBytes)}`}${mainProcess ? '' : ', a child process'}`;
      })
      .join('; ');
  }
  if (killRequest !== null) return `${killRequest.by}: ${killRequest.message}`;
  return signal === undefined ? 'nobody; it ended by itself' : 'unknown; nobody we know of asked for it';
}

const MOST_PROBES = 10;

function Probes({ life: { probes }, now }: { life: Life; now: number }) {
  if (probes.length === 0) return null;
  return (
    <>
      <p class="label">Last probes</p>
      <ul class="probes">
        {probes.slice(-MOST_PROBES).map(({ at, probe, ok, target, message, latencyMs }) => (
          <li key={`${at}${probe}`}>
            <time>{timeOf(at, now)}</time> {probe} <b class={ok ? 'ok' : 'bad'}>{ok ? 'passed' : 'failed'}</b>{' '}
            <span class="mono">{target}</span> {message} <span class="faint">{Math.round(latencyMs)} ms</span>
          </li>
        ))}
      </ul>
    </>
  );
}
