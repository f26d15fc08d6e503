import {
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';

/** Which Prometheus to ask. */
export function datasourceVariable() {
  return new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus');
}

/** The values of a label among the series of a selector, or all of them. */
function labelVariable(name: string, label: string, selector: string) {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource({ type: 'prometheus', uid: '$datasource' })
    .query(`label_values(${selector}, ${name})`)
    .definition(`label_values(${selector}, ${name})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .includeAll(true)
    .allValue('.*')
    .current({ selected: true, text: 'All', value: '$__all' });
}

export const namespaceVariable = () => labelVariable('namespace', 'Namespace', 'kube_pod_info');

export const workloadVariable = () =>
  labelVariable(
    'workload',
    'Workload',
    'namespace_workload_pod:kube_pod_owner:relabel{namespace=~"$namespace"}',
  );

export const podVariable = () =>
  labelVariable(
    'pod',
    'Pod',
    'namespace_workload_pod:kube_pod_owner:relabel{namespace=~"$namespace",workload=~"$workload"}',
  );

/** A number someone types. */
export function numberVariable(name: string, label: string, value: string) {
  return new TextBoxVariableBuilder(name)
    .label(label)
    .defaultValue(value)
    .current({ selected: true, text: value, value });
}
