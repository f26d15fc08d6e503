import type { Labels } from './labels.ts';

/** An alert as a rule group holds it. Times in integer milliseconds. Source: prometheus/rules/alerting.go */
export interface Alert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly state: 'pending' | 'firing' | 'resolved';
  readonly value: number;
  readonly activeAt: number;
  readonly firedAt?: number;
  readonly resolvedAt?: number;
  /**
   * Since when nobody has heard from what it speaks of. The alert is held as it was: whether it still holds is not
   * known, and silence is not health.
   */
  readonly unknownSince?: number;
}
