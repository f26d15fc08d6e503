import type { Deployment, PodSpec } from '../../../model/kubernetes.ts';

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

/** An object as a manifest asks for it: checked, with the API's defaults filled in, without what the server adds. */
export type ManifestObject =
  | (Applicable & { readonly kind: 'Pod'; readonly spec: PodSpec })
  | (Applicable & { readonly kind: 'Deployment'; readonly spec: Deployment['spec'] })
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
