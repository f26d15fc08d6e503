/** The door `podvitals/promql`: PromQL with the semantics of Prometheus 3 over any store that answers `Querier`. */
export { createEngine, type Engine, type EngineOptions, type QueryLimits } from './engine.ts';
export { parseExpr } from './parse-expr.ts';
export { prettyExpr, printExpr } from './print-expr.ts';
export { selectorsOf } from './selectors-of.ts';
