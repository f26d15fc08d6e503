import type { PodSpec } from '../../../model/kubernetes.ts';
import type { Service } from '../../../model/kubernetes-service.ts';
import type {
  CronJob,
  DaemonSet,
  Deployment,
  Job,
  PodDisruptionBudget,
  PriorityClass,
  StatefulSet,
} from '../../../model/kubernetes-workload.ts';

interface Applicable {
  /** The file it was read from, to name it in messages and to find its folder. */
  readonly file: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** Replicas left out stay as they are, so that what `scale` asked for is not undone; 1 at first. */
type Scalable<Spec extends { readonly replicas: number }> = Omit<Spec, 'replicas'> & {
  readonly replicas?: number;
};

/** An object as a manifest asks for it: checked, with the API's defaults filled in, without what the server adds. */
export type ManifestObject =
  | (Applicable & { readonly kind: 'Pod'; readonly spec: PodSpec })
  | (Applicable & { readonly kind: 'Deployment'; readonly spec: Scalable<Deployment['spec']> })
  | (Applicable & { readonly kind: 'StatefulSet'; readonly spec: Scalable<StatefulSet['spec']> })
  | (Applicable & { readonly kind: 'DaemonSet'; readonly spec: DaemonSet['spec'] })
  | (Applicable & { readonly kind: 'Job'; readonly spec: Job['spec'] })
  | (Applicable & { readonly kind: 'CronJob'; readonly spec: CronJob['spec'] })
  | (Applicable & { readonly kind: 'PodDisruptionBudget'; readonly spec: PodDisruptionBudget['spec'] })
  | (Applicable & Omit<PriorityClass, 'apiVersion' | 'metadata'>)
  | (Applicable & { readonly kind: 'Service'; readonly spec: Service['spec'] })
  | (Applicable & {
      readonly kind: 'ConfigMap';
      readonly data?: Readonly<Record<string, string>>;
      readonly binaryData?: Readonly<Record<string, string>>;
    })
  | (Applicable & {
      readonly kind: 'Secret';
      readonly type?: string;
      /** Base64. */
      readonly data?: Readonly<Record<string, string>>;
    });

/** The pods an object makes; undefined for one that makes none. */
export function podSpecOf(object: ManifestObject): PodSpec | undefined {
  switch (object.kind) {
    case 'Pod':
      return object.spec;
    case 'CronJob':
      return object.spec.jobTemplate.spec.template.spec;
    case 'Deployment':
    case 'StatefulSet':
    case 'DaemonSet':
    case 'Job':
      return object.spec.template.spec;
    default:
      return undefined;
  }
}
