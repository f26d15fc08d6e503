import { useMemo } from 'preact/hooks';
import { Choices } from '../choices.tsx';
import { Notice } from '../notice.tsx';
import { getJson, useAsked } from '../request.ts';
import { go } from '../router.ts';
import { RANGES, rangeCalled, stepOf } from '../time-range.ts';
import type { GrafanaDashboard, GrafanaVariable } from './grafana.ts';
import { ALL, type Choices as Chosen, firstChoice, type TimeRange } from './interpolate.ts';
import { Panel } from './panel.tsx';
import { choosable, offeredValues } from './variables.ts';

/** One dashboard, drawn from the same JSON that Grafana reads. The address holds what is chosen. */
export function DashboardPage({ uid, query }: { uid: string; query: URLSearchParams }) {
  const { value, error } = useAsked(`dashboard ${uid}`, (signal) =>
    getJson<GrafanaDashboard>(`/dashboards/${encodeURIComponent(uid)}.json`, { signal }),
  );
  if (value === undefined) {
    if (error === undefined) return <Notice title="Asking for the dashboard …" />;
    return (
      <Notice
        tone="bad"
        title={error.code === 404 ? 'There is no such dashboard.' : 'The dashboard cannot be shown.'}
      >
        {error.message} <a href="/dashboards">See all dashboards</a>
      </Notice>
    );
  }
  return <Drawn dashboard={value} query={query} />;
}

function Drawn({ dashboard, query }: { dashboard: GrafanaDashboard; query: URLSearchParams }) {
  const variables = dashboard.templating?.list ?? [];
  const word = query.get('range') ?? dashboard.time?.from.replace(/^now-/, '') ?? '1h';
  const { seconds, word: chosenRange } = rangeCalled(word);
  const choices: Chosen = Object.fromEntries(
    choosable(variables).map((variable) => [
      variable.name,
      query.get(`var-${variable.name}`) ?? firstChoice(variable),
    ]),
  );
  // The end is the moment the page is drawn; panels move it on by themselves.
  const range: TimeRange = useMemo(() => {
    const end = Math.floor(Date.now() / 1000);
    return { start: end - seconds, end, step: stepOf(seconds) };
  }, [seconds]);
  const choose = (name: string, value: string) => {
    const next = new URLSearchParams(query);
    next.set(name, value);
    go(`${location.pathname}?${next}`, { replace: true });
  };
  return (
    <>
      <div class="headline">
        <p class="crumbs">
          <a href="/dashboards">Dashboards</a> /
        </p>
        <h1>{dashboard.title}</h1>
        {dashboard.description && <p>{dashboard.description}</p>}
      </div>
      <div class="controls">
        {choosable(variables).map((variable) => (
          <Choice
            key={variable.name}
            variable={variable}
            variables={variables}
            choices={choices}
            range={range}
            onChoose={(value) => choose(`var-${variable.name}`, value)}
          />
        ))}
        <Choices
          label="Time range"
          options={RANGES.map((candidate) => candidate.word)}
          chosen={chosenRange}
          onChoose={(next) => choose('range', next)}
        />
      </div>
      <div class="panels">
        {dashboard.panels.map((panel, index) => (
          <Panel
            key={panel.id ?? index}
            panel={panel}
            variables={variables}
            choices={choices}
            range={range}
          />
        ))}
      </div>
      <p class="fineprint">
        Drawn from <a href={`/dashboards/${dashboard.uid}.json`}>/dashboards/{dashboard.uid}.json</a>, which
        Grafana imports as it is.
      </p>
    </>
  );
}

function Choice({
  variable,
  variables,
  choices,
  range,
  onChoose,
}: {
  variable: GrafanaVariable;
  variables: readonly GrafanaVariable[];
  choices: Chosen;
  range: TimeRange;
  onChoose: (value: string) => void;
}) {
  const chosen = choices[variable.name] ?? ALL;
  const isText = variable.type === 'textbox';
  const before = JSON.stringify(choices);
  const { value, error } = useAsked(`values ${variable.name} ${before}`, async (signal) =>
    isText ? [] : offeredValues(variable, variables, choices, range, signal),
  );
  const label = variable.label ?? variable.name;
  if (isText) {
    return (
      <label class="choice">
        {label}
        <input
          type="text"
          inputMode="decimal"
          value={chosen}
          onChange={(event) => onChoose(event.currentTarget.value)}
        />
      </label>
    );
  }
  const offered = value ?? [];
  return (
    <label class="choice" title={error?.message}>
      {label}
      <select value={chosen} onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value={ALL}>all</option>
        {chosen !== ALL && !offered.includes(chosen) && <option value={chosen}>{chosen}</option>}
        {offered.map((offer) => (
          <option key={offer} value={offer}>
            {offer}
          </option>
        ))}
      </select>
    </label>
  );
}
