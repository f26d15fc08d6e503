/** Who runs containers: programs of this host in namespaces and cgroups of their own, or Podman. */
export const RUNTIMES = ['process', 'podman'] as const;
export type RuntimeName = (typeof RUNTIMES)[number];
