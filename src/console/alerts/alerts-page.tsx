import { NotThere, OutOfDate } from '../asked-notice.tsx';
import { exploreAddress } from '../explore/address.ts';
import { ago, count, timeOf } from '../format.ts';
import { useNow } from '../now.ts';
import type { Asked } from '../request.ts';
import { podAddress } from '../router.ts';
import { type ActiveAlert, runbookAddress, shownValue } from './alerts.ts';

/** What fires and what is about to, the most urgent first. */
export function AlertsPage({ alerts: { value, error } }: { alerts: Asked<readonly ActiveAlert[]> }) {
  const now = useNow();
  if (value === undefined) return <NotThere what="alerts" error={error} />;
  const firing = value.filter(({ state }) => state === 'firing');
  const pending = value.length - firing.length;
  return (
    <>
      <div class="headline">
        <h1>
          {firing.length === 0
            ? 'No alert is firing.'
            : `${count(firing.length, 'alert is', 'alerts are')} firing.`}
        </h1>
        <p>
          {pending > 0 &&
            `${count(pending, 'more is', 'more are')} pending: true, but not yet for long enough.`}
        </p>
      </div>
      <OutOfDate error={error} />
      {value.length > 0 && (
        <ul class="alerts">
          {value.map((alert) => (
            <Alert key={JSON.stringify(alert.labels)} alert={alert} now={now} />
          ))}
        </ul>
      )}
    </>
  );
}

const SEVERITY_WORDS: Readonly<Record<string, string>> = { page: 'page', ticket: 'ticket' };

export function Alert({ alert, now }: { alert: ActiveAlert; now: number }) {
  const { labels, annotations, state, activeAt, expr } = alert;
  const since = Date.parse(activeAt);
  const severity = SEVERITY_WORDS[labels.severity ?? ''];
  return (
    <li class={`alert alert-${state} alert-${severity ?? 'other'}`}>
      <p class="alert-state">
        <span class="alert-word">{state}</span>
        {severity && <span class="alert-severity">{severity}</span>}
      </p>
      <div class="alert-body">
        <h2>{labels.alertname}</h2>
        <p class="alert-subject">
          <Subject labels={labels} />
        </p>
        {(annotations.summary ?? annotations.description) && (
          <p class="alert-summary">{annotations.summary ?? annotations.description}</p>
        )}
      </div>
      <dl class="alert-facts">
        <div>
          <dt>{state === 'firing' ? 'active since' : 'true since'}</dt>
          <dd>
            <time dateTime={activeAt} title={activeAt}>
              {timeOf(since, now)}
            </time>
            <small> {ago(now - since)}</small>
          </dd>
        </div>
        <div>
          <dt>value</dt>
          <dd>{shownValue(alert.value)}</dd>
        </div>
      </dl>
      <p class="alert-links">
        <a href={runbookAddress(alert)}>Runbook</a>
        {expr !== undefined && <a href={exploreAddress({ expr })}>Expression</a>}
      </p>
    </li>
  );
}

function Subject({ labels }: { labels: ActiveAlert['labels'] }) {
  const { namespace, pod, container, workload, node, slo } = labels;
  if (namespace && pod) {
    return (
      <>
        <a href={podAddress(namespace, pod)}>
          {namespace}/{pod}
        </a>
        {container && ` · container ${container}`}
      </>
    );
  }
  if (namespace && workload)
    return (
      <>
        {`${namespace}/${workload}`}
        {slo && ` · ${slo}`}
      </>
    );
  return <>{slo ?? node ?? namespace ?? 'everything'}</>;
}
