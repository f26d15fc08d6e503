import { createHash } from 'node:crypto';
import type { FastifyPluginAsync } from 'fastify';
import { type Labels, labelValue } from '../../model/labels.ts';
import type { RuleManager } from '../rules/manager.ts';
import type { RuleGroupState, RuleState } from '../rules/rule-state.ts';
import { compileMatcher } from '../storage/label-matcher.ts';
import { sendApiError } from './prometheus-error.ts';
import { badData, type Form, matchParameters } from './prometheus-parameters.ts';
import { acceptForms, apiRoute } from './prometheus-route.ts';
import { alertJson, groupJson, isActive } from './rules-json.ts';

/**
 * What Prometheus answers on rules, alerts and Alertmanagers; we send notifications ourselves, so of the last none.
 * Source: https://prometheus.io/docs/prometheus/latest/querying/api/#rules
 */
export function ruleRoutes(manager: Pick<RuleManager, 'groups'>): FastifyPluginAsync {
  return async (app) => {
    acceptForms(app);
    app.setErrorHandler((error, request, reply) => sendApiError(error, request, reply));
    apiRoute(app, 'rules', ['GET'], async (form) => success(selectGroups(manager.groups(), form)));
    apiRoute(app, 'alerts', ['GET'], async () => {
      const alerts = manager.groups().flatMap((group) => group.rules.flatMap((rule) => rule.alerts));
      return success({ alerts: alerts.filter(isActive).map(alertJson) });
    });
    apiRoute(app, 'alertmanagers', ['GET'], async () =>
      success({ activeAlertmanagers: [], droppedAlertmanagers: [] }),
    );
  };
}

const success = (data: unknown) => ({ status: 'success', data });

/** The groups with rules left, a page of them where `group_limit` is given. */
function selectGroups(groups: readonly RuleGroupState[], form: Form) {
  const groupNames = form.getAll('rule_group[]');
  const files = form.getAll('file[]');
  const wanted = ruleFilter(form);
  const excludeAlerts = booleanParameter(form, 'exclude_alerts');
  const page = pageOf(form);
  const found = groups
    .filter(({ group }) => groupNames.length === 0 || groupNames.includes(group.name))
    .filter(({ group }) => files.length === 0 || files.includes(group.file))
    .map((group) => ({ group, rules: group.rules.filter(wanted) }))
    .filter(({ rules }) => rules.length > 0);
  const from = page.token === '' ? 0 : found.findIndex(({ group }) => tokenOf(group) === page.token);
  if (from < 0)
    throw badData('group_next_token', `invalid group_next_token '${page.token}'. were rule groups changed?`);
  const shown = page.limit === 0 ? found.slice(from) : found.slice(from, from + page.limit);
  const next = found[from + shown.length];
  return {
    groups: shown.map(({ group, rules }) => groupJson(group, rules, excludeAlerts)),
    ...(next && { groupNextToken: tokenOf(next.group) }),
  };
}

function ruleFilter(form: Form): (state: RuleState) => boolean {
  const type = (form.get('type') ?? '').toLowerCase();
  if (!['', 'alert', 'record'].includes(type)) throw badData('type', `not supported value "${type}"`);
  const names = form.getAll('rule_name[]');
  const selectors = matchParameters(form).map((matchers) => matchers.map(compileMatcher));
  const selects = (labels: Labels) =>
    selectors.length === 0 ||
    selectors.some((matchers) => matchers.every((one) => one.matches(labelValue(labels, one.name))));
  return ({ rule, labels }) =>
    (type === '' || (type === 'alert') === (rule.kind === 'alerting')) &&
    (names.length === 0 || names.includes(rule.kind === 'alerting' ? rule.alert : rule.record)) &&
    selects(Object.entries(labels));
}

/** As Go reads it. */
function booleanParameter(form: Form, name: string): boolean {
  const text = (form.get(name) ?? '').toLowerCase();
  if (['1', 't', 'true'].includes(text)) return true;
  if (['', '0', 'f', 'false'].includes(text)) return false;
  throw badData(name, `error converting ${name}: strconv.ParseBool: parsing "${text}": invalid syntax`);
}

/** A limit of 0 is none. */
function pageOf(form: Form): { readonly limit: number; readonly token: string } {
  const text = form.get('group_limit') ?? '';
  const token = form.get('group_next_token') ?? '';
  if (text === '' && token !== '')
    throw badData('group_next_token', 'group_limit needs to be present in order to paginate over the groups');
  if (text === '') return { limit: 0, token };
  if (!/^[+-]?\d{1,15}$/.test(text))
    throw badData(
      'group_limit',
      `group_limit needs to be a valid number: strconv.ParseInt: parsing "${text}": invalid syntax`,
    );
  if (Number(text) <= 0) throw badData('group_limit', 'group_limit needs to be greater than 0');
  return { limit: Number(text), token };
}

/** Names a group for whoever asks for the next page. */
const tokenOf = ({ group }: RuleGroupState): string =>
  createHash('sha1').update(`${group.file};${group.name}`).digest('hex');
