import { family } from './family.ts';
import { NAMESPACE, ofPoint, ofResource } from './label.ts';

const ofService = family({
  path: 'kube-state-metrics',
  labels: [NAMESPACE, ofResource('service', 'k8s.service.name'), ofResource('uid', 'k8s.service.uid')],
}).gauge;

/** Source: kube-state-metrics docs/metrics/service/service-metrics.md */
export const serviceSignals = {
  info: ofService('kube_service_info', {
    unit: '1',
    help: 'What a Service stands for; always 1.',
    labels: [
      ofPoint('cluster_ip'),
      ofPoint('external_name'),
      ofPoint('external_traffic_policy'),
      ofPoint('load_balancer_ip'),
    ],
    otlp: 'podvitals.service.info',
  }),
  created: ofService('kube_service_created', {
    unit: 's',
    help: 'When the Service was created, in Unix time.',
    otlp: 'podvitals.service.created',
  }),
  type: ofService('kube_service_spec_type', {
    unit: '1',
    help: 'The type of the Service; always 1.',
    labels: [ofPoint('type', 'k8s.service.type')],
    otlp: 'podvitals.service.spec.type',
  }),
};

const ofEndpoints = family({
  path: 'kube-state-metrics',
  labels: [NAMESPACE, ofResource('endpoint', 'podvitals.endpoint.name')],
}).gauge;

/** Source: kube-state-metrics docs/metrics/service/endpoint-metrics.md */
export const endpointSignals = {
  info: ofEndpoints('kube_endpoint_info', {
    unit: '1',
    help: 'The endpoints of a Service; always 1.',
    otlp: 'podvitals.endpoint.info',
  }),
  address: ofEndpoints('kube_endpoint_address', {
    unit: '1',
    help: 'An address of the endpoints; always 1.',
    labels: [ofPoint('ip'), ofPoint('ready')],
    otlp: 'podvitals.endpoint.address',
  }),
};
