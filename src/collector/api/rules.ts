import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import type { RuleManager } from '../rules/manager.ts';
import type { RuleGroupState, RuleState } from '../rules/rule-state.ts';
import { acceptForms, apiRoute } from './prometheus-route.ts';
import { alertJson, groupJson, isActive } from './rules-json.ts';

const list = z
  .union([z.string().max(1000), z.array(z.string().max(1000)).max(100)])
  .optional()
  .transform((value) => (value === undefined ? [] : [value].flat()));

const querySchema = z.object({
  type: z.enum(['alert', 'record']).optional(),
  exclude_alerts: z.stringbool().optional(),
  'rule_name[]': list,
  'rule_group[]': list,
  'file[]': list,
});
type RuleQuery = z.output<typeof querySchema>;

/** What Prometheus answers on rules, alerts and Alertmanagers; we send notifications ourselves, so of the last none. */
export function ruleRoutes(manager: Pick<RuleManager, 'groups'>): FastifyPluginAsync {
  return async (app) => {
    acceptForms(app);
    apiRoute(app, 'rules', ['GET'], async (_form, request, reply) => {
      const query = querySchema.safeParse(request.query);
      if (!query.success) {
        reply.code(400);
        return badData(query.error);
      }
      return success({ groups: selectGroups(manager.groups(), query.data) });
    });
    apiRoute(app, 'alerts', ['GET'], async () => {
      const alerts = manager.groups().flatMap((group) => group.rules.flatMap((rule) => rule.alerts));
      return success({ alerts: alerts.filter(isActive).map(alertJson) });
    });
    apiRoute(app, 'alertmanagers', ['GET'], async () =>
      success({ activeAlertmanagers: [], droppedAlertmanagers: [] }),
    );
  };
}

function selectGroups(groups: readonly RuleGroupState[], query: RuleQuery) {
  const names = query['rule_name[]'];
  const groupNames = query['rule_group[]'];
  const files = query['file[]'];
  const wanted = ({ rule }: RuleState) =>
    (query.type === undefined || (query.type === 'alert') === (rule.kind === 'alerting')) &&
    (names.length === 0 || names.includes(rule.kind === 'alerting' ? rule.alert : rule.record));
  return groups
    .filter(({ group }) => groupNames.length === 0 || groupNames.includes(group.name))
    .filter(({ group }) => files.length === 0 || files.includes(group.file))
    .map((group) => ({ group, rules: group.rules.filter(wanted) }))
    .filter(({ group, rules }) => rules.length > 0 || group.rules.length === 0)
    .map(({ group, rules }) => groupJson(group, rules, query.exclude_alerts ?? false));
}

function success(data: unknown) {
  return { status: 'success', data };
}

function badData(error: z.ZodError) {
  const problems = error.issues.map(
    (issue) => `invalid parameter "${issue.path.join('.')}": ${issue.message}`,
  );
  return { status: 'error', errorType: 'bad_data', error: problems.join('; ') };
}
