import type { Evidence } from '../../model/evidence.ts';
import type { Life, LifeConfig } from '../../model/life.ts';
import type { Death } from './death.ts';
import { brief, bytes, duration, rfc3339 } from './words.ts';

// What lived this long was well: the time after which the kubelet forgets a back-off.
const HEALTHY_MS = 600_000;
const MOST_NAMES = 8;

/**
 * What changed between the last life that was well and the first that crashed after it; where none was, between a pod
 * of the same workload that is well and this one, as in a rollout. None when nothing did.
 */
export function configChange(death: Death): readonly Evidence[] {
  const lives = [...death.earlier, death.life];
  const index = lives.findLastIndex((life) => life.finishedAt - life.startedAt >= HEALTHY_MS);
  const [healthy, crashing] = [lives[index], lives[index + 1]];
  if (healthy && crashing) {
    const changes = differences(healthy, crashing);
    if (changes.length === 0 && healthy.config.configHash !== crashing.config.configHash)
      changes.push('the value of a setting or a mounted file');
    return changeFact(`the last life that was well (${duration(lived(healthy))})`, changes, crashing);
  }
  const { well, life } = death;
  if (!well) return [];
  const ran = duration(Math.max(0, life.finishedAt - well.startedAt));
  return changeFact(
    `pod ${well.pod.name}, which is well and has run for ${ran},`,
    differences(well, life),
    lives[0]!,
  );
}

const changeFact = (
  since: string,
  changes: readonly string[],
  first: Pick<Life, 'id' | 'startedAt'>,
): readonly Evidence[] =>
  changes.length === 0
    ? []
    : [
        {
          fact: `since ${since} changed: ${changes.join('; ')}`,
          source: first.id,
          at: rfc3339(first.startedAt),
        },
      ];

const lived = (life: Pick<Life, 'startedAt' | 'finishedAt'>) => life.finishedAt - life.startedAt;

interface Configured {
  readonly config: LifeConfig;
  readonly pod: { readonly node: string };
}

function differences({ config: before, pod: was }: Configured, { config: after, pod: is }: Configured) {
  const changes: string[] = [];
  if (before.image !== after.image)
    changes.push(`image ${brief(before.image, 80)} to ${brief(after.image, 80)}`);
  if (before.command.join('\0') !== after.command.join('\0')) changes.push('command');
  const added = after.envNames.filter((name) => !before.envNames.includes(name));
  const removed = before.envNames.filter((name) => !after.envNames.includes(name));
  if (added.length > 0) changes.push(`variables added: ${added.slice(0, MOST_NAMES).join(', ')}`);
  if (removed.length > 0) changes.push(`variables removed: ${removed.slice(0, MOST_NAMES).join(', ')}`);
  const values = after.envNames.filter((name) => {
    const [then, now] = [before.envHashes?.[name], after.envHashes?.[name]];
    return then !== undefined && now !== undefined && then !== now;
  });
  if (values.length > 0) changes.push(`values of ${values.slice(0, MOST_NAMES).join(', ')}`);
  if (before.memoryLimitBytes !== after.memoryLimitBytes) {
    changes.push(`memory limit ${limit(before.memoryLimitBytes)} to ${limit(after.memoryLimitBytes)}`);
  }
  if (before.cpuLimitCores !== after.cpuLimitCores) {
    changes.push(`CPU limit ${before.cpuLimitCores ?? 'none'} to ${after.cpuLimitCores ?? 'none'}`);
  }
  if (before.pidsLimit !== after.pidsLimit)
    changes.push(`PID limit ${before.pidsLimit ?? 'none'} to ${after.pidsLimit ?? 'none'}`);
  if (
    before.probesHash !== undefined &&
    after.probesHash !== undefined &&
    before.probesHash !== after.probesHash
  )
    changes.push('its probes');
  if (was.node !== is.node) changes.push(`node ${brief(was.node, 60)} to ${brief(is.node, 60)}`);
  return changes;
}

const limit = (count: number | undefined) => (count === undefined ? 'none' : bytes(count));
