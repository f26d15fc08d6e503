import type { FunctionImplementation } from './function.ts';
import { histogramFunctions } from './histogram.ts';
import { labelFunctions } from './label.ts';
import { mathFunctions } from './math.ts';
import { overTimeFunctions } from './over-time.ts';
import { rateFunctions } from './rate.ts';
import { sortFunctions } from './sort.ts';
import { timeFunctions } from './time.ts';
import { trendFunctions } from './trend.ts';
import { vectorFunctions } from './vector.ts';

/** How each function is evaluated. One that has a signature and is not here is not supported. */
export const functionTable: ReadonlyMap<string, FunctionImplementation> = new Map(
  [
    histogramFunctions,
    labelFunctions,
    mathFunctions,
    overTimeFunctions,
    rateFunctions,
    sortFunctions,
    timeFunctions,
    trendFunctions,
    vectorFunctions,
  ].flatMap((family) => Object.entries(family)),
);
