/** The door `podvitals/slo`: OpenSLO to Prometheus recording and burn-rate rules. Pure. */
export { parseOpenSlo } from '../../collector/slo/open-slo.ts';
export { sloRuleFile } from '../../collector/slo/slo-rules.ts';
