import { NotThere, OutOfDate } from '../asked-notice.tsx';
import { ago, count, span, timeOf, trim } from '../format.ts';
import { useNow } from '../now.ts';
import { useAsked } from '../request.ts';
import { podAddress } from '../router.ts';
import { askIncidents, type ShownIncident, subjectOf } from './incident.ts';

const EVERY_MS = 5000;

/** What went wrong, newest first: since when, how long, why, and what it cost. */
export function IncidentsPage() {
  const now = useNow();
  const { value, error } = useAsked('incidents', askIncidents, EVERY_MS);
  if (value === undefined) return <NotThere what="incidents" error={error} />;
  const open = value.filter(({ to }) => to === null).length;
  return (
    <>
      <div class="headline">
        <h1>
          {open === 0 ? 'No incident is open.' : `${count(open, 'incident is', 'incidents are')} open.`}
        </h1>
        <p>{value.length > open && `${count(value.length - open, 'more is', 'more are')} over.`}</p>
      </div>
      <OutOfDate error={error} />
      {value.length > 0 && (
        <ul class="alerts">
          {value.map((incident) => (
            <IncidentCard key={incident.id} incident={incident} now={now} />
          ))}
        </ul>
      )}
    </>
  );
}

function IncidentCard({ incident, now }: { incident: ShownIncident; now: number }) {
  const { id, state, severity, cause, failureMode, summary, from, to, pods, lives, budgetSpent } = incident;
  const since = Date.parse(from);
  const until = to === null ? now : Date.parse(to);
  return (
    <li class={`alert alert-${severity} ${to === null ? 'alert-firing' : 'alert-over'}`} id={id}>
      <p class="alert-state">
        <span class="alert-word">{state}</span>
        <span class="alert-severity">{severity}</span>
      </p>
      <div class="alert-body">
        <h2>
          {cause === 'Unknown' ? 'Cause unknown' : cause}
          {failureMode && <span class="mode">{failureMode}</span>}
        </h2>
        <p class="alert-subject">{subjectOf(incident)}</p>
        <p class="alert-summary">{summary}</p>
        <p class="alert-summary">
          <Pods incident={incident} />
          {[
            lives.length > 0 && count(lives.length, 'death'),
            pods.length > 0 && `in ${count(pods.length, 'pod')}`,
            ...(budgetSpent ?? []).filter(({ ratio }) => ratio > 0).map(budgetText),
          ]
            .filter(Boolean)
            .join(' · ')}
        </p>
      </div>
      <dl class="alert-facts">
        <div>
          <dt>from</dt>
          <dd>
            <time dateTime={from} title={from}>
              {timeOf(since, now)}
            </time>
            <small> {ago(now - since)}</small>
          </dd>
        </div>
        <div>
          <dt>{to === null ? 'lasts' : 'lasted'}</dt>
          <dd>{span(until - since)}</dd>
        </div>
      </dl>
      <p class="alert-links">
        <a href={`/runbooks/${runbookOf(incident)}`}>Runbook</a>
        <a href={`/api/incidents/${encodeURIComponent(id)}/postmortem`}>Postmortem</a>
      </p>
    </li>
  );
}

/** A store that has seen little of the period yet shows budgets spent many times over: the number says nothing then. */
const budgetText = ({ slo, ratio, recordedMs }: NonNullable<ShownIncident['budgetSpent']>[number]) => {
  const share =
    ratio >= 1 ? `the whole budget of ${slo}` : `${trim(ratio * 100, 1)}% of the budget of ${slo}`;
  if (recordedMs === undefined) return share;
  const hours = Math.floor(recordedMs / 3_600_000);
  return `${share} so far (${hours < 1 ? 'minutes' : `${hours} h`} of its window on record)`;
};

/** The pod that was hit first. */
function Pods({ incident: { subject, pods } }: { incident: ShownIncident }) {
  const first = pods[0];
  if (subject.namespace === undefined || first === undefined) return null;
  return (
    <>
      <a href={podAddress(subject.namespace, first)}>{first}</a>
      {' · '}
    </>
  );
}

function runbookOf({ cause, alerts, subject }: ShownIncident): string {
  const page = cause === 'Unknown' ? (alerts[0]?.name ?? 'IncidentChecklist') : cause;
  const about = new URLSearchParams(
    Object.entries(subject).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return `${encodeURIComponent(page)}?${about}`;
}
