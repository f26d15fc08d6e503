import type { PodSummary } from '../../model/pod-summary.ts';
import { NotThere, OutOfDate } from '../asked-notice.tsx';
import { bytes, cores, count, span } from '../format.ts';
import { Notice } from '../notice.tsx';
import { useNow } from '../now.ts';
import type { Asked } from '../request.ts';
import { podAddress } from '../router.ts';
import { groupByWorkload, type WorkloadGroup } from './group.ts';
import type { Overview } from './overview.ts';
import { Sparkline } from './sparkline.tsx';
import { StateWord } from './state-word.tsx';
import { podKey, useVitals, type Vitals } from './vitals.ts';

/** All pods by workload, those that need somebody first. */
export function PodsPage({ overview: { value, error } }: { overview: Asked<Overview> }) {
  const vitals = useVitals();
  const now = useNow();
  if (value === undefined) return <NotThere what="pods" error={error} />;
  if (value.pods.length === 0) {
    return (
      <Notice title="No pods yet.">
        Start some with <code>podvitals apply -f examples/shop.yaml</code>; they appear here by themselves.
      </Notice>
    );
  }
  return (
    <>
      <Headline pods={value.pods} />
      <OutOfDate error={error} />
      {vitals.error && (
        <Notice tone="bad" title="CPU and memory cannot be shown.">
          {vitals.error.message}
        </Notice>
      )}
      <table class="pods">
        <thead>
          <tr>
            <th scope="col">Pod</th>
            <th scope="col">State</th>
            <th scope="col" class="number">
              Ready
            </th>
            <th scope="col" class="number">
              Restarts
            </th>
            <th scope="col" class="number">
              Age
            </th>
            <th scope="col" class="vital">
              CPU
            </th>
            <th scope="col" class="vital">
              Memory
            </th>
          </tr>
        </thead>
        {groupByWorkload(value.pods).map((group) => (
          <Workload key={group.key} group={group} vitals={vitals.value} now={now} />
        ))}
      </table>
      <p class="fineprint">
        CPU in thousandths of a core, memory as working set; lines show the last{' '}
        {span((vitals.value?.to ?? 0) * 1000 - (vitals.value?.from ?? 0) * 1000)}.
      </p>
    </>
  );
}

function Headline({ pods }: { pods: readonly PodSummary[] }) {
  const ill = pods.filter(({ trouble }) => trouble === 'broken' || trouble === 'faulty');
  const starting = pods.filter(({ trouble }) => trouble === 'unready').length;
  const workloads = [...new Set(ill.map(({ workload }) => workload))];
  return (
    <div class="headline">
      <h1>
        {ill.length === 0
          ? `${pods.length === 1 ? 'The pod is' : `All ${pods.length} pods are`} ${starting === pods.length ? 'getting ready' : 'well'}.`
          : `${ill.length} of ${count(pods.length, 'pod')} ${ill.length === 1 ? 'needs' : 'need'} attention.`}
      </h1>
      <p>
        {workloads.length > 0 && `Look at ${list(workloads)} first. `}
        {starting > 0 && `${count(starting, 'pod is', 'pods are')} not ready yet.`}
      </p>
    </div>
  );
}

function list(words: readonly string[]): string {
  const shown = words.slice(0, 4);
  const rest = words.length - shown.length;
  if (rest > 0) return `${shown.join(', ')} and ${rest} more`;
  return shown.length === 1 ? shown[0]! : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

function Workload({ group, vitals, now }: { group: WorkloadGroup; vitals: Vitals | undefined; now: number }) {
  return (
    <tbody class={`workload workload-${group.trouble}`}>
      <tr class="workload-head">
        <th scope="rowgroup" colSpan={7}>
          <span class="workload-name">{group.workload}</span>
          <span class="workload-kind">
            {group.workloadType === 'barepod' ? 'bare pod' : group.workloadType} in {group.namespace}
          </span>
          <span class="workload-ready">
            {group.ready} of {group.pods.length} ready
          </span>
        </th>
      </tr>
      {group.pods.map((pod) => (
        <PodRow key={pod.uid} pod={pod} vitals={vitals} now={now} />
      ))}
    </tbody>
  );
}

function PodRow({ pod, vitals, now }: { pod: PodSummary; vitals: Vitals | undefined; now: number }) {
  const sick = pod.verdict.cause !== 'None';
  return (
    <>
      <tr class="pod">
        <th scope="row" class="pod-name">
          <a href={podAddress(pod.namespace, pod.name)}>{pod.name}</a>
        </th>
        <td class="pod-state">
          <StateWord pod={pod} />
        </td>
        <td class="number pod-ready" data-label="ready">
          {pod.readyContainers}/{pod.containers}
        </td>
        <td class="number pod-restarts" data-label="restarts">
          {pod.restarts}
          {pod.lastRestartAt !== undefined && pod.restarts > 0 && (
            <small> {span(now - pod.lastRestartAt)} ago</small>
          )}
        </td>
        <td class="number pod-age" data-label="age">
          {span(now - pod.createdAt)}
        </td>
        <Vital pod={pod} vitals={vitals} what="cpu" format={cores} floor={0.01} />
        <Vital pod={pod} vitals={vitals} what="memory" format={bytes} floor={2 ** 20} />
      </tr>
      {sick && (
        <tr class="pod-verdict">
          <td colSpan={7}>
            <b>{pod.verdict.cause}</b> {pod.verdict.summary}
          </td>
        </tr>
      )}
    </>
  );
}

const VITAL_NAMES = { cpu: 'CPU', memory: 'memory' } as const;
// A pod that stopped running has no usage now, whatever it used before.
const FRESH_SECONDS = 60;

function Vital({
  pod,
  vitals,
  what,
  format,
  floor,
}: {
  pod: PodSummary;
  vitals: Vitals | undefined;
  what: 'cpu' | 'memory';
  format: (value: number) => string;
  floor: number;
}) {
  const points = vitals?.[what].get(podKey(pod.namespace, pod.name)) ?? [];
  const last = points.at(-1);
  const fresh = last !== undefined && last[0] >= vitals!.to - FRESH_SECONDS;
  return (
    <td class="vital" data-label={VITAL_NAMES[what]}>
      <span class="vital-value">{fresh ? format(last[1]) : <span class="faint">–</span>}</span>
      <Sparkline points={points} from={vitals?.from ?? 0} to={vitals?.to ?? 1} floor={floor} />
    </td>
  );
}
