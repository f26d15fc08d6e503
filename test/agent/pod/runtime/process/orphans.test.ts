import { existsSync, renameSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { findOrphans, removeOrphans } from '../../../../../src/agent/pod/runtime/process/orphans.ts';
import { systemClock } from '../../../../../src/util/clock.ts';
import { findDebris } from '../../../../support/debris.ts';
import { findPart, missing, notRoot } from '../../../../support/parts.ts';
import { createTestRuntime, type TestRuntime } from '../../../../support/process-pods.ts';

describe.skipIf(notRoot() || missing('ip'))('pods whose data folder is gone', () => {
  let open: TestRuntime | undefined;
  afterEach(async () => {
    await open?.dispose();
    open = undefined;
  });

  it('are found by what their processes were told, and ended with all they hold; others are left alone', async () => {
    open = await createTestRuntime();
    const { owner } = open;
    await open.pod('lost');
    await open.start('lost', ['sleep', '1000']);
    const orphans = () => {
      const found = findOrphans(owner.cgroupParent);
      return { ...found, links: found.links.filter((link) => link.owner === owner.dataDir) };
    };
    // While the folder is there somebody may come back to it.
    expect(orphans()).toEqual({ pods: [], links: [], unknown: [] });
    await removeOrphans(orphans(), findPart('ip'), systemClock);
    expect(findDebris(owner).processes.length).toBeGreaterThan(1);

    const aside = `${owner.dataDir}-aside`;
    renameSync(owner.dataDir, aside);
    try {
      const found = orphans();
      expect(found.pods).toMatchObject([{ uid: 'lost', folder: `${owner.dataDir}/pods/lost` }]);
      expect(found.pods[0]!.processes).toBeGreaterThan(1);
      expect(await removeOrphans(found, findPart('ip'), systemClock)).toEqual([]);
      expect(orphans()).toEqual({ pods: [], links: [], unknown: [] });
      expect(findDebris(owner).processes).toEqual([]);
      expect(findDebris(owner).links).toEqual([]);
    } finally {
      if (existsSync(aside)) renameSync(aside, owner.dataDir);
    }
  });
});
