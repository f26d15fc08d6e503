import { fileURLToPath } from 'node:url';

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** What ships beside the code, in a clone and in the package alike. */
export const ASSETS = {
  console: fromRoot('build/console'),
  dashboards: fromRoot('dashboards'),
  runbooks: fromRoot('runbooks/templates'),
  rules: fromRoot('rules'),
} as const;
