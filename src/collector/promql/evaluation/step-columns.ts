/** Values at each step, and 1 where there is one; as in `StepSeries`. */
export interface StepColumns {
  readonly values: Float64Array;
  readonly present: Uint8Array;
}

/** What a query borrows: its columns are its own until it gives all of them back at once. */
export interface BorrowedColumns {
  /** All zeros. */
  take(steps: number): StepColumns;
  /** Nobody looks at any of them any more. Left out, as by a query that failed, they are garbage like anything else. */
  giveBack(): void;
}

/** Columns that serve one query after another. Bounded; made anew each time, they would be most of the garbage there is. */
export interface ColumnPool {
  borrow(): BorrowedColumns;
}

const MOST_BYTES = 16 * 2 ** 20;
const STEP_BYTES = 9;
// What V8 and malloc keep beside the two arrays, roughly.
const OVERHEAD_BYTES = 400;

export function createColumnPool(mostBytes = MOST_BYTES): ColumnPool {
  /** By number of steps: a dashboard asks for the same many times. */
  let free = new Map<number, StepColumns[]>();
  let bytes = 0;

  const sizeOf = (steps: number) => steps * STEP_BYTES + OVERHEAD_BYTES;

  const keep = (columns: StepColumns) => {
    const steps = columns.values.length;
    const size = sizeOf(steps);
    const own = free.get(steps) ?? [];
    if (bytes + size > mostBytes) {
      // What others left behind makes room.
      if (own.length * size === bytes) return;
      free = new Map();
      bytes = own.length * size;
    }
    free.set(steps, own);
    own.push(columns);
    bytes += size;
  };

  const clear = ({ values, present }: StepColumns) => {
    if (values.length === 1) {
      // A call of V8's own costs more than the one entry that there is at one time.
      values[0] = 0;
      present[0] = 0;
      return;
    }
    values.fill(0);
    present.fill(0);
  };

  return {
    borrow() {
      let taken: StepColumns[] = [];
      return {
        take(steps) {
          const known = free.get(steps)?.pop();
          const columns = known ?? { values: new Float64Array(steps), present: new Uint8Array(steps) };
          if (known !== undefined) {
            bytes -= sizeOf(steps);
            clear(known);
          }
          taken.push(columns);
          return columns;
        },
        giveBack() {
          for (const columns of taken) keep(columns);
          taken = [];
        },
      };
    },
  };
}
