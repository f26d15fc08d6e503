import type { Alert } from '../../model/alert.ts';
import type { Labels } from '../../model/labels.ts';

/** What one group of alerts has to tell a receiver now. */
export interface Notification {
  /** The same for the same group, over restarts too. */
  readonly groupKey: string;
  readonly groupLabels: Labels;
  /** Firing ones first, then resolved ones, each by their labels. Never empty. */
  readonly alerts: readonly Alert[];
  /** Where links in it lead. */
  readonly externalUrl: string;
}

export type SendOutcome =
  | { readonly ok: true }
  /** `retry`: the same attempt may well succeed later. */
  | { readonly ok: false; readonly retry: boolean; readonly error: string };

/** A way to tell someone. */
export interface Receiver {
  /** The same over restarts, without secrets: it stands in logs, states and the notification log. */
  readonly name: string;
  /** Whether it wants to hear that an alert is over. */
  readonly sendResolved: boolean;
  /** One attempt. Never rejects; bounded in time by itself. */
  send(notification: Notification, signal: AbortSignal): Promise<SendOutcome>;
}
