import type { Container, PodSpec } from '../../../model/kubernetes.ts';
import { checkContainer } from './container-validation.ts';
import { checkName, DNS_LABEL } from './names.ts';
import type { Path, Report } from './problem.ts';
import { atLeast, oneOf } from './rules.ts';
import { checkScheduling } from './scheduling-validation.ts';
import { checkPodNames, checkPodSecurity } from './security-validation.ts';
import { checkVolumes } from './volume-validation.ts';

/** What the field types do not say about a pod. Source: kubernetes/pkg/apis/core/validation/validation.go */
export function checkPodSpec(spec: PodSpec, path: Path, report: Report): void {
  oneOf(spec.restartPolicy, ['Always', 'OnFailure', 'Never'], [...path, 'restartPolicy'], report);
  atLeast(spec.terminationGracePeriodSeconds, 0, [...path, 'terminationGracePeriodSeconds'], report);
  atLeast(spec.activeDeadlineSeconds, 1, [...path, 'activeDeadlineSeconds'], report);
  if (spec.hostname !== undefined) checkName(spec.hostname, DNS_LABEL, [...path, 'hostname'], report);
  if (spec.containers.length === 0) {
    report({ path: [...path, 'containers'], message: 'a pod needs at least one container' });
  }
  checkVolumes(spec.volumes ?? [], [...path, 'volumes'], report);
  checkPodSecurity(spec.securityContext, [...path, 'securityContext'], report);
  checkPodNames(spec, path, report);
  checkScheduling(spec, path, report);
  oneOf(spec.os?.name, ['linux', 'windows'], [...path, 'os', 'name'], report);
  const names = new Set<string>();
  const each = (list: readonly Container[], field: string, init: boolean) => {
    for (const [index, container] of list.entries()) {
      const place = [...path, field, index];
      if (names.has(container.name)) {
        report({
          path: [...place, 'name'],
          value: container.name,
          message: 'duplicate: another container has this name',
        });
      }
      names.add(container.name);
      const os = spec.os && { os: spec.os.name };
      checkContainer(container, { init, ...os, volumes: spec.volumes ?? [], path: place, report });
    }
  };
  each(spec.initContainers ?? [], 'initContainers', true);
  each(spec.containers, 'containers', false);
}
