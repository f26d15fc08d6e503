import type { Traced } from '../../util/traced.ts';
import type { Receiver } from './receiver.ts';

/** The receiver, each attempt to tell it a span. */
export function tracedReceiver(receiver: Receiver, traced: Traced): Receiver {
  return {
    name: receiver.name,
    sendResolved: receiver.sendResolved,
    send: (notification, signal) =>
      traced(
        'alert notification',
        { 'podvitals.receiver': receiver.name, 'podvitals.alerts': notification.alerts.length },
        () => receiver.send(notification, signal),
        (outcome) => (outcome.ok ? undefined : outcome.error),
      ),
  };
}
