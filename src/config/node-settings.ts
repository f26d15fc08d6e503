import type { NodeSettings } from '../agent/pod/node/node-keeper.ts';
import { defaultNodeSettings } from '../agent/pod/node/node-settings.ts';
import type { EvictionSignal, SoftThresholds, Threshold } from '../agent/pod/node/pressure.ts';
import { parseQuantity } from '../agent/pod/spec/quantity.ts';
import { CodedError } from '../util/coded-error.ts';
import { parseDuration } from './duration.ts';

export const EVICTION_SIGNAL_NAMES = [
  'memory.available',
  'nodefs.available',
  'nodefs.inodesFree',
  'pid.available',
] as const satisfies readonly EvictionSignal[];

interface NodeFields {
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly taints?:
    | readonly {
        readonly key: string;
        readonly value?: string | undefined;
        readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
      }[]
    | undefined;
  readonly reserved?: { readonly cpu?: string | undefined; readonly memory?: string | undefined } | undefined;
  readonly maxPods?: number | undefined;
  readonly evictionHard?: BySignal | undefined;
  readonly evictionSoft?: BySignal | undefined;
  readonly evictionSoftGracePeriod?: BySignal | undefined;
  readonly allowedUnsafeSysctls?: readonly string[] | undefined;
  /** Seconds. */
  readonly evictionMaxPodGracePeriod?: number | undefined;
}

type BySignal = Readonly<Partial<Record<EvictionSignal, string | undefined>>>;

/** The node's fields of `agent` in podvitals.yaml, over the defaults. @throws CONFIG_INVALID */
export function nodeSettings(
  name: string,
  fields: NodeFields | undefined,
  inFile: (field: string) => string,
): NodeSettings {
  const defaults = defaultNodeSettings(name);
  const quantity = (text: string | undefined, field: string) => {
    const value = text === undefined ? 0 : parseQuantity(text);
    if (value !== undefined && value >= 0) return value;
    throw new CodedError(
      'CONFIG_INVALID',
      `${inFile(field)}: ${JSON.stringify(text)} is no quantity; write it as 500m, 2 or 1Gi`,
    );
  };
  const thresholds = Object.entries(fields?.evictionHard ?? {}).map(([signal, text]) => [
    signal,
    threshold(text!, inFile(`agent.evictionHard.${signal}`)),
  ]);
  return {
    labels: { ...defaults.labels, ...fields?.labels },
    taints: (fields?.taints ?? []).map(({ key, value, effect }) => ({
      key,
      effect,
      ...(value === undefined ? {} : { value }),
    })),
    reserved: {
      cpu: quantity(fields?.reserved?.cpu, 'agent.reserved.cpu'),
      memory: quantity(fields?.reserved?.memory, 'agent.reserved.memory'),
    },
    maxPods: fields?.maxPods ?? defaults.maxPods,
    thresholds: { ...defaults.thresholds, ...Object.fromEntries(thresholds) },
    allowedSysctls: fields?.allowedUnsafeSysctls ?? [],
    softThresholds: softThresholds(fields ?? {}, inFile),
    maxPodGraceMs: (fields?.evictionMaxPodGracePeriod ?? 0) * 1000,
  };
}

/** Source: kubernetes/pkg/kubelet/eviction/helpers.go, parseThresholds and parseGracePeriods */
function softThresholds(
  { evictionSoft = {}, evictionSoftGracePeriod = {} }: NodeFields,
  inFile: (field: string) => string,
): SoftThresholds {
  for (const signal of Object.keys(evictionSoftGracePeriod) as EvictionSignal[]) {
    if (evictionSoft[signal] !== undefined) continue;
    throw new CodedError(
      'CONFIG_INVALID',
      `${inFile(`agent.evictionSoftGracePeriod.${signal}`)}: there is no soft threshold of this signal; set agent.evictionSoft.${signal}`,
    );
  }
  const entries = Object.entries(evictionSoft) as [EvictionSignal, string][];
  return Object.fromEntries(
    entries.map(([signal, text]) => {
      const grace = evictionSoftGracePeriod[signal];
      const place = inFile(`agent.evictionSoftGracePeriod.${signal}`);
      if (grace === undefined) {
        throw new CodedError(
          'CONFIG_INVALID',
          `${place}: a soft threshold needs a grace period, such as 1m30s`,
        );
      }
      const graceMs = parseDuration(grace, place, 0);
      return [signal, { threshold: threshold(text, inFile(`agent.evictionSoft.${signal}`)), graceMs }];
    }),
  );
}

/** `100Mi`, or `10%` of what there is in all. Source: kubelet --eviction-hard */
function threshold(text: string, place: string): Threshold {
  const percent = /^(\d{1,3}(?:\.\d+)?)%$/.exec(text)?.[1];
  if (percent !== undefined && Number(percent) <= 100) return { ratio: Number(percent) / 100 };
  const amount = parseQuantity(text);
  if (amount !== undefined && amount >= 0) return { amount };
  throw new CodedError(
    'CONFIG_INVALID',
    `${place}: ${JSON.stringify(text)} is no threshold; write an amount (100Mi) or a share (10%)`,
  );
}
