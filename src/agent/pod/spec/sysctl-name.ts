/**
 * The name of a kernel parameter with dots: `kernel/shmmax` is `kernel.shmmax`; where dots separate, a slash stands for
 * a dot within a part. Source: sysctl.d(5); k8s.io/component-helpers/node/util/sysctl, NormalizeName
 */
export function dotted(name: string): string {
  const separator = /[./]/.exec(name)?.[0];
  return separator === '/' ? name.replace(/[./]/g, (mark) => (mark === '/' ? '.' : '/')) : name;
}
