/** A pair of windows that must both burn `factor` times too fast. `short` tells whether it still does. */
export interface BurnRateWindow {
  readonly severity: 'page' | 'ticket';
  readonly factor: number;
  readonly long: string;
  readonly short: string;
}

/**
 * When the spending of an error budget is someone's business. Factor = share of the budget spent x period / long
 * window: 14.4 spends 2% of 30 days in an hour, 6 spends 5% in six hours, 3 and 1 spend 10% in one and three days.
 * Source: SRE Workbook, "Alerting on SLOs", recommended parameters.
 */
export const POLICIES: Readonly<Record<string, readonly BurnRateWindow[]>> = {
  'google-30d': [
    { severity: 'page', factor: 14.4, long: '1h', short: '5m' },
    { severity: 'page', factor: 6, long: '6h', short: '30m' },
    { severity: 'ticket', factor: 3, long: '1d', short: '2h' },
    { severity: 'ticket', factor: 1, long: '3d', short: '6h' },
  ],
  simple: [
    { severity: 'page', factor: 5, long: '1h', short: '5m' },
    { severity: 'page', factor: 2, long: '6h', short: '30m' },
  ],
};
