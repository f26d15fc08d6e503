import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dashboards, toJson } from '../../src/collector/dashboards/dashboards.ts';

const OUT = fileURLToPath(new URL('../../dashboards/', import.meta.url));

/** Writes the Grafana dashboards into `dashboards/`. */
export async function generateDashboards(): Promise<void> {
  mkdirSync(OUT, { recursive: true });
  for (const [file, build] of Object.entries(dashboards)) writeFileSync(`${OUT}${file}`, toJson(build()));
}

if (process.argv[1] === import.meta.filename) await generateDashboards();
