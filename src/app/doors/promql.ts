/** The door `podvitals/promql`: PromQL with the semantics of Prometheus 3 over any store that answers `Querier`. */
export {
  createEngine,
  type Engine,
  type EngineOptions,
  type QueryLimits,
} from '../../collector/promql/engine.ts';
export { parseExpr } from '../../collector/promql/parse-expr.ts';
export { prettyExpr, printExpr } from '../../collector/promql/print-expr.ts';
export { selectorsOf } from '../../collector/promql/selectors-of.ts';
