import { generateDashboards } from './generate/dashboards.ts';
import { generateKubernetesFields } from './generate/kubernetes-fields.ts';
import { generateMetricsPage } from './generate/metrics-page.ts';
import { generateRunbooks } from './generate/runbooks.ts';
import { generateSloRules } from './generate/slo-rules.ts';

// Remakes every generated file that is committed; `npm run generate`. CI checks that nothing changes.
const generators: readonly (() => Promise<void>)[] = [
  generateKubernetesFields,
  generateMetricsPage,
  generateDashboards,
  generateSloRules,
  generateRunbooks,
];

for (const generator of generators) await generator();
