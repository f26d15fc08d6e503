import type { Label } from '../../model/labels.ts';
import type { Signal, SignalLabel } from './signal.ts';

/** What differs from signal to signal within a family. */
interface Row {
  readonly unit: string;
  readonly help: string;
  /** After the family's own labels. */
  readonly labels?: readonly SignalLabel[];
  readonly constants?: readonly Label[];
  /** The OTLP name. */
  readonly otlp: string;
  readonly fixed?: Readonly<Record<string, string>>;
  /** A gauge that OpenTelemetry calls an up-down counter, because adding it up makes sense. */
  readonly additive?: boolean;
  readonly stability?: Signal['stability'];
  readonly bounds?: readonly number[];
}

type Define = (name: string, row: Row) => Signal;

/** Defines signals that share a path and their first labels. */
export function family(shared: {
  readonly path: Signal['path'];
  readonly labels: readonly SignalLabel[];
  readonly stability?: Signal['stability'];
}): { readonly gauge: Define; readonly counter: Define; readonly histogram: Define } {
  const define =
    (type: Signal['type']): Define =>
    (name, row) =>
      Object.freeze<Signal>({
        name,
        type,
        unit: row.unit,
        help: row.help,
        stability: row.stability ?? shared.stability ?? 'stable',
        path: shared.path,
        labels: [...shared.labels, ...(row.labels ?? [])],
        ...(row.constants && { constants: row.constants }),
        otlp: {
          name: row.otlp,
          instrument: type === 'gauge' && row.additive ? 'updowncounter' : type,
          ...(row.fixed && { fixed: row.fixed }),
        },
        ...(row.bounds && { bounds: row.bounds }),
      });
  return { gauge: define('gauge'), counter: define('counter'), histogram: define('histogram') };
}
