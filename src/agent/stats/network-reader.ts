import { headedTable, NET_DEV, parseNetDev } from '../host/procfs-network.ts';
import type { Due } from './cadence.ts';
import type { Descriptors } from './descriptors.ts';
import { createListeningReader } from './listening-reader.ts';
import { numberFile, present } from './numbers.ts';
import type { Ration } from './ration.ts';
import type { PodUsage } from './usage.ts';

export type NetworkUsage = Pick<PodUsage, 'interfaces' | 'tcp' | 'listening'>;

export interface NetworkReader {
  /** Interfaces and who listens; the dear tables of TCP counters when `due.rare`, in between the last hold. */
  read(at: number, due: Due): NetworkUsage;
  release(): void;
}

const parseSnmp = headedTable(['Tcp:AttemptFails', 'Tcp:EstabResets', 'Tcp:RetransSegs']);
const parseNetstat = headedTable(['TcpExt:TCPTimeouts']);
const MOST_INTERFACES = 32;

/** The network namespace of a process: its interfaces without loopback, TCP counters, and who listens. */
export function createNetworkReader(
  descriptors: Descriptors,
  pid: number,
  socketTables: Ration,
): NetworkReader {
  const devices = descriptors.file(`/proc/${pid}/net/dev`);
  const snmp = numberFile(descriptors, `/proc/${pid}/net/snmp`, parseSnmp, 3, true);
  const netstat = numberFile(descriptors, `/proc/${pid}/net/netstat`, parseNetstat, 1, true);
  const listening = createListeningReader(descriptors, pid, socketTables);

  const interfaces = () => {
    const length = descriptors.read(devices, true);
    if (length < 0) return undefined;
    const found: NonNullable<PodUsage['interfaces']>[number][] = [];
    parseNetDev(descriptors.buffer, length, (name, columns) => {
      if (name === 'lo' || found.length >= MOST_INTERFACES) return;
      const column = (key: keyof typeof NET_DEV) => columns[NET_DEV[key]]!;
      found.push({
        name,
        receiveBytes: column('receiveBytes'),
        receivePackets: column('receivePackets'),
        receiveErrors: column('receiveErrors'),
        receiveDropped: column('receiveDropped'),
        transmitBytes: column('transmitBytes'),
        transmitPackets: column('transmitPackets'),
        transmitErrors: column('transmitErrors'),
        transmitDropped: column('transmitDropped'),
      });
    });
    return found;
  };
  const tcp = (): PodUsage['tcp'] | undefined => {
    // The dear one: a timeout that it counts is followed by a segment sent again.
    if (snmp.refresh() || netstat.missing) netstat.refresh();
    const [failedConnects, resets, retransmittedSegments] = snmp.numbers;
    const [retransmitTimeouts] = netstat.numbers;
    return [failedConnects, resets, retransmittedSegments, retransmitTimeouts].some(Number.isNaN)
      ? undefined
      : {
          failedConnects: failedConnects!,
          resets: resets!,
          retransmitTimeouts: retransmitTimeouts!,
          retransmittedSegments: retransmittedSegments!,
        };
  };
  let counters: PodUsage['tcp'] | undefined;
  return {
    read(at, due) {
      if (due.rare) counters = tcp();
      return {
        ...present('interfaces', interfaces()),
        ...present('tcp', counters),
        ...present('listening', listening.read(at)),
      };
    },
    release() {
      descriptors.release(devices);
      listening.release();
      snmp.release();
      netstat.release();
    },
  };
}
