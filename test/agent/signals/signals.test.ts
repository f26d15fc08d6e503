import { describe, expect, it } from 'vitest';
import type { PodView } from '../../../src/agent/pod/view.ts';
import { STARTUP_BOUNDS } from '../../../src/agent/pod/workload/workload-counters.ts';
import { type Observed, pointsOf, pointsOfPod } from '../../../src/agent/signals/signals.ts';
import { LOOKUP_BOUNDS } from '../../../src/agent/stats/dns/lookup-histogram.ts';
import type { Usages } from '../../../src/agent/stats/stats-reader.ts';
import { catalogue } from '../../../src/wire/catalogue/catalogue.ts';
import { networkSignals } from '../../../src/wire/catalogue/network.ts';
import { samplesOf, toSeriesLabels } from '../../../src/wire/catalogue/series.ts';
import type { Point } from '../../../src/wire/catalogue/signal.ts';
import { workloadSignals } from '../../../src/wire/catalogue/workload.ts';
import {
  agentFacts,
  cart,
  cartPod,
  cartPodUsage,
  cartReplicaSet,
  cartStatus,
  cartUsage,
  cartWorkload,
  changed,
  condition,
  migrate,
  nodeObject,
  nodeUsage,
  usages,
} from './views.ts';

/** Series of one family as `{label="value",…} value`, without the labels every pod series has. */
function show(points: readonly Point[], name: string): string[] {
  const hidden = new Set(['__name__', 'job', 'instance', 'namespace', 'pod', 'uid']);
  return points
    .filter((point) => point.signal.name === name)
    .flatMap((point) =>
      samplesOf(point).map((sample) => {
        const labels = toSeriesLabels(point.signal, point.labels, { job: '', instance: '' }, sample);
        const shown = labels.filter(([label]) => !hidden.has(label));
        return `{${shown.map(([label, value]) => `${label}="${value}"`).join(',')}} ${sample.value}`;
      }),
    );
}

const nothingRead: Usages = { containers: new Map(), pods: new Map() };
const shownFor = (view: PodView, name: string, read: Usages = usages) => show(pointsOfPod(view, read), name);
const ofCart = (name: string) => shownFor(cartPod, name);
const withUsage = (usage: object): Usages => ({
  ...usages,
  containers: new Map([['u11-cart-3', { ...cartUsage, ...usage }]]),
});

const more = {
  lookups: { counts: [0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 0], sumSeconds: 5.06, count: 3, sinceMs: 1 },
  verdict: {
    cause: 'OOMKilled',
    failureMode: 'F2',
    confidence: 'certain',
    summary: '',
    evidence: [],
    next: [],
  },
} as const;
const observed: Observed = {
  pods: [cartPod],
  workloads: [cartWorkload],
  objects: [cartWorkload.object!, cartReplicaSet],
  usages,
  more: () => more,
  node: nodeUsage,
  agent: agentFacts,
  nodeObject,
  evictions: { 'memory.available': 2 },
};
const all = pointsOf(observed);

describe('every point', () => {
  it('is of a signal in the catalogue, with one value for each of its labels', () => {
    for (const point of all) {
      expect(catalogue).toContain(point.signal);
      expect(point.labels, point.signal.name).toHaveLength(point.signal.labels.length);
      for (const value of point.labels) expect(typeof value, point.signal.name).toBe('string');
    }
  });

  it('is a series of its own', () => {
    const keys = all.map((point) =>
      JSON.stringify([
        point.signal.name,
        toSeriesLabels(point.signal, point.labels, { job: '', instance: '' }),
      ]),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('of a pod is found among all points', () => {
    for (const point of pointsOfPod(cartPod, usages, more)) expect(all).toContainEqual(point);
  });
});

describe('a pod, as podvitals knows it', () => {
  it('has the cause of what is wrong with it, and no series when nothing is', () => {
    const shown = (cause: string) =>
      show(pointsOfPod(cartPod, usages, { verdict: { ...more.verdict, cause } }), 'podvitals_pod_verdict');
    expect(shown('OOMKilled')).toEqual(['{cause="OOMKilled",confidence="certain",failure_mode="F2"} 1']);
    expect(shown('None')).toEqual([]);
  });
  it('has its look-ups by how long they took, and no series when none was answered', () => {
    const points = pointsOfPod(cartPod, usages, more);
    expect(networkSignals.dnsLookup.bounds).toEqual(LOOKUP_BOUNDS);
    const buckets = show(points, 'podvitals_pod_dns_lookup_seconds');
    expect(buckets).toContain('{le="0.1"} 2');
    expect(buckets).toContain('{le="+Inf"} 3');
    expect(show(pointsOfPod(cartPod, usages), 'podvitals_pod_dns_lookup_seconds')).toEqual([]);
  });
});

describe('pods, as kube-state-metrics shows them', () => {
  it('have all five phases, one of them 1', () => {
    expect(ofCart('kube_pod_status_phase')).toEqual([
      '{phase="Pending"} 0',
      '{phase="Succeeded"} 0',
      '{phase="Failed"} 0',
      '{phase="Unknown"} 0',
      '{phase="Running"} 1',
    ]);
  });

  it('have all three values of Ready and PodScheduled, and no series without the condition', () => {
    const notReady = changed(cartPod, {
      status: { conditions: [condition('Ready', 'False', '2026-01-01T12:01:00Z')] },
    });
    expect(shownFor(notReady, 'kube_pod_status_ready')).toEqual([
      '{condition="true"} 0',
      '{condition="false"} 1',
      '{condition="unknown"} 0',
    ]);
    expect(shownFor(notReady, 'kube_pod_status_scheduled')).toEqual([]);
    expect(shownFor(notReady, 'kube_pod_status_ready_time')).toEqual([]);
  });

  it('have one owner series, with empty labels (so without labels) for a bare pod', () => {
    expect(ofCart('kube_pod_owner')).toEqual([
      '{owner_is_controller="true",owner_kind="ReplicaSet",owner_name="cart-6d5f"} 1',
    ]);
    const bare = changed(cartPod, { metadata: { ownerReferences: [] } });
    expect(shownFor(bare, 'kube_pod_owner')).toEqual(['{} 1']);
  });

  it('say which node and network they are on', () => {
    expect(ofCart('kube_pod_info')).toEqual([
      '{created_by_kind="ReplicaSet",created_by_name="cart-6d5f",host_ip="10.11.0.1",host_network="false",node="node-11",pod_ip="10.88.0.11"} 1',
    ]);
  });

  it('have a reason only while there is one; reasons Kubernetes does not list are Other', () => {
    expect(ofCart('kube_pod_status_reason')).toEqual([]);
    const reasonOf = (reason: string) =>
      shownFor(changed(cartPod, { status: { reason } }), 'kube_pod_status_reason');
    expect(reasonOf('Evicted')).toEqual(['{reason="Evicted"} 1']);
    expect(reasonOf('DeadlineExceeded')).toEqual(['{reason="Other"} 1']);
    const gated = condition('PodScheduled', 'False', '2026-01-01T12:00:00Z', 'SchedulingGated');
    expect(shownFor(changed(cartPod, { status: { conditions: [gated] } }), 'kube_pod_status_reason')).toEqual(
      ['{reason="SchedulingGated"} 1'],
    );
  });

  it('have their times in Unix seconds', () => {
    const created = Date.UTC(2026, 0, 1, 12) / 1000;
    expect(ofCart('kube_pod_created')).toEqual([`{} ${created}`]);
    expect(ofCart('kube_pod_start_time')).toEqual([`{} ${created + 1}`]);
    expect(ofCart('kube_pod_status_scheduled_time')).toEqual([`{} ${created + 1}`]);
    expect(ofCart('kube_pod_status_initialized_time')).toEqual([`{} ${created + 5}`]);
    expect(ofCart('kube_pod_status_ready_time')).toEqual([`{} ${created + 62}`]);
    expect(ofCart('kube_pod_completion_time')).toEqual([]);
    expect(ofCart('kube_pod_deletion_timestamp')).toEqual([]);
  });

  it('carry the promoted labels, and no others', () => {
    expect(ofCart('kube_pod_labels')).toEqual([
      '{label_app_kubernetes_io_part_of="shop",label_team="checkout"} 1',
    ]);
  });
});

describe('containers, as kube-state-metrics shows them', () => {
  const waiting = changed(cartPod, {
    status: {
      containerStatuses: [
        { ...cartStatus, state: { waiting: { reason: 'CrashLoopBackOff' } }, ready: false },
      ],
    },
  });

  it('have a waiting reason only while they wait', () => {
    expect(ofCart('kube_pod_container_status_waiting_reason')).toEqual([]);
    expect(shownFor(waiting, 'kube_pod_container_status_waiting_reason')).toEqual([
      '{container="cart",reason="CrashLoopBackOff"} 1',
    ]);
  });

  it('are in one of three states', () => {
    const states = (view: PodView) =>
      ['waiting', 'running', 'terminated'].map(
        (state) => shownFor(view, `kube_pod_container_status_${state}`)[0],
      );
    expect(states(cartPod)).toEqual(['{container="cart"} 0', '{container="cart"} 1', '{container="cart"} 0']);
    expect(states(waiting)).toEqual(['{container="cart"} 1', '{container="cart"} 0', '{container="cart"} 0']);
  });

  it('remember how they ended the last time', () => {
    expect(ofCart('kube_pod_container_status_last_terminated_reason')).toEqual([
      '{container="cart",reason="OOMKilled"} 1',
    ]);
    expect(ofCart('kube_pod_container_status_last_terminated_exitcode')).toEqual(['{container="cart"} 137']);
    expect(ofCart('kube_pod_container_status_restarts_total')).toEqual(['{container="cart"} 3']);
  });

  it('keep init containers in families of their own', () => {
    expect(ofCart('kube_pod_init_container_status_terminated_reason')).toEqual([
      '{container="migrate",reason="Completed"} 1',
    ]);
    expect(ofCart('kube_pod_container_status_terminated_reason')).toEqual([]);
    expect(ofCart('kube_pod_container_info')).toHaveLength(1);
    expect(ofCart('kube_pod_init_container_info')).toHaveLength(1);
  });

  it('have requests and limits in cores and bytes; a request left out is the limit', () => {
    expect(ofCart('kube_pod_container_resource_requests')).toEqual([
      '{container="cart",node="node-11",resource="cpu",unit="core"} 0.1',
      '{container="cart",node="node-11",resource="memory",unit="byte"} 67108864',
    ]);
    expect(ofCart('kube_pod_container_resource_limits')).toEqual([
      '{container="cart",node="node-11",resource="cpu",unit="core"} 0.2',
      '{container="cart",node="node-11",resource="memory",unit="byte"} 67108864',
    ]);
  });
});

describe('containers, as cAdvisor shows them', () => {
  const own = 'container="cart",';
  const id = 'id="/podvitals/pod-u11/cart-3",image="registry.test/cart:1.4"';

  it('carry cgroup, image and container on every series', () => {
    expect(ofCart('container_cpu_usage_seconds_total')).toEqual([
      `{${own}cpu="total",${id},name="u11-cart-3"} 11.5`,
      '{cpu="total",id="/podvitals/pod-u11"} 12',
    ]);
    expect(ofCart('container_memory_working_set_bytes')).toEqual([
      `{${own}${id},name="u11-cart-3"} 44000000`,
      '{id="/podvitals/pod-u11"} 45000000',
    ]);
  });

  it('have the image `host` when the manifest names none, so that dashboards do not lose them', () => {
    const nameless = changed(cartPod, { containers: [{ ...cart, config: { ...cart.config, image: '' } }] });
    expect(shownFor(nameless, 'container_memory_rss')[0]).toContain('image="host"');
  });

  it('have throttling series only where a quota is set', () => {
    expect(ofCart('container_cpu_cfs_throttled_periods_total')).toHaveLength(1);
    expect(ofCart('container_spec_cpu_quota')).toEqual([`{${own}${id},name="u11-cart-3"} 20000`]);
    const { throttling: _, ...unlimited } = cartUsage;
    const read = { ...usages, containers: new Map([['u11-cart-3', unlimited]]) };
    expect(shownFor(cartPod, 'container_cpu_cfs_periods_total', read)).toEqual([]);
  });

  it('name devices', () => {
    expect(ofCart('container_fs_writes_bytes_total')).toEqual([
      `{${own}device="/dev/vda",${id},name="u11-cart-3"} 8192`,
    ]);
  });

  it('have no series for what could not be read, never a 0', () => {
    const read = withUsage({ memory: undefined, pressure: undefined });
    expect(shownFor(cartPod, 'container_memory_usage_bytes', read)).toEqual([
      '{id="/podvitals/pod-u11"} 51000000',
    ]);
    expect(shownFor(cartPod, 'container_pressure_io_waiting_seconds_total', read)).toEqual([]);
    expect(shownFor(cartPod, 'container_cpu_usage_seconds_total', nothingRead)).toEqual([]);
  });

  it('have no series when they do not run', () => {
    const { running: _, ...dead } = cart;
    const points = pointsOfPod(changed(cartPod, { containers: [dead] }), usages);
    expect(
      points.filter((point) => point.signal.path === 'cadvisor' && point.labels.includes('cart')),
    ).toEqual([]);
  });

  it('show the network once per pod and interface, without container or image', () => {
    expect(ofCart('container_network_receive_bytes_total')).toEqual([
      '{id="/podvitals/pod-u11",interface="eth0"} 1100',
    ]);
  });

  it('begin their counters with the life, pods theirs with the pod', () => {
    const starts = pointsOfPod(cartPod, usages)
      .filter((point) => point.signal.name === 'container_cpu_usage_seconds_total')
      .map((point) => point.startMs);
    expect(starts).toEqual([cart.running!.startedAt, cartPod.startup.createdAt]);
  });
});

describe('lives', () => {
  it('have counters of deaths by reason, from 0 at creation for the common ones', () => {
    const name = 'podvitals_container_deaths_total';
    expect(shownFor(changed(cartPod, { containers: [migrate] }), name)).toEqual([
      '{container="migrate",container_type="init_container",reason="Completed",requested="false"} 1',
      '{container="migrate",container_type="init_container",reason="Error",requested="false"} 0',
      '{container="migrate",container_type="init_container",reason="OOMKilled",requested="false"} 0',
      '{container="migrate",container_type="init_container",reason="StartError",requested="false"} 0',
    ]);
  });

  it('tell deaths that were asked for apart', () => {
    const rolled = { ...cart, requestedDeaths: { Completed: 1 } };
    expect(
      shownFor(changed(cartPod, { containers: [rolled] }), 'podvitals_container_deaths_total'),
    ).toContain('{container="cart",container_type="container",reason="Completed",requested="true"} 1');
  });

  it('add the OOM kills of the present life to those of the lives before', () => {
    const name = 'podvitals_container_oom_kills_total';
    expect(ofCart(name)).toEqual(['{container="migrate"} 0', '{container="cart"} 2']);
    expect(shownFor(cartPod, name, nothingRead)).toEqual(['{container="migrate"} 0']);
  });

  it('show the back-off only while waiting, and the time lost to it always', () => {
    expect(ofCart('podvitals_container_back_off_seconds')).toEqual([]);
    expect(ofCart('podvitals_container_back_off_seconds_total')).toContain('{container="cart"} 30');
    const backingOff = { ...cart, backOff: { delayMs: 20_000, untilMs: 1 } };
    expect(
      shownFor(changed(cartPod, { containers: [backingOff] }), 'podvitals_container_back_off_seconds'),
    ).toEqual(['{container="cart"} 20']);
  });

  it("count probes in the kubelet's words", () => {
    const pod = 'pod_uid="u11",probe_type="Liveness"';
    expect(ofCart('prober_probe_total')).toEqual([
      `{container="cart",${pod},result="successful"} 12`,
      `{container="cart",${pod},result="failed"} 1`,
    ]);
  });

  it('show each stage of the start that is over, without gaps between them', () => {
    expect(ofCart('podvitals_pod_startup_stage_seconds')).toEqual([
      '{stage="schedule"} 1',
      '{stage="pull"} 1',
      '{stage="init"} 3',
      '{stage="start"} 0.5',
      '{stage="ready"} 6.5',
    ]);
  });
});

describe('network errors', () => {
  it('are counted by kind, those of interfaces as dropped', () => {
    expect(ofCart('podvitals_pod_network_errors_total')).toEqual([
      '{kind="connect_failed"} 4',
      '{kind="reset"} 5',
      '{kind="retransmit_timeout"} 6',
      '{kind="dropped"} 3',
    ]);
  });

  it('are absent where the pod has no network of its own', () => {
    const { tcp: _, interfaces: __, ...rest } = cartPodUsage;
    const read = { ...usages, pods: new Map([['u11', rest]]) };
    expect(shownFor(cartPod, 'podvitals_pod_network_errors_total', read)).toEqual([]);
  });

  it('stand beside the ports that are listened on, each once', () => {
    expect(ofCart('podvitals_pod_listening_port')).toEqual(['{port="8080"} 1']);
  });
});

describe('workloads', () => {
  it('count restarts of containers and init containers apart', () => {
    expect(show(all, 'podvitals_workload_restarts_total')).toEqual([
      '{container_type="container",workload="cart",workload_type="deployment"} 3',
      '{container_type="init_container",workload="cart",workload_type="deployment"} 0',
    ]);
  });

  it('have a start-up histogram, by the bounds the agent counts by', () => {
    expect(workloadSignals.startup.bounds).toEqual(STARTUP_BOUNDS);
    const own = 'workload="cart",workload_type="deployment"';
    const samples = show(all, 'podvitals_workload_pod_startup_seconds');
    expect(samples).toContain(`{le="10.0",${own}} 0`);
    expect(samples).toContain(`{le="15.0",${own}} 1`);
    expect(samples.slice(-3)).toEqual([`{le="+Inf",${own}} 1`, `{${own}} 12`, `{${own}} 1`]);
  });

  it('show their Deployment, and the ReplicaSet between it and the pods', () => {
    expect(show(all, 'kube_deployment_spec_replicas')).toEqual(['{deployment="cart"} 1']);
    expect(show(all, 'kube_replicaset_owner')).toEqual([
      '{owner_is_controller="true",owner_kind="Deployment",owner_name="cart",replicaset="cart-6d5f"} 1',
    ]);
  });

  it('and pods say which namespaces are in use, each once', () => {
    expect(show(all, 'kube_namespace_status_phase')).toEqual([
      '{phase="Active"} 1',
      '{phase="Terminating"} 0',
    ]);
  });
});

describe('the node', () => {
  it('is the root cgroup: all CPU time but idle, all memory that is not available', () => {
    expect(show(all, 'container_cpu_usage_seconds_total')).toContain('{cpu="total",id="/"} 153');
    expect(show(all, 'container_memory_working_set_bytes')).toContain('{id="/"} 2000000000');
  });

  it('has conditions, a cordon, taints and evictions, and leaves to pods what is not kept aside', () => {
    expect(show(all, 'kube_node_status_condition')).toEqual([
      '{condition="MemoryPressure",node="node-11",status="true"} 1',
      '{condition="MemoryPressure",node="node-11",status="false"} 0',
      '{condition="MemoryPressure",node="node-11",status="unknown"} 0',
    ]);
    expect(show(all, 'kube_node_spec_unschedulable')).toEqual(['{node="node-11"} 1']);
    expect(show(all, 'kube_node_spec_taint')).toEqual([
      '{effect="NoSchedule",key="dedicated",node="node-11",value="shop"} 1',
    ]);
    expect(show(all, 'kube_node_status_allocatable')).toEqual([
      '{node="node-11",resource="cpu",unit="core"} 3.5',
      `{node="node-11",resource="memory",unit="byte"} ${8286208 * 1024}`,
    ]);
    expect(show(all, 'kubelet_evictions')).toContain('{eviction_signal="memory.available"} 2');
    expect(show(all, 'kubelet_evictions')).toContain('{eviction_signal="pid.available"} 0');
  });

  it("has the kubelet's counts and the agent's own", () => {
    expect(show(all, 'kubelet_running_pods')).toEqual(['{} 1']);
    expect(show(all, 'kubelet_running_containers')).toEqual([
      '{container_state="running"} 1',
      '{container_state="exited"} 1',
    ]);
    expect(show(all, 'podvitals_agent_info')).toEqual([
      '{level="root, cgroup v1 and v2",node="node-11",version="0.1.0"} 1',
    ]);
  });
});
