import { z } from 'zod';
import type { Alert } from '../../../model/alert.ts';
import { type Labels, toLabels, toRecord } from '../../../model/labels.ts';
import type { Clock } from '../../../util/clock.ts';
import { CodedError, messageOf } from '../../../util/coded-error.ts';
import { fingerprint } from '../fingerprint.ts';
import type { Notification, Receiver, SendOutcome } from '../receiver.ts';

export const webhookConfig = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'write it as http://host:port/path or https://…' }).max(2048),
  sendResolved: z.boolean().default(true),
});

const TIMEOUT_MS = 10_000;
/** Alerts in one request; the rest is counted in `truncatedAlerts`. */
const MOST_ALERTS = 500;
const NEVER = '0001-01-01T00:00:00Z';

/**
 * Posts Alertmanager's webhook message, version 4. Network trouble, 408, 429 and 5xx may be tried again; another
 * status says that it would not help. A user and password in the address go as basic authentication. Redirects are
 * not followed.
 *
 * @throws RECEIVER_INVALID when the configuration is wrong.
 * Source: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
 */
export function webhookReceiver(
  options: z.input<typeof webhookConfig> & { readonly clock: Clock },
): Receiver {
  const { clock, ...config } = options;
  const parsed = webhookConfig.safeParse(config);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new CodedError('RECEIVER_INVALID', `webhook: ${problems.join('; ')}`, { status: 422 });
  }
  const { address, authorization } = splitCredentials(new URL(parsed.data.url));
  const name = `webhook ${address.origin}#${fingerprint([['url', parsed.data.url]]).slice(0, 8)}`;
  return {
    name,
    sendResolved: parsed.data.sendResolved,
    async send(notification, signal) {
      const timeout = new AbortController();
      const cancel = clock.setTimer(TIMEOUT_MS, () =>
        timeout.abort(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)),
      );
      try {
        const response = await fetch(address, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'user-agent': 'podvitals', ...authorization },
          body: JSON.stringify(webhookMessage(name, notification)),
          redirect: 'manual',
          signal: AbortSignal.any([signal, timeout.signal]),
        });
        await response.body?.cancel();
        return outcomeOf(response);
      } catch (error) {
        return { ok: false, retry: true, error: `${address.origin}: ${reasonOf(error)}` };
      } finally {
        cancel();
      }
    },
  };
}

function outcomeOf({ ok, status, url }: Response): SendOutcome {
  if (ok) return { ok: true };
  const retry = status >= 500 || status === 408 || status === 429;
  return { ok: false, retry, error: `${new URL(url).origin} answered ${status}` };
}

/** fetch hides why behind "fetch failed". */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return messageOf(cause);
}

function splitCredentials(url: URL): { address: URL; authorization: Record<string, string> } {
  if (url.username === '' && url.password === '') return { address: url, authorization: {} };
  const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const address = new URL(url);
  address.username = '';
  address.password = '';
  return { address, authorization: { authorization: `Basic ${Buffer.from(user).toString('base64')}` } };
}

function webhookMessage(receiver: string, { groupKey, groupLabels, alerts, externalUrl }: Notification) {
  const shown = alerts.slice(0, MOST_ALERTS);
  return {
    version: '4',
    groupKey,
    truncatedAlerts: alerts.length - shown.length,
    status: alerts.some(({ state }) => state === 'firing') ? 'firing' : 'resolved',
    receiver,
    groupLabels: toRecord(groupLabels),
    commonLabels: toRecord(commonOf(alerts.map(({ labels }) => labels))),
    commonAnnotations: toRecord(commonOf(alerts.map(({ annotations }) => annotations))),
    externalURL: externalUrl,
    alerts: shown.map((alert) => alertMessage(alert, externalUrl)),
  };
}

function alertMessage(alert: Alert, externalUrl: string) {
  return {
    status: alert.state === 'resolved' ? 'resolved' : 'firing',
    labels: toRecord(alert.labels),
    annotations: toRecord(alert.annotations),
    startsAt: new Date(alert.firedAt ?? alert.activeAt).toISOString(),
    endsAt: alert.resolvedAt === undefined ? NEVER : new Date(alert.resolvedAt).toISOString(),
    generatorURL: externalUrl,
    fingerprint: fingerprint(alert.labels),
  };
}

function commonOf(all: readonly Labels[]): Labels {
  const [first = [], ...rest] = all.map(toRecord);
  return toLabels(
    Object.entries(first).filter(([name, value]) => rest.every((other) => other[name] === value)),
  );
}
