import type { Evidence } from '../../model/evidence.ts';
import { seriesName } from './citation.ts';
import type { Death } from './death.ts';
import { bytes, duration, rfc3339 } from './words.ts';

/** What the flight recorder saw of memory before the end. */
export interface MemoryCourse {
  readonly lastBytes: number;
  readonly lastAt: number;
  /** Steady growth in bytes a second over what was recorded; absent: too short, or not growing. */
  readonly growthBytesPerSecond?: number;
  readonly overMs: number;
}

const SHORTEST_COURSE_MS = 5000;

/** Growth counts as steady when the second half of the time grew, too, and most of the memory came while watched. */
export function memoryCourse({ life }: Death): MemoryCourse | undefined {
  const points = life.vitals.flatMap((frame) =>
    frame.memoryWorkingSetBytes === undefined ? [] : [{ at: frame.at, bytes: frame.memoryWorkingSetBytes }],
  );
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return undefined;
  const course = { lastBytes: last.bytes, lastAt: last.at, overMs: last.at - first.at };
  const middle = points[Math.floor(points.length / 2)]!;
  const grew = last.bytes - middle.bytes > (middle.bytes - first.bytes) / 4 && middle.bytes > first.bytes;
  if (course.overMs < SHORTEST_COURSE_MS || !grew || last.bytes < first.bytes * 1.25) return course;
  return { ...course, growthBytesPerSecond: ((last.bytes - first.bytes) / course.overMs) * 1000 };
}

export function memoryFacts(death: Death): readonly Evidence[] {
  const { life } = death;
  const facts: Evidence[] = [];
  const limit = life.config.memoryLimitBytes;
  if (limit !== undefined) {
    facts.push({
      fact: `its memory limit is ${bytes(limit)}`,
      source: `${seriesName('kube_pod_container_resource_limits', life.pod, life.container).slice(0, -1)},resource="memory"}`,
      at: rfc3339(life.startedAt),
    });
  }
  const course = memoryCourse(death);
  if (course === undefined) return facts;
  const share = limit === undefined ? '' : ` (${Math.round((course.lastBytes / limit) * 100)}% of the limit)`;
  const growth =
    course.growthBytesPerSecond === undefined
      ? ''
      : `, growing by ${bytes(course.growthBytesPerSecond)} a second over ${duration(course.overMs)}`;
  facts.push({
    fact: `its working set was last seen at ${bytes(course.lastBytes)}${share}${growth}`,
    source: seriesName('container_memory_working_set_bytes', life.pod, life.container),
    at: rfc3339(course.lastAt),
  });
  return facts;
}
