import { isIP } from 'node:net';
import type { Service } from '../../../model/kubernetes-service.ts';
import { checkLabels, checkName, DNS_LABEL, PORT_NAME } from './names.ts';
import type { Path, Problem, Report } from './problem.ts';
import { oneOf } from './rules.ts';

const TYPES = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'];

// Source: kubernetes/pkg/apis/core/validation/validation.go, ValidateService
export function checkService(spec: Service['spec'], report: Report): void {
  oneOf(spec.type, TYPES, ['spec', 'type'], report);
  if (spec.selector) checkLabels(spec.selector, ['spec', 'selector'], report);
  if (spec.type === 'ExternalName' && !spec.externalName)
    report({ path: ['spec', 'externalName'], message: 'required with type ExternalName' });
  const { ports = [] } = spec;
  if (ports.length === 0 && spec.clusterIP !== 'None' && spec.type !== 'ExternalName')
    report({ path: ['spec', 'ports'], message: 'required, but missing' });
  const names = new Set<string | undefined>();
  for (const [index, { name, port, protocol, targetPort }] of ports.entries()) {
    const path: Path = ['spec', 'ports', index];
    const number = (value: number, field: string) => {
      if (value < 1 || value > 65535)
        report({ path: [...path, field], value, message: 'must be from 1 to 65535' });
    };
    number(port, 'port');
    if (typeof targetPort === 'number') number(targetPort, 'targetPort');
    if (typeof targetPort === 'string') checkName(targetPort, PORT_NAME, [...path, 'targetPort'], report);
    oneOf(protocol, ['TCP', 'UDP', 'SCTP'], [...path, 'protocol'], report);
    if (name !== undefined) checkName(name, DNS_LABEL, [...path, 'name'], report);
    else if (ports.length > 1)
      report({ path: [...path, 'name'], message: 'required where there are several ports' });
    if (names.has(name)) report({ path: [...path, 'name'], value: name, message: 'duplicate' });
    names.add(name);
  }
}

/** What of a Service is understood, and still does not work as in a cluster. */
export function serviceWarnings(spec: Service['spec']): readonly Problem[] {
  const warnings: Problem[] = [];
  if (spec.type === 'NodePort' || spec.type === 'LoadBalancer')
    warnings.push({
      path: ['spec', 'type'],
      message: `${spec.type} is treated as ClusterIP: nothing listens on the node for it`,
    });
  if (spec.type === 'ExternalName' && isIP(spec.externalName ?? '') === 0)
    warnings.push({
      path: ['spec', 'externalName'],
      message: 'only an address can be given a name here: names resolve by /etc/hosts',
    });
  if (spec.clusterIP && spec.clusterIP !== 'None')
    warnings.push({
      path: ['spec', 'clusterIP'],
      message:
        "an address cannot be chosen here: where a Service has one of its own, it is of the pods' network",
    });
  for (const [index, { protocol }] of (spec.ports ?? []).entries()) {
    if (protocol === 'SCTP')
      warnings.push({
        path: ['spec', 'ports', index, 'protocol'],
        message: 'SCTP reaches pods by their own port only',
      });
  }
  return warnings;
}
