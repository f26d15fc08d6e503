import { createEngine } from '../../../src/collector/promql/engine.ts';
import { createRuleManager, type RuleManager } from '../../../src/collector/rules/manager.ts';
import { parseRuleFile } from '../../../src/collector/rules/rule-file.ts';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import type { Alert } from '../../../src/model/alert.ts';
import { encodeLabels, type Labels, labelValue, METRIC_NAME, toLabels } from '../../../src/model/labels.ts';
import type { Query } from '../../../src/model/query-result.ts';
import { createFakeClock, sleep } from '../../../src/util/clock.ts';

/** A rule manager over a real engine and a memory store, on a clock that moves when told to. */
export function createBench(
  files: Readonly<Record<string, string>>,
  options: { readonly evaluationIntervalMs?: number } = {},
) {
  const clock = createFakeClock();
  const store = createMemoryStore({ clock });
  const engine = createEngine({ querier: () => store.querier(), clock });
  const notified: Alert[][] = [];
  const asked: string[] = [];
  let delayMs = 0;
  const query: Query = async (expr, at, signal) => {
    asked.push(expr);
    if (delayMs > 0) await sleep(clock, delayMs, signal);
    return engine.query(expr, at, signal);
  };
  const groups = Object.entries(files).flatMap(([path, text]) => parseRuleFile(text, path));
  const createManager = (): RuleManager =>
    createRuleManager({
      groups,
      query,
      appender: () => store.appender(),
      keyValue: store.keyValue,
      clock,
      notify: (alerts) => notified.push([...alerts]),
      externalLabels: [],
      externalUrl: 'http://podvitals.example',
      evaluationIntervalMs: options.evaluationIntervalMs ?? 15_000,
    });
  const bench = {
    clock,
    store,
    notified,
    asked,
    manager: createManager(),
    /** What a restart of the process does: the same store, a new manager. */
    async restart() {
      await bench.manager.stop();
      bench.manager = createManager();
      await bench.manager.start();
    },
    /** Makes every query take so long. */
    slowDown(ms: number) {
      delayMs = ms;
    },
    async push(...series: readonly (readonly [labels: Record<string, string>, value: number])[]) {
      const appender = store.appender();
      for (const [labels, value] of series) {
        appender.append(appender.reference(encodeLabels(toLabels(labels))), clock.now(), value);
      }
      return appender.commit();
    },
    /** A stale marker: the series ends here. */
    async end(labels: Record<string, string>) {
      const appender = store.appender();
      appender.appendStale(appender.reference(encodeLabels(toLabels(labels))), clock.now());
      return appender.commit();
    },
    /** A vector as `labels value` lines, without the metric's name. */
    async ask(expr: string): Promise<string[]> {
      const { value } = await engine.query(expr, clock.now());
      if (value.type !== 'vector') throw new Error(`not a vector: ${value.type}`);
      return value.samples.map(({ labels, v }) => `${spell(labels)} ${v}`).sort();
    },
    alerts(name?: string): string[] {
      const all = bench.manager.groups().flatMap((group) => group.rules.flatMap((rule) => rule.alerts));
      return all
        .filter(({ labels }) => name === undefined || labelValue(labels, 'alertname') === name)
        .map(({ labels, state }) => `${state} ${spell(labels)}`)
        .sort();
    },
  };
  return bench;
}

export function spell(labels: Labels): string {
  const shown = labels.filter(([name]) => name !== METRIC_NAME);
  return `{${shown.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', ')}}`;
}

/** `metric{a="b"}` as labels, for series written in one line. */
export function series(text: string): Record<string, string> {
  const [, name = '', inside = ''] = /^(\w+)\{?(.*?)\}?$/.exec(text) ?? [];
  const labels: Record<string, string> = { [METRIC_NAME]: name };
  for (const [, label = '', value = ''] of inside.matchAll(/(\w+)="([^"]*)"/g)) labels[label] = value;
  return labels;
}
