import type { Alert } from '../../../model/alert.ts';
import { labelValue } from '../../../model/labels.ts';
import type { Receiver } from '../receiver.ts';

/**
 * Tells the person who runs podvitals in the foreground, a line an alert: severity, alert, what is wrong, the cause
 * where one is known, and the runbook. Alerts of severity `none` (the watchdog) are for machines and are left out.
 */
export function terminalReceiver(say: (line: string) => void): Receiver {
  return {
    name: 'terminal',
    sendResolved: true,
    async send({ alerts }) {
      for (const alert of alerts) if (labelValue(alert.labels, 'severity') !== 'none') say(describe(alert));
      return { ok: true };
    },
  };
}

function describe({ state, labels, annotations }: Alert): string {
  const name = labelValue(labels, 'alertname');
  const summary = labelValue(annotations, 'summary');
  if (state === 'resolved') return `RESOLVED ${name}: ${summary}`;
  const severity = (labelValue(labels, 'severity') || 'alert').toUpperCase();
  const cause = labelValue(annotations, 'cause');
  const runbook = labelValue(annotations, 'runbook_url');
  return [`${severity} ${name}: ${cause || summary}`, runbook].filter((part) => part !== '').join('  ');
}
