import type { Clock } from '../../../../util/clock.ts';
import type { CgroupParent } from '../../../host/cgroup-parent.ts';
import type { Delegation } from '../../../host/delegation.ts';
import type { Tools } from '../../../host/tool.ts';
import type { Layout } from './layout.ts';

/** A container's file system: its own layer over the host's root (kept on disk or in memory), or the host's itself. */
export type RootMode = 'disk' | 'memory' | 'shared';

/** What this host offers, found once at the start. */
export interface ProcessHost {
  readonly clock: Clock;
  readonly layout: Layout;
  readonly dataDir: string;
  readonly tools: Tools;
  readonly cgroups: CgroupParent;
  /** By which right the cgroups are made. */
  readonly delegation: Delegation;
  /** Makes the parent again, with its controllers: it was removed with the last pod. */
  readonly reopenCgroups: () => void;
  /** Whether processes can be put into namespaces of their own. */
  readonly namespaces: boolean;
  readonly root: RootMode;
  /** Folder of the Node that pods find first on PATH. */
  readonly nodeFolder: string;
  /** Words that close inherited descriptors before a shell starts; mostly none. */
  readonly closing: readonly string[];
}
