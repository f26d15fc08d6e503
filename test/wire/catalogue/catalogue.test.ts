import * as semconv from '@opentelemetry/semantic-conventions/incubating';
import { describe, expect, it } from 'vitest';
import { toRecord } from '../../../src/model/labels.ts';
import { catalogue, signalByOtlp, signalsNamed } from '../../../src/wire/catalogue/catalogue.ts';
import { fromSeriesLabels, samplesOf, toSeriesLabels } from '../../../src/wire/catalogue/series.ts';
import type { Signal } from '../../../src/wire/catalogue/signal.ts';

const conventional = new Set<unknown>(Object.values(semconv));
const target = { job: 'kubelet', instance: 'node-11:7639' };
const describeSignal = (signal: Signal) => `${signal.name} (${signal.otlp.name})`;
const valuesFor = (signal: Signal) => signal.labels.map((label, i) => `${label.name}-${11 + i}`);

/** Labels besides namespace, pod and uid; `counter` and `histogram` where it is no gauge. */
const KUBE_STATE_METRICS: Readonly<Record<string, string>> = {
  kube_pod_info: 'created_by_kind created_by_name host_ip host_network node pod_ip priority_class',
  kube_pod_owner: 'owner_is_controller owner_kind owner_name',
  kube_pod_status_phase: 'phase',
  kube_pod_status_ready: 'condition',
  kube_pod_status_scheduled: 'condition',
  kube_pod_status_reason: 'reason',
  kube_pod_status_qos_class: 'qos_class',
  kube_pod_status_unschedulable: '',
  kube_pod_status_scheduled_time: '',
  kube_pod_status_initialized_time: '',
  kube_pod_status_ready_time: '',
  kube_pod_status_container_ready_time: '',
  kube_pod_created: '',
  kube_pod_start_time: '',
  kube_pod_completion_time: '',
  kube_pod_deletion_timestamp: '',
  kube_pod_restart_policy: 'type',
  kube_pod_container_info: 'container container_id image image_id image_spec',
  kube_pod_container_status_waiting: 'container',
  kube_pod_container_status_running: 'container',
  kube_pod_container_status_terminated: 'container',
  kube_pod_container_status_ready: 'container',
  kube_pod_container_status_waiting_reason: 'container reason',
  kube_pod_container_status_terminated_reason: 'container reason',
  kube_pod_container_status_last_terminated_reason: 'container reason',
  kube_pod_container_status_last_terminated_exitcode: 'container',
  kube_pod_container_status_last_terminated_timestamp: 'container',
  kube_pod_container_state_started: 'container',
  kube_pod_container_status_restarts_total: 'container counter',
  kube_pod_container_resource_requests: 'container node resource unit',
  kube_pod_container_resource_limits: 'container node resource unit',
  kube_pod_init_container_info: 'container container_id image image_id image_spec restart_policy',
  kube_pod_init_container_status_waiting: 'container',
  kube_pod_init_container_status_running: 'container',
  kube_pod_init_container_status_terminated: 'container',
  kube_pod_init_container_status_ready: 'container',
  kube_pod_init_container_status_restarts_total: 'container counter',
  kube_pod_init_container_status_waiting_reason: 'container reason',
  kube_pod_init_container_status_terminated_reason: 'container reason',
  kube_pod_init_container_status_last_terminated_reason: 'container reason',
};

const OF_CONTAINER = 'container id image name namespace pod';
const CADVISOR: Readonly<Record<string, string>> = {
  container_cpu_usage_seconds_total: `${OF_CONTAINER} cpu counter`,
  container_cpu_user_seconds_total: `${OF_CONTAINER} counter`,
  container_cpu_system_seconds_total: `${OF_CONTAINER} counter`,
  container_cpu_cfs_periods_total: `${OF_CONTAINER} counter`,
  container_cpu_cfs_throttled_periods_total: `${OF_CONTAINER} counter`,
  container_cpu_cfs_throttled_seconds_total: `${OF_CONTAINER} counter`,
  container_memory_usage_bytes: OF_CONTAINER,
  container_memory_working_set_bytes: OF_CONTAINER,
  container_memory_rss: OF_CONTAINER,
  container_memory_cache: OF_CONTAINER,
  container_memory_swap: OF_CONTAINER,
  container_memory_mapped_file: OF_CONTAINER,
  container_memory_max_usage_bytes: OF_CONTAINER,
  container_memory_failcnt: `${OF_CONTAINER} counter`,
  container_memory_failures_total: `${OF_CONTAINER} failure_type scope counter`,
  container_oom_events_total: `${OF_CONTAINER} counter`,
  container_fs_reads_total: `${OF_CONTAINER} device counter`,
  container_fs_reads_bytes_total: `${OF_CONTAINER} device counter`,
  container_fs_writes_total: `${OF_CONTAINER} device counter`,
  container_fs_writes_bytes_total: `${OF_CONTAINER} device counter`,
  container_pressure_cpu_waiting_seconds_total: `${OF_CONTAINER} counter`,
  container_pressure_cpu_stalled_seconds_total: `${OF_CONTAINER} counter`,
  container_pressure_memory_waiting_seconds_total: `${OF_CONTAINER} counter`,
  container_pressure_memory_stalled_seconds_total: `${OF_CONTAINER} counter`,
  container_pressure_io_waiting_seconds_total: `${OF_CONTAINER} counter`,
  container_pressure_io_stalled_seconds_total: `${OF_CONTAINER} counter`,
  container_processes: OF_CONTAINER,
  container_threads: OF_CONTAINER,
  container_threads_max: OF_CONTAINER,
  container_file_descriptors: OF_CONTAINER,
  container_sockets: OF_CONTAINER,
  container_start_time_seconds: OF_CONTAINER,
  container_last_seen: OF_CONTAINER,
  container_spec_cpu_period: OF_CONTAINER,
  container_spec_cpu_quota: OF_CONTAINER,
  container_spec_cpu_shares: OF_CONTAINER,
  container_spec_memory_limit_bytes: OF_CONTAINER,
  container_network_receive_bytes_total: 'id interface namespace pod counter',
  container_network_receive_packets_total: 'id interface namespace pod counter',
  container_network_receive_packets_dropped_total: 'id interface namespace pod counter',
  container_network_receive_errors_total: 'id interface namespace pod counter',
  container_network_transmit_bytes_total: 'id interface namespace pod counter',
  container_network_transmit_packets_total: 'id interface namespace pod counter',
  container_network_transmit_packets_dropped_total: 'id interface namespace pod counter',
  container_network_transmit_errors_total: 'id interface namespace pod counter',
};

const OF_WORKLOAD = 'namespace workload workload_type';
const KUBELET: Readonly<Record<string, string>> = {
  prober_probe_total: 'container namespace pod pod_uid probe_type result counter',
  podvitals_container_deaths_total: 'container container_type namespace pod reason requested uid counter',
  podvitals_container_crash_loops_total: 'container container_type namespace pod uid counter',
  podvitals_container_oom_kills_total: 'container namespace pod uid counter',
  podvitals_container_back_off_seconds: 'container namespace pod uid',
  podvitals_container_back_off_seconds_total: 'container namespace pod uid counter',
  podvitals_workload_info: `${OF_WORKLOAD} service team tier`,
  podvitals_workload_desired_pods: OF_WORKLOAD,
  podvitals_workload_ready_pods: OF_WORKLOAD,
  podvitals_workload_desired_pod_seconds_total: `${OF_WORKLOAD} counter`,
  podvitals_workload_ready_pod_seconds_total: `${OF_WORKLOAD} counter`,
  podvitals_workload_pod_seconds_total: `${OF_WORKLOAD} counter`,
  podvitals_workload_restarts_total: `${OF_WORKLOAD} container_type counter`,
  podvitals_workload_crash_loops_total: `${OF_WORKLOAD} counter`,
  podvitals_workload_pod_starts_total: `${OF_WORKLOAD} counter`,
  podvitals_workload_pod_slow_starts_total: `${OF_WORKLOAD} counter`,
  podvitals_workload_pod_startup_seconds: `${OF_WORKLOAD} histogram`,
  podvitals_pod_startup_stage_seconds: 'namespace pod stage uid',
  podvitals_pod_network_errors_total: 'kind namespace pod uid counter',
  podvitals_pod_listening_port: 'namespace pod port uid',
  podvitals_agent_info: 'level node version',
  podvitals_agent_cpu_seconds_total: 'node counter',
  podvitals_agent_memory_bytes: 'node',
  podvitals_agent_dropped_total: 'node what counter',
};

const OTHER_OBJECTS: Readonly<Record<string, string>> = {
  kube_namespace_status_phase: 'namespace phase',
  kube_replicaset_owner: 'namespace owner_is_controller owner_kind owner_name replicaset',
  kube_deployment_spec_replicas: 'deployment namespace',
  kube_deployment_status_replicas: 'deployment namespace',
  kube_deployment_status_replicas_available: 'deployment namespace',
  kube_deployment_status_replicas_updated: 'deployment namespace',
  kube_deployment_status_observed_generation: 'deployment namespace',
  kube_deployment_metadata_generation: 'deployment namespace',
  kube_deployment_spec_paused: 'deployment namespace',
  kube_deployment_status_condition: 'deployment namespace condition reason status',
  kube_replicaset_created: 'namespace replicaset',
  kube_replicaset_spec_replicas: 'namespace replicaset',
  kube_replicaset_status_replicas: 'namespace replicaset',
  kube_replicaset_status_fully_labeled_replicas: 'namespace replicaset',
  kube_replicaset_status_ready_replicas: 'namespace replicaset',
  kube_replicaset_status_observed_generation: 'namespace replicaset',
  kube_replicaset_metadata_generation: 'namespace replicaset',
  kube_statefulset_created: 'namespace statefulset',
  kube_statefulset_replicas: 'namespace statefulset',
  kube_statefulset_status_replicas: 'namespace statefulset',
  kube_statefulset_status_replicas_current: 'namespace statefulset',
  kube_statefulset_status_replicas_ready: 'namespace statefulset',
  kube_statefulset_status_replicas_available: 'namespace statefulset',
  kube_statefulset_status_replicas_updated: 'namespace statefulset',
  kube_statefulset_status_observed_generation: 'namespace statefulset',
  kube_statefulset_metadata_generation: 'namespace statefulset',
  kube_statefulset_status_current_revision: 'namespace statefulset revision',
  kube_statefulset_status_update_revision: 'namespace statefulset revision',
  kube_daemonset_created: 'daemonset namespace',
  kube_daemonset_status_desired_number_scheduled: 'daemonset namespace',
  kube_daemonset_status_current_number_scheduled: 'daemonset namespace',
  kube_daemonset_status_number_ready: 'daemonset namespace',
  kube_daemonset_status_number_available: 'daemonset namespace',
  kube_daemonset_status_number_unavailable: 'daemonset namespace',
  kube_daemonset_status_number_misscheduled: 'daemonset namespace',
  kube_daemonset_status_updated_number_scheduled: 'daemonset namespace',
  kube_daemonset_status_observed_generation: 'daemonset namespace',
  kube_daemonset_metadata_generation: 'daemonset namespace',
  kube_job_info: 'job_name namespace',
  kube_job_created: 'job_name namespace',
  kube_job_spec_parallelism: 'job_name namespace',
  kube_job_spec_completions: 'job_name namespace',
  kube_job_spec_active_deadline_seconds: 'job_name namespace',
  kube_job_status_active: 'job_name namespace',
  kube_job_status_ready: 'job_name namespace',
  kube_job_status_succeeded: 'job_name namespace',
  kube_job_status_start_time: 'job_name namespace',
  kube_job_status_completion_time: 'job_name namespace',
  kube_job_status_suspended: 'job_name namespace',
  kube_job_owner: 'job_name namespace owner_is_controller owner_kind owner_name',
  kube_job_status_failed: 'job_name namespace reason',
  kube_job_complete: 'job_name namespace condition',
  kube_job_failed: 'job_name namespace condition',
  kube_cronjob_created: 'cronjob namespace',
  kube_cronjob_next_schedule_time: 'cronjob namespace',
  kube_cronjob_status_active: 'cronjob namespace',
  kube_cronjob_status_last_schedule_time: 'cronjob namespace',
  kube_cronjob_status_last_successful_time: 'cronjob namespace',
  kube_cronjob_spec_suspend: 'cronjob namespace',
  kube_cronjob_spec_starting_deadline_seconds: 'cronjob namespace',
  kube_cronjob_spec_successful_job_history_limit: 'cronjob namespace',
  kube_cronjob_spec_failed_job_history_limit: 'cronjob namespace',
  kube_cronjob_info: 'cronjob namespace concurrency_policy schedule timezone',
  kube_service_info:
    'namespace service uid cluster_ip external_name external_traffic_policy load_balancer_ip',
  kube_service_created: 'namespace service uid',
  kube_service_spec_type: 'namespace service uid type',
  kube_endpoint_info: 'endpoint namespace',
  kube_endpoint_address: 'endpoint namespace ip ready',
  kube_node_status_capacity: 'node resource unit',
  kube_node_status_allocatable: 'node resource unit',
};

const words = (text: string) => text.split(' ').filter(Boolean).sort();

function shapeOf(name: string): string[] {
  const signals = signalsNamed(name);
  const labels = new Set<string>();
  for (const signal of signals) {
    for (const label of signal.labels) labels.add(label.name);
    for (const [constant] of signal.constants ?? []) labels.add(constant);
  }
  const type = signals[0]?.type;
  return [...labels, ...(type === 'gauge' ? [] : [type ?? 'unknown signal'])].sort();
}

describe('the catalogue keeps the contract of the exporters it stands in for', () => {
  for (const [name, extra] of Object.entries(KUBE_STATE_METRICS)) {
    it(`${name} is on the path of kube-state-metrics with its labels and type`, () => {
      expect(shapeOf(name)).toEqual(words(`namespace pod uid ${extra}`));
      expect(signalsNamed(name)[0]!.path).toBe('kube-state-metrics');
    });
  }
  for (const [name, shape] of Object.entries(OTHER_OBJECTS)) {
    it(`${name} is on the path of kube-state-metrics with its labels`, () => {
      expect(shapeOf(name)).toEqual(words(shape));
      expect(signalsNamed(name)[0]!.path).toBe('kube-state-metrics');
    });
  }
  for (const [name, shape] of Object.entries(CADVISOR)) {
    it(`${name} is on cAdvisor's path with its labels and type`, () => {
      expect(shapeOf(name)).toEqual(words(shape));
      expect(signalsNamed(name)[0]!.path).toBe('cadvisor');
    });
  }
  for (const [name, shape] of Object.entries(KUBELET)) {
    it(`${name} is on the kubelet's path with its labels and type`, () => {
      expect(shapeOf(name)).toEqual(words(shape));
      expect(signalsNamed(name)[0]!.path).toBe('kubelet');
    });
  }

  it('leaves out kube_node_info, with which a store without `up` would page KubeletDown', () => {
    expect(signalsNamed('kube_node_info')).toEqual([]);
  });
});

describe('a signal of the catalogue', () => {
  it('shares its name only with signals that Prometheus keeps in the same family', () => {
    for (const signals of Map.groupBy(catalogue, (signal) => signal.name).values()) {
      const families = signals.map(({ type, help, path, stability }) => ({ type, help, path, stability }));
      expect(new Set(families.map((family) => JSON.stringify(family))).size, signals[0]!.name).toBe(1);
    }
  });

  it('has a name, labels and attributes that Prometheus and OpenTelemetry accept, each once', () => {
    for (const signal of catalogue) {
      const names = [
        ...signal.labels.map((label) => label.name),
        ...(signal.constants ?? []).map(([name]) => name),
      ];
      const attributes = [
        ...signal.labels.map((label) => label.attribute),
        ...Object.keys(signal.otlp.fixed ?? {}),
      ];
      expect(signal.name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(signal.otlp.name).toMatch(/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/);
      for (const name of names) expect(name, signal.name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(new Set(names).size, signal.name).toBe(names.length);
      expect(new Set(attributes).size, signal.name).toBe(attributes.length);
      expect(names.filter((name) => ['job', 'instance', 'le', '__name__'].includes(name))).toEqual([]);
      expect(signal.help).toMatch(/^\S.*\.$/);
    }
  });

  it('is found again by its OTLP name and fixed attributes, and by nothing else', () => {
    const found = catalogue.map((signal) =>
      signalByOtlp(signal.otlp.name, (key) => signal.otlp.fixed?.[key]),
    );
    expect(found).toEqual(catalogue);
    expect(signalByOtlp('k8s.container.status.state', () => 'sleeping')).toBeUndefined();
    expect(signalByOtlp('k8s.pod.unheard_of', () => undefined)).toBeUndefined();
  });

  it('travels under a name of the semantic conventions, or under podvitals.*', () => {
    for (const { otlp, name } of catalogue) {
      if (!otlp.name.startsWith('podvitals.'))
        expect(conventional.has(otlp.name), `${name}: ${otlp.name}`).toBe(true);
    }
  });

  it('has attributes of the semantic conventions, or under podvitals.*', () => {
    const keys = catalogue.flatMap((signal) => [
      ...signal.labels.map((label) => label.attribute),
      ...Object.keys(signal.otlp.fixed ?? {}),
    ]);
    const own = new Set(
      keys.filter((key) => !conventional.has(key) && !/^(podvitals|k8s\.pod\.label)\./.test(key)),
    );
    expect([...own]).toEqual([]);
  });

  it('says what a foreign receiver may add up: counters are counters, gauges gauges or up-down counters', () => {
    const allowed = { counter: ['counter'], gauge: ['gauge', 'updowncounter'], histogram: ['histogram'] };
    for (const signal of catalogue) expect(allowed[signal.type]).toContain(signal.otlp.instrument);
  });
});

describe('series labels', () => {
  it('lead back to the signal, its values and its target, for every signal', () => {
    for (const signal of catalogue) {
      const values = valuesFor(signal);
      const sample =
        signal.type === 'histogram' ? { suffix: '_bucket' as const, le: '30.0' } : { suffix: '' as const };
      const back = fromSeriesLabels(toSeriesLabels(signal, values, target, sample));
      expect(back, describeSignal(signal)).toEqual({ signal, values, target, sample });
    }
  });

  it('are those a scrape would store, with constants and without empty values', () => {
    const [usage] = signalsNamed('container_cpu_usage_seconds_total');
    const values = ['shop', 'cart-11', 'cart', '/podvitals/pod11/cart', '', 'host'];
    expect(toRecord(toSeriesLabels(usage!, values, { job: 'cadvisor', instance: 'a:1' }))).toEqual({
      __name__: 'container_cpu_usage_seconds_total',
      container: 'cart',
      cpu: 'total',
      id: '/podvitals/pod11/cart',
      image: 'host',
      instance: 'a:1',
      job: 'cadvisor',
      namespace: 'shop',
      pod: 'cart-11',
    });
  });

  it('tell a container, its pod and the node apart in one family', () => {
    const named = (labels: Record<string, string>) =>
      fromSeriesLabels(Object.entries({ __name__: 'container_memory_working_set_bytes', ...labels }).sort())
        ?.signal.otlp.name;
    expect(named({ id: '/a/b', namespace: 'shop', pod: 'cart-11', container: 'cart' })).toBe(
      'container.memory.working_set',
    );
    expect(named({ id: '/a', namespace: 'shop', pod: 'cart-11' })).toBe('k8s.pod.memory.working_set');
    expect(named({ id: '/' })).toBe('k8s.node.memory.working_set');
  });

  it('of a name or label the catalogue does not know lead nowhere', () => {
    expect(fromSeriesLabels([['__name__', 'http_requests_total']])).toBeUndefined();
    expect(
      fromSeriesLabels([
        ['__name__', 'kube_pod_created'],
        ['zone', 'b'],
      ]),
    ).toBeUndefined();
  });

  it('expand a histogram into cumulative buckets, sum and count, bounds written as Prometheus 3 does', () => {
    const [startup] = signalsNamed('podvitals_workload_pod_startup_seconds');
    const signal = { ...startup!, bounds: [0.5, 30, 1e21] };
    const samples = samplesOf({ signal, labels: [], buckets: [1, 2, 0, 4], sum: 99.5, count: 7 });
    expect(samples).toEqual([
      { suffix: '_bucket', le: '0.5', value: 1 },
      { suffix: '_bucket', le: '30.0', value: 3 },
      { suffix: '_bucket', le: '1e+21', value: 3 },
      { suffix: '_bucket', le: '+Inf', value: 7 },
      { suffix: '_sum', value: 99.5 },
      { suffix: '_count', value: 7 },
    ]);
  });
});
