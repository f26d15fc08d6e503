import type { PodSource } from '../../src/agent/sources/pod-source.ts';
import {
  createPodmanSource,
  type PodmanSourceOptions,
} from '../../src/agent/sources/podman/podman-source.ts';
import { systemClock } from '../../src/util/clock.ts';
import { memoryKeyValue } from './memory-key-value.ts';

/** A source of pods on the system's clock that remembers in memory, and knows nothing that the kernel could tell. */
export const createTestPodmanSource = (
  options: Pick<PodmanSourceOptions, 'sockets' | 'onTrouble' | 'onError'> & Partial<PodmanSourceOptions>,
): PodSource =>
  createPodmanSource({
    clock: systemClock,
    keyValue: memoryKeyValue(),
    node: { name: 'node-11', ip: '192.0.2.11' },
    oomKills: () => undefined,
    isUntouched: () => false,
    onRecovered: () => {},
    ...options,
  });
