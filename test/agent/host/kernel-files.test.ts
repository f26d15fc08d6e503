import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createDeviceNames, parsePartitions } from '../../../src/agent/host/block-device.ts';
import { type DeviceKey, parseBlkio, parseIoStat } from '../../../src/agent/host/cgroup-statistics.ts';
import { flatKeyed, singleNumber } from '../../../src/agent/host/flat-keyed.ts';
import { parsePressure } from '../../../src/agent/host/pressure.ts';
import { headedTable, NET_DEV, parseListening, parseNetDev } from '../../../src/agent/host/procfs-network.ts';
import { parseMeminfo, parseProcStat } from '../../../src/agent/host/procfs-node.ts';
import { isDead } from '../../../src/agent/host/procfs-process.ts';
import { createFakeClock } from '../../../src/util/clock.ts';

const file = (name: string) => readFileSync(new URL(`kernel-files/${name}`, import.meta.url));
const numbers = (parse: typeof singleNumber, text: string | Buffer, count: number) => {
  // What an earlier, longer file left behind in the buffer must not be read.
  const content = Buffer.from(text);
  const buffer = Buffer.concat([content, Buffer.from('9\nuser 77\nsome total=77\n')]);
  const out = new Float64Array(count);
  parse(buffer, content.length, out);
  return [...out];
};

describe('flat keyed files', () => {
  const parse = flatKeyed(['user', 'system']);

  it('are read by key, in any order, among keys nobody asked for', () => {
    expect(numbers(parse, 'nice 1\nsystem 250\nuser_extra 5\nuser 900\n', 2)).toEqual([900, 250]);
  });

  it('have NaN for a key that is missing or holds a word', () => {
    expect(numbers(parse, 'system max\n', 2)).toEqual([Number.NaN, Number.NaN]);
    expect(numbers(parse, '', 2)).toEqual([Number.NaN, Number.NaN]);
  });

  it('need no line feed at their end', () => {
    expect(numbers(flatKeyed(['user']), 'user 12', 1)[0]).toBe(12);
  });

  it('may have a colon and several spaces after the key', () => {
    const text = 'MemTotal:       24684084 kB\nMemAvailable:   24180212 kB\nCached:           387692 kB\n';
    expect(numbers(parseMeminfo, text, 6)).toEqual([
      24684084,
      24180212,
      Number.NaN,
      387692,
      Number.NaN,
      Number.NaN,
    ]);
  });

  it('refuse keys they could not tell apart', () => {
    expect(() => flatKeyed(['user', 'user'])).toThrow(/twice/);
  });
});

describe('files of one number', () => {
  it.each([
    ['50000000\n', 50_000_000],
    ['max\n', Number.NaN],
    ['-1\n', Number.NaN],
    ['', Number.NaN],
  ])('%j is %d', (text, value) => {
    expect(numbers(singleNumber, text, 1)).toEqual([value]);
  });
});

describe('pressure stall information', () => {
  it('is the total of both lines', () => {
    expect(numbers(parsePressure, file('v2/io.pressure'), 2)).toEqual([1_019_831, 11]);
  });

  it('may lack the second line', () => {
    expect(numbers(parsePressure, file('v2/cpu.pressure'), 2)).toEqual([500_000, Number.NaN]);
  });
});

describe('devices', () => {
  const seen = (read: (visit: (...row: [number, number, DeviceKey, number]) => void) => void) => {
    const rows: unknown[] = [];
    read((...row) => rows.push(row));
    return rows;
  };

  it('are read from io.stat of v2, one without numbers left out', () => {
    const text = file('v2/io.stat');
    expect(seen((visit) => parseIoStat(text, text.length, visit))).toEqual([
      [254, 0, 'readBytes', 12_288_000],
      [254, 0, 'writeBytes', 8192],
      [254, 0, 'reads', 3000],
      [254, 0, 'writes', 2],
      [253, 7, 'readBytes', 1],
      [253, 7, 'writeBytes', 1],
      [253, 7, 'reads', 1],
      [253, 7, 'writes', 1],
    ]);
  });

  it('are read from blkio of v1, where the total alone says nothing', () => {
    const text = file('v1/blkio.throttle.io_serviced_recursive');
    expect(seen((visit) => parseBlkio(text, text.length, 'operations', visit))).toEqual([
      [254, 0, 'reads', 3000],
      [254, 0, 'writes', 2],
    ]);
    const empty = Buffer.from('Total 0\n');
    expect(seen((visit) => parseBlkio(empty, empty.length, 'bytes', visit))).toEqual([]);
  });

  it('have names, those of a driver with a folder of its own too', () => {
    const names = parsePartitions(
      'major minor  #blocks  name\n\n 254        0  268435456 vda\n 104 0 11 cciss!c0d0\n',
    );
    expect([...names]).toEqual([
      ['254:0', '/dev/vda'],
      ['104:0', '/dev/cciss/c0d0'],
    ]);
  });

  it('are looked up again when one is new, but not more than once a minute', async () => {
    const clock = createFakeClock();
    let reads = 0;
    let text = ' 8 0 11 sda\n';
    const name = createDeviceNames(clock, () => {
      reads += 1;
      return text;
    });
    expect([name(8, 0), name(8, 16), name(8, 16)]).toEqual(['/dev/sda', undefined, undefined]);
    expect(reads).toBe(1);
    text += ' 8 16 11 sdb\n';
    await clock.advance(60_000);
    expect([name(8, 16), reads]).toEqual(['/dev/sdb', 2]);
  });
});

describe('the network of a process', () => {
  it('is read by interface', () => {
    const text = file('net/dev');
    const found: [string, number, number][] = [];
    parseNetDev(text, text.length, (name, columns) => {
      found.push([name, columns[NET_DEV.receiveDropped]!, columns[NET_DEV.transmitBytes]!]);
    });
    expect(found).toEqual([
      ['lo', 0, 1_127_324],
      ['eth0', 2, 1300],
    ]);
  });

  it('is read by the name of the column, wherever the kernel puts it', () => {
    const parse = headedTable(['Tcp:AttemptFails', 'TcpExt:TCPTimeouts', 'Tcp:Missing']);
    const text =
      'Ip: Forwarding\nIp: 1\nTcp: Z MaxConn New AttemptFails\nTcp: 0 -1 5 11\nUdp: TCPTimeouts\nUdp: 9\n';
    expect(numbers(parse, text, 3)).toEqual([11, Number.NaN, Number.NaN]);
    expect(numbers(parse, 'TcpExt: A TCPTimeouts B\nTcpExt: 1 12 3\n', 3)[1]).toBe(12);
  });

  it("is read from this kernel's tables as they are printed", () => {
    const parse = headedTable(['Tcp:RetransSegs', 'TcpExt:TCPTimeouts']);
    for (const [name, index, field] of [
      ['snmp', 0, 'RetransSegs'],
      ['netstat', 1, 'TCPTimeouts'],
    ] as const) {
      const lines = file(`net/${name}`).toString().split('\n');
      const header = lines.findIndex((line) => line.split(' ').includes(field));
      const column = lines[header]!.split(' ').indexOf(field);
      expect(numbers(parse, file(`net/${name}`), 2)[index]).toBe(
        Number(lines[header + 1]!.split(' ')[column]),
      );
    }
  });

  it('lists who listens, with readable addresses', () => {
    expect(parseListening(file('net/tcp').toString())).toEqual([
      { address: '10.88.0.11', port: 8080 },
      { address: '127.0.0.1', port: 53 },
    ]);
    expect(parseListening(file('net/tcp6').toString())).toEqual([
      { address: '::', port: 8081 },
      { address: '127.0.0.1', port: 8082 },
      { address: '2001:db8::1', port: 8083 },
    ]);
  });
});

describe('the machine', () => {
  it('has its CPU time by mode in seconds, and its cores', () => {
    const text = 'cpu  10059 0 7000 672454 662 0 137 28 0 0\ncpu0 1 2 3\ncpu1 1 2 3\nintr 9 cpu9 \nctxt 5\n';
    expect(parseProcStat(text)).toEqual({
      secondsByMode: {
        user: 100.59,
        nice: 0,
        system: 70,
        idle: 6724.54,
        iowait: 6.62,
        irq: 0,
        softirq: 1.37,
        steal: 0.28,
        guest: 0,
        guest_nice: 0,
      },
      cores: 2,
    });
  });
});

describe('a process', () => {
  it('is dead when it is gone or a zombie, whatever it calls itself', () => {
    expect(isDead(undefined)).toBe(true);
    expect(isDead('11 (tail) Z 1 1 1')).toBe(true);
    expect(isDead('11 (a) Z (b) R 1 1 1')).toBe(false);
    expect(isDead('11 (node) S 1 1 1')).toBe(false);
  });
});
