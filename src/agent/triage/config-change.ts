import type { Evidence } from '../../model/evidence.ts';
import type { Life, LifeConfig } from '../../model/life.ts';
import type { Death } from './death.ts';
import { brief, bytes, duration, rfc3339 } from './words.ts';

// What lived this long was well: the time after which the kubelet forgets a back-off.
const HEALTHY_MS = 600_000;
const MOST_NAMES = 8;

/** What changed between the last life that was well and the first that crashed after it; none when nothing did. */
export function configChange(death: Death): readonly Evidence[] {
  const lives = [...death.earlier, death.life];
  const index = lives.findLastIndex((life) => life.finishedAt - life.startedAt >= HEALTHY_MS);
  const [healthy, crashing] = [lives[index], lives[index + 1]];
  if (!healthy || !crashing) return [];
  const changes = differences(healthy.config, crashing.config);
  if (changes.length === 0) return [];
  return [
    {
      fact: `since the last life that was well (${duration(lived(healthy))}) changed: ${changes.join('; ')}`,
      source: crashing.id,
      at: rfc3339(crashing.startedAt),
    },
  ];
}

const lived = (life: Pick<Life, 'startedAt' | 'finishedAt'>) => life.finishedAt - life.startedAt;

function differences(before: LifeConfig, after: LifeConfig): readonly string[] {
  const changes: string[] = [];
  if (before.image !== after.image)
    changes.push(`image ${brief(before.image, 80)} to ${brief(after.image, 80)}`);
  if (before.command.join('\0') !== after.command.join('\0')) changes.push('command');
  const added = after.envNames.filter((name) => !before.envNames.includes(name));
  const removed = before.envNames.filter((name) => !after.envNames.includes(name));
  if (added.length > 0) changes.push(`variables added: ${added.slice(0, MOST_NAMES).join(', ')}`);
  if (removed.length > 0) changes.push(`variables removed: ${removed.slice(0, MOST_NAMES).join(', ')}`);
  if (before.memoryLimitBytes !== after.memoryLimitBytes) {
    changes.push(`memory limit ${limit(before.memoryLimitBytes)} to ${limit(after.memoryLimitBytes)}`);
  }
  if (before.cpuLimitCores !== after.cpuLimitCores) {
    changes.push(`CPU limit ${before.cpuLimitCores ?? 'none'} to ${after.cpuLimitCores ?? 'none'}`);
  }
  const told = changes.length > 0;
  if (!told && before.configHash !== after.configHash)
    changes.push('the value of a setting or a mounted file');
  return changes;
}

const limit = (count: number | undefined) => (count === undefined ? 'none' : bytes(count));
