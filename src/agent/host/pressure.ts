import { numberAt, type ParseNumbers } from './flat-keyed.ts';

const TOTAL = [...'total='].map((character) => character.charCodeAt(0));
const NEWLINE = 0x0a;

/**
 * Pressure stall information: microseconds in which some (`out[0]`) and all (`out[1]`) tasks waited. Kernels before
 * 5.13 have no `full` line for CPU; then that entry is NaN. Source: Documentation/accounting/psi.rst
 *
 *     some avg10=0.00 avg60=0.00 avg300=0.00 total=1019831
 *     full avg10=0.00 avg60=0.00 avg300=0.00 total=0
 */
export const parsePressure: ParseNumbers = (bytes, length, out) => {
  out[0] = Number.NaN;
  out[1] = Number.NaN;
  let line = 0;
  for (let at = 0; at < length && line < 2; at += 1) {
    if (bytes[at] === NEWLINE) line += 1;
    else if (bytes[at] === TOTAL[0] && startsWith(bytes, at, TOTAL)) {
      out[line] = numberAt(bytes, at + TOTAL.length, length);
    }
  }
};

function startsWith(bytes: Uint8Array, at: number, word: readonly number[]): boolean {
  for (let i = 0; i < word.length; i += 1) if (bytes[at + i] !== word[i]) return false;
  return true;
}
