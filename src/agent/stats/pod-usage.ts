import type { PodView } from '../pod/view.ts';
import type { Usages } from './stats-reader.ts';

/** What a pod uses of its node, from the newest readings of its running containers; what was not read is absent. */
export function usageOf(
  pod: PodView | undefined,
  { containers: read }: Usages,
): {
  readonly memoryBytes?: number;
  readonly processes?: number;
  readonly containers: readonly { readonly name: string; readonly memoryBytes?: number }[];
} {
  const usages = (pod?.containers ?? []).flatMap(({ name, running }) => {
    const usage = running && read.get(running.id);
    return usage ? [{ name, memoryBytes: usage.memory?.workingSetBytes, processes: usage.processes }] : [];
  });
  const sum = (amounts: readonly (number | undefined)[]) => {
    const known = amounts.filter((amount) => amount !== undefined);
    return known.length === 0 ? undefined : known.reduce((total, amount) => total + amount, 0);
  };
  const memoryBytes = sum(usages.map((usage) => usage.memoryBytes));
  const processes = sum(usages.map((usage) => usage.processes));
  return {
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(processes === undefined ? {} : { processes }),
    containers: usages.map(({ name, memoryBytes: bytes }) => ({
      name,
      ...(bytes === undefined ? {} : { memoryBytes: bytes }),
    })),
  };
}
