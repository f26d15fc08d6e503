/** The door `podvitals/slo`: OpenSLO to Prometheus recording and burn-rate rules. Pure. */
export { parseOpenSlo } from './open-slo.ts';
export { sloRuleFile } from './slo-rules.ts';
