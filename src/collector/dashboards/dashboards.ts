import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { debug } from './debug.ts';
import { executive } from './executive.ts';
import { onCall } from './on-call.ts';

/** Our dashboards by the name of their file in `dashboards/`. Needed at generation only: the JSON is committed. */
export const dashboards: Readonly<Record<string, () => Dashboard>> = {
  'executive.json': () => executive().build(),
  'on-call.json': () => onCall().build(),
  'debug.json': () => debug().build(),
};

/** As it is committed: two spaces, a line break at the end. */
export function toJson(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}
