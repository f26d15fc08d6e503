import { describe, expect, it } from 'vitest';
import {
  chooseAddress,
  chooseSubnet,
  gatewayOf,
  overlaps,
  parseBlock,
  parseRoutes,
  printBlock,
} from '../../../src/agent/host/network-subnet.ts';

const block = (text: string) => parseBlock(text)!;

describe('a pod subnet', () => {
  it('is read and printed', () => {
    expect(printBlock(block('10.9.8.7/24'))).toBe('10.9.8.0/24');
    expect(printBlock(block('10.9.8.7'))).toBe('10.9.8.7/32');
    for (const wrong of ['', '10.9.8/24', '10.9.8.256/24', '10.9.8.0/33', 'fd00::/64'])
      expect(parseBlock(wrong)).toBeUndefined();
  });

  it('overlaps what lies in it or around it', () => {
    expect(overlaps(block('10.0.0.0/8'), block('10.137.3.0/24'))).toBe(true);
    expect(overlaps(block('10.137.3.9'), block('10.137.3.0/24'))).toBe(true);
    expect(overlaps(block('10.137.2.0/24'), block('10.137.3.0/24'))).toBe(false);
  });

  it('is the first that is free', () => {
    expect(printBlock(chooseSubnet([])!)).toBe('10.137.0.0/22');
    expect(printBlock(chooseSubnet([block('10.137.0.0/23'), block('192.168.0.0/16')])!)).toBe(
      '10.137.4.0/22',
    );
    expect(chooseSubnet([block('10.0.0.0/8')])).toBeUndefined();
  });

  it('sees the routes of the host, the default route aside', () => {
    const table = [
      'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
      'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
      'eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
    ].join('\n');
    expect(parseRoutes(table).map(printBlock)).toEqual(['192.0.2.0/24']);
  });

  it('gives each pod an address, none of them twice while in use', () => {
    const subnet = block('10.9.8.0/29');
    expect(gatewayOf(subnet)).toBe('10.9.8.1');
    const used = new Set<string>();
    let last: string | undefined;
    const take = () => {
      last = chooseAddress(subnet, used, last);
      if (last !== undefined) used.add(last);
      return last;
    };
    expect([take(), take()]).toEqual(['10.9.8.2', '10.9.8.3']);
    used.delete('10.9.8.2');
    expect([take(), take(), take()]).toEqual(['10.9.8.4', '10.9.8.5', '10.9.8.6']);
    expect([take(), take()]).toEqual(['10.9.8.2', undefined]);
  });
});
