import { describe, expect, it } from 'vitest';
import { statsTable } from '../../src/cli/commands/stats.ts';

describe('the table of stats', () => {
  it('has a line for each container, the network on the pod’s first; what is not known is --', () =>
    expect(
      statsTable(
        [
          {
            namespace: 'shop',
            name: 'till',
            receivedBytes: 1_110,
            sentBytes: 0,
            containers: [
              {
                name: 'web',
                cpuCores: 0.111,
                memoryBytes: 11_000_000,
                memoryLimitBytes: 44_000_000,
                readBytes: 0,
                writtenBytes: 1_234_567,
                processes: 11,
              },
              { name: 'log' },
            ],
          },
        ],
        true,
      ),
    ).toBe(
      [
        'POD         NAME   CPU %    MEM USAGE / LIMIT   MEM %    NET IO        BLOCK IO       PIDS',
        'shop/till   web    11.10%   11MB / 44MB         25.00%   1.11kB / 0B   0B / 1.235MB   11',
        'shop/till   log    --       -- / --             --       --            --             --',
        '',
      ].join('\n'),
    ));
});
