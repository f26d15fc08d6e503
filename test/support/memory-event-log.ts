import type { EventLog, RecordQuery } from '../../src/collector/storage/storage.ts';
import type { AgentRecord } from '../../src/model/record.ts';

type About = {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly workload: string;
};

/** An event log in memory, for tests of what reads one. Bounded by the test that fills it. */
export function createMemoryEventLog(): EventLog {
  const records = new Map<string, AgentRecord>();
  const listeners = new Set<(records: readonly AgentRecord[]) => void>();
  const all = <Kind extends AgentRecord['kind']>(kind: Kind) =>
    [...records.values()].filter(
      (record): record is Extract<AgentRecord, { kind: Kind }> => record.kind === kind,
    );
  const log: EventLog = {
    async append(given) {
      const fresh = given.filter((record) => !records.has(idOf(record)));
      for (const record of fresh) records.set(idOf(record), record);
      if (fresh.length > 0) for (const listener of listeners) listener(fresh);
      return fresh;
    },
    events: (query) =>
      newest(
        all('event')
          .map(({ event }) => event)
          .filter(({ reason }) => query.reason === undefined || reason === query.reason),
        query,
        ({ at, pod, container }) => ({ at, pod, container }),
      ),
    searchEvents: async (query) => log.events(query),
    lives: (query) =>
      newest(
        all('life').map(({ life }) => life),
        query,
        ({ finishedAt, pod, container }) => ({ at: finishedAt, pod, container }),
      ),
    pods: (query) => {
      const byUid = new Map<string, (typeof states)[number]>();
      const states = all('pod').map(({ state }) => state);
      for (const state of states) {
        if ((byUid.get(state.pod.uid)?.at ?? 0) <= state.at) byUid.set(state.pod.uid, state);
      }
      const wanted = [...byUid.values()].filter(({ deleted }) => !deleted || query.deleted === true);
      return newest(wanted, query, ({ at, pod }) => ({ at, pod }));
    },
    workloads: () => all('workload').map(({ state }) => state),
    nodes: () => all('node').map(({ state }) => state),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  return log;
}

function idOf(record: AgentRecord): string {
  if (record.kind === 'event') return `event ${record.event.id}`;
  return record.kind === 'life' ? `life ${record.life.id}` : `${record.kind} ${record.state.id}`;
}

function newest<Item>(
  items: readonly Item[],
  query: RecordQuery,
  about: (item: Item) => {
    readonly at: number;
    readonly pod: About;
    readonly container?: string | undefined;
  },
): readonly Item[] {
  const asked = [query.namespace, query.pod, query.uid, query.workload, query.container] as const;
  return items
    .filter((item) => {
      const { at, pod, container } = about(item);
      const is = [pod.namespace, pod.name, pod.uid, pod.workload, container];
      const named = asked.every((wanted, index) => wanted === undefined || wanted === is[index]);
      return named && at >= (query.sinceMs ?? 0) && at <= (query.untilMs ?? Number.POSITIVE_INFINITY);
    })
    .sort((a, b) => about(b).at - about(a).at)
    .slice(0, query.limit ?? 100);
}
