import type {
  KernelDenial,
  KernelFault,
  Life,
  ProbeResult,
  SignalSender,
  VitalFrame,
} from '../../model/life.ts';
import type { ContainerUsage } from '../stats/usage.ts';
import { createFrameRing, type FrameRing } from './frame-ring.ts';
import { toFrame } from './vital-frame.ts';

const MOST_PROBES = 30;
const MOST_PORTS = 64;
const THROTTLED_FRAMES = 15;
const MOST_CONTAINERS = 2048;
const MOST_ENDED = 512;

/** Counters of the pod's network. */
export interface NetworkErrors {
  readonly failedConnects: number;
  readonly retransmitTimeouts: number;
}

export interface FlightRecord {
  /** One a second, oldest first, at most the last 120. */
  readonly vitals: readonly VitalFrame[];
  /** Oldest first, at most the last 30. */
  readonly probes: readonly ProbeResult[];
  /** What went wrong in the pod's network since the container started; absent: not known. */
  readonly network?: NetworkErrors;
  /** The fault that ended its first process, as the kernel logged it. */
  readonly fault?: KernelFault;
  /** What a security module forbade it. */
  readonly denial?: KernelDenial;
  /** Who sent the signal that ended it. */
  readonly sender?: SignalSender;
  /** What the pod listened on when last looked; absent: never looked. */
  readonly listening?: Life['listening'];
}

/** The last two minutes of every container that runs, in fixed memory (about 10 KiB a container). */
export interface FlightRecorder {
  /** Once a second. Rates are over the time since the reading before; the first reading has none. */
  record(containerId: string, usage: ContainerUsage): void;
  recordProbe(containerId: string, result: ProbeResult): void;
  recordListening(containerId: string, listening: Life['listening']): void;
  /** The pod's counters: at the container's start, and again at its end. */
  recordNetwork(containerId: string, counters: NetworkErrors): void;
  recordFault(containerId: string, fault: KernelFault): void;
  recordDenial(containerId: string, denial: KernelDenial): void;
  recordSender(containerId: string, sender: SignalSender): void;
  read(containerId: string): FlightRecord;
  /** As `read`, without the frames, which are dear to unpack, but for what is asked of those that live. */
  now(containerId: string): Omit<FlightRecord, 'vitals'> & {
    /** Share of CPU periods it was throttled in while it worked, over the last 15 seconds; absent: no limit, or idle. */
    readonly throttledRatio?: number;
  };
  /** The record at the container's death; frees it, and takes nothing more for it. */
  take(containerId: string): FlightRecord;
  /** Containers on record. */
  readonly size: number;
}

interface Flight {
  readonly frames: FrameRing;
  probes: readonly ProbeResult[];
  listening?: Life['listening'];
  before?: ContainerUsage;
  network?: { readonly atStart: NetworkErrors; readonly now: NetworkErrors };
  fault?: KernelFault;
  sender?: SignalSender;
  denial?: KernelDenial;
}

const NOTHING: FlightRecord = { vitals: [], probes: [] };

export function createFlightRecorder(): FlightRecorder {
  const flights = new Map<string, Flight>();
  // A reading may be under way when its container dies: it must not bring the record back.
  const ended = new Set<string>();

  const flightOf = (containerId: string): Flight | undefined => {
    const known = flights.get(containerId);
    if (known || ended.has(containerId)) return known;
    if (flights.size >= MOST_CONTAINERS) flights.delete(flights.keys().next().value!);
    const flight: Flight = { frames: createFrameRing(), probes: [] };
    flights.set(containerId, flight);
    return flight;
  };
  const read = (containerId: string): FlightRecord => {
    const flight = flights.get(containerId);
    if (!flight) return NOTHING;
    const { frames, probes, listening, network, fault, sender, denial } = flight;
    return {
      vitals: frames.read(),
      probes,
      ...(listening ? { listening } : {}),
      ...(network ? { network: since(network) } : {}),
      ...(fault ? { fault } : {}),
      ...(sender ? { sender } : {}),
      ...(denial ? { denial } : {}),
    };
  };

  return {
    record(containerId, usage) {
      const flight = flightOf(containerId);
      if (!flight) return;
      flight.frames.push(toFrame(usage, flight.before));
      flight.before = usage;
    },
    recordProbe(containerId, result) {
      const flight = flightOf(containerId);
      if (flight) flight.probes = [...flight.probes.slice(1 - MOST_PROBES), result];
    },
    recordListening(containerId, listening) {
      const flight = flightOf(containerId);
      if (flight)
        flight.listening = listening.length > MOST_PORTS ? listening.slice(0, MOST_PORTS) : listening;
    },
    recordNetwork(containerId, { failedConnects, retransmitTimeouts }) {
      const flight = flightOf(containerId);
      if (!flight) return;
      const last = flight.network?.now;
      if (last?.failedConnects === failedConnects && last.retransmitTimeouts === retransmitTimeouts) return;
      const now = { failedConnects, retransmitTimeouts };
      const atStart = flight.network?.atStart ?? now;
      // Counts that fell are of another network: nothing can be said of them.
      const same =
        failedConnects >= atStart.failedConnects && retransmitTimeouts >= atStart.retransmitTimeouts;
      if (same) flight.network = { atStart, now };
      else delete flight.network;
    },
    recordFault(containerId, fault) {
      const flight = flightOf(containerId);
      if (flight) flight.fault = fault;
    },
    recordDenial(containerId, denial) {
      const flight = flightOf(containerId);
      if (flight) flight.denial = denial;
    },
    recordSender(containerId, sender) {
      const flight = flightOf(containerId);
      if (flight) flight.sender = sender;
    },
    read,
    now(containerId) {
      const { probes = [], listening, frames, network } = flights.get(containerId) ?? {};
      const throttledRatio = frames?.mean('throttledRatio', 'cpuCores', THROTTLED_FRAMES);
      return {
        probes,
        ...(listening ? { listening } : {}),
        ...(network ? { network: since(network) } : {}),
        ...(throttledRatio === undefined ? {} : { throttledRatio }),
      };
    },
    take(containerId) {
      const record = read(containerId);
      flights.delete(containerId);
      ended.add(containerId);
      if (ended.size > MOST_ENDED) ended.delete(ended.values().next().value!);
      return record;
    },
    get size() {
      return flights.size;
    },
  };
}

const since = ({ atStart, now }: NonNullable<Flight['network']>): NetworkErrors => ({
  failedConnects: now.failedConnects - atStart.failedConnects,
  retransmitTimeouts: now.retransmitTimeouts - atStart.retransmitTimeouts,
});
