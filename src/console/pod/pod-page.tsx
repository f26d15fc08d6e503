import { useCallback, useState } from 'preact/hooks';
import type { PodEvent } from '../../model/event.ts';
import type { Pod } from '../../model/kubernetes.ts';
import type { Life } from '../../model/life.ts';
import type { PodSummary } from '../../model/pod-summary.ts';
import type { Verdict } from '../../model/verdict.ts';
import type { ActiveAlert } from '../alerts/alerts.ts';
import { Alert } from '../alerts/alerts-page.tsx';
import { OutOfDate } from '../asked-notice.tsx';
import { Choices } from '../choices.tsx';
import { span } from '../format.ts';
import { type News, useNews } from '../live.ts';
import { Notice } from '../notice.tsx';
import { useNow } from '../now.ts';
import { StateWord } from '../pods/state-word.tsx';
import { getJson, useAsked } from '../request.ts';
import { LifeCard } from './life-card.tsx';
import { LifeStrip } from './life-strip.tsx';
import { LiveLog } from './live-log.tsx';
import { PodEvents } from './pod-events.tsx';
import { memoryLimits, PodUsage } from './usage.tsx';
import { VerdictView } from './verdict.tsx';

interface PodFacts {
  readonly summary: PodSummary;
  readonly object: Pod;
  readonly verdict: Verdict;
  readonly lives: readonly Life[];
  readonly events: readonly PodEvent[];
}

const EVERY_MS = 30_000;

async function askPod(namespace: string, name: string, signal: AbortSignal): Promise<PodFacts> {
  const path = `${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
  const [pod, lives, events] = await Promise.all([
    getJson<Omit<PodFacts, 'lives' | 'events'>>(`/api/console/pods/${path}`, { signal }),
    getJson<{ items: readonly Life[] }>(`/api/pods/${path}/lives`, { signal }),
    getJson<{ items: readonly PodEvent[] }>(`/api/pods/${path}/events?limit=100`, { signal }),
  ]);
  return { ...pod, lives: lives.items, events: events.items };
}

/** One pod: what is wrong with it now, and its containers life by life. */
export function PodPage({
  namespace,
  name,
  alerts,
}: {
  namespace: string;
  name: string;
  alerts: readonly ActiveAlert[];
}) {
  const now = useNow();
  const { value, error, reload } = useAsked(
    `pod ${namespace}/${name}`,
    (signal) => askPod(namespace, name, signal),
    EVERY_MS,
  );
  useNews(
    useCallback(
      (news: News) => {
        const about =
          news.kind === 'event' ? news.event.pod : news.kind === 'again' ? { namespace, name } : news.pod;
        if (about.namespace === namespace && about.name === name) reload();
      },
      [namespace, name, reload],
    ),
  );
  if (value === undefined) {
    if (error === undefined) return <Notice title="Asking for the pod …" />;
    return (
      <Notice tone="bad" title={error.code === 404 ? 'There is no such pod.' : 'The pod cannot be shown.'}>
        {error.message} <a href="/">See all pods</a>
      </Notice>
    );
  }
  const own = alerts.filter(({ labels }) => labels.namespace === namespace && labels.pod === name);
  return (
    <article class="pod-page">
      <PodHead summary={value.summary} object={value.object} now={now} />
      <OutOfDate error={error} />
      <VerdictView verdict={value.verdict} now={now} level="h2" />
      {own.length > 0 && (
        <section>
          <h2>Alerts</h2>
          <ul class="alerts">
            {own.map((alert) => (
              <Alert key={JSON.stringify(alert.labels)} alert={alert} now={now} />
            ))}
          </ul>
        </section>
      )}
      {!value.summary.deleted && (
        <section>
          <h2>Now</h2>
          <PodUsage namespace={namespace} pod={name} limits={memoryLimits(value.object)} />
          <LiveLog
            namespace={namespace}
            pod={name}
            containers={value.object.spec.containers.map((container) => container.name)}
          />
        </section>
      )}
      <Lives
        lives={value.lives}
        object={value.object}
        current={value.verdict}
        deleted={value.summary.deleted}
        now={now}
      />
      <section>
        <h2>Events</h2>
        <PodEvents events={value.events} now={now} />
      </section>
    </article>
  );
}

function PodHead({ summary, object, now }: { summary: PodSummary; object: Pod; now: number }) {
  const facts: readonly (readonly [string, string])[] = [
    ['ready', `${summary.readyContainers}/${summary.containers}`],
    ['restarts', String(summary.restarts)],
    ['age', span(now - summary.createdAt)],
    ['node', summary.node],
    ['address', object.status.podIP ?? 'the host’s'],
    ['quality of service', object.status.qosClass],
  ];
  return (
    <header class="pod-head">
      <p class="crumbs">
        <a href="/">Pods</a> / {summary.namespace} / {summary.workload}
      </p>
      <h1>{summary.name}</h1>
      <StateWord pod={summary} />
      <dl class="facts">
        {facts.map(([name, fact]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{fact}</dd>
          </div>
        ))}
      </dl>
    </header>
  );
}

function Lives({
  lives,
  object,
  current,
  deleted,
  now,
}: {
  lives: readonly Life[];
  object: Pod;
  current: Verdict;
  deleted: boolean;
  now: number;
}) {
  const containers = [...new Set(lives.map(({ container }) => container))];
  const [chosen, choose] = useState<string>();
  const container = chosen ?? containers[0];
  if (container === undefined) {
    return (
      <section>
        <h2>Lives</h2>
        <p class="faint">No container of this pod has died.</p>
      </section>
    );
  }
  const own = lives.filter((life) => life.container === container);
  const status = [
    ...(object.status.containerStatuses ?? []),
    ...(object.status.initContainerStatuses ?? []),
  ].find((candidate) => candidate.name === container);
  const startedAt = deleted ? undefined : status?.state.running?.startedAt;
  return (
    <section>
      <h2>
        Lives of <span class="mono">{container}</span>
      </h2>
      {containers.length > 1 && (
        <Choices label="Container" options={containers} chosen={container} onChoose={choose} />
      )}
      <LifeStrip
        lives={own}
        runningSince={startedAt === undefined ? undefined : Date.parse(startedAt)}
        now={now}
      />
      <ol class="lives" reversed>
        {own.map((life, index) => (
          <LifeCard key={life.id} life={life} current={current} now={now} open={index === 0} />
        ))}
      </ol>
    </section>
  );
}
