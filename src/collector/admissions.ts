import { type Admission, createAdmission } from '../util/admission.ts';
import type { Clock } from '../util/clock.ts';

/** For each door by which samples are sent: how many requests are read at a time. */
export type Admissions = Readonly<Record<'remote_write' | 'otlp_http' | 'otlp_grpc', Admission>>;

// Some hundreds of megabytes at worst, when all of them are as large as a request may be.
const AT_ONCE = 8;
const WAIT_MS = 10_000;
const SLOW_MS = 1_000;
const LONGEST_MS = 30_000;

export function createAdmissions(clock: Clock): Admissions {
  const make = () =>
    createAdmission({ clock, atOnce: AT_ONCE, waitMs: WAIT_MS, slowMs: SLOW_MS, longestMs: LONGEST_MS });
  return { remote_write: make(), otlp_http: make(), otlp_grpc: make() };
}
