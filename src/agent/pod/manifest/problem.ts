export type Path = readonly (string | number)[];

/** Something wrong in an object; `value` is what stands there, left out where it is missing or secret. */
export interface Problem {
  readonly path: Path;
  readonly value?: unknown;
  readonly message: string;
  /** A field is missing or of the wrong type. */
  readonly structural?: true;
}

export type Report = (problem: Problem) => void;

/** `spec.containers[0].name`; a key that is no plain word is quoted: `metadata.labels["a/b"]`. */
export function printPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

const LONGEST_VALUE = 60;

export function printProblem({ path, value, message }: Problem): string {
  const place = printPath(path);
  const shown = value === undefined ? '' : ` ${printValue(value)}:`;
  return `${place === '' ? '' : `${place}:`}${shown} ${message}`.trim();
}

function printValue(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}

export const startsWith = (path: Path, start: Path) => start.every((step, index) => path[index] === step);
