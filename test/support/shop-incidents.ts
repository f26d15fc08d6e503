import type { Incident } from '../../src/model/incident.ts';

/** The shop's cart crash loops now; its worker ran out of memory this morning. */
export function shopIncidents(now: number): readonly Incident[] {
  const common = { evidence: [], failureMode: 'F1', confidence: 'certain' } as const;
  return [
    {
      ...common,
      id: '1f2e3d4c',
      subject: { namespace: 'shop', workload: 'cart' },
      cause: 'MissingConfig',
      summary: 'Container cart exits with code 1 because its environment variable PAYMENT_URL is not set.',
      severity: 'page',
      from: now - 900_000,
      detectedAt: now - 880_000,
      alerts: [{ name: 'PodCrashLooping', severity: 'page', firedAt: now - 880_000 }],
      pods: ['cart-7b9c6d4f5-q8w2e'],
      lives: ['life-1', 'life-2', 'life-3'],
      budgetSpent: [{ slo: 'pod-ready-ratio', ratio: 0.112 }],
    },
    {
      ...common,
      id: '5a6b7c8d',
      subject: { namespace: 'shop', workload: 'worker' },
      cause: 'OOMKilled',
      failureMode: 'F2',
      summary: 'Container worker was killed by the kernel at its memory limit.',
      severity: 'ticket',
      from: now - 7_200_000,
      detectedAt: now - 7_200_000,
      quietSince: now - 6_000_000,
      to: now - 6_000_000,
      alerts: [
        { name: 'PodOOMKilled', severity: 'ticket', firedAt: now - 7_200_000, resolvedAt: now - 6_000_000 },
      ],
      pods: ['worker-84c5d7f6b-j3n5r'],
      lives: ['life-4'],
    },
  ];
}
