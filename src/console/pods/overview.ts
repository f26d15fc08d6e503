import { useCallback, useEffect, useState } from 'preact/hooks';
import type { PodSummary } from '../../model/pod-summary.ts';
import type { NodeState } from '../../model/record.ts';
import { type News, useNews } from '../live.ts';
import { setServerTime } from '../now.ts';
import { type Asked, getJson, useAsked } from '../request.ts';

export interface Overview {
  readonly version: string;
  readonly now: number;
  readonly nodes: readonly NodeState[];
  readonly pods: readonly PodSummary[];
}

const EVERY_MS = 60_000;

/** All living pods: asked for once a minute, kept current by the news in between. */
export function useOverview(): Asked<Overview> {
  const asked = useAsked(
    'overview',
    (signal) => getJson<Overview>('/api/console/pods', { signal }),
    EVERY_MS,
  );
  const [news, setNews] = useState<readonly PodSummary[]>([]);
  const { value, reload } = asked;
  useEffect(() => {
    if (value !== undefined) setServerTime(value.now);
    setNews([]);
  }, [value]);
  useNews(
    useCallback(
      (heard: News) => {
        if (heard.kind === 'pod')
          setNews((before) => [...before.filter(({ uid }) => uid !== heard.pod.uid), heard.pod]);
        if (heard.kind === 'again') reload();
      },
      [reload],
    ),
  );
  return value === undefined ? asked : { ...asked, value: { ...value, pods: withNews(value.pods, news) } };
}

/** The pods with what was heard since; the deleted are gone. */
export function withNews(pods: readonly PodSummary[], news: readonly PodSummary[]): readonly PodSummary[] {
  const changed = new Map(news.map((pod) => [pod.uid, pod]));
  return [...pods.filter(({ uid }) => !changed.has(uid)), ...changed.values()].filter(
    ({ deleted }) => !deleted,
  );
}
