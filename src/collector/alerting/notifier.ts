import type { Alert } from '../../model/alert.ts';
import { compareLabels, type Labels, labelValue } from '../../model/labels.ts';
import type { CancelTimer, Clock } from '../../util/clock.ts';
import type { KeyValue } from '../storage/storage.ts';
import { createDelivery, type Delivery, type ReceiverState } from './delivery.ts';
import { fingerprint } from './fingerprint.ts';
import { isInhibited } from './inhibition.ts';
import { createNotificationLog } from './notification-log.ts';
import { notifyReason } from './notify-reason.ts';
import type { Receiver } from './receiver.ts';
import { groupKeyOf, groupLabelsOf, type Route, routeOf } from './route.ts';

export interface NotifierOptions {
  readonly receivers: readonly Receiver[];
  readonly keyValue: KeyValue;
  readonly clock: Clock;
  readonly externalUrl: string;
}

export interface Notifier {
  /**
   * The alerts that fire, and those that lately stopped. May be told the same again and again, and a part of them at
   * a time; what was sent is remembered, over restarts too.
   */
  notify(alerts: readonly Alert[]): void;
  state(): {
    readonly groups: number;
    readonly droppedAlerts: number;
    readonly receivers: readonly ReceiverState[];
  };
  /** Ends retries and waits for what is on its way, up to two seconds. Idempotent. */
  stop(): Promise<void>;
}

const MOST_GROUPS = 10_000;
const MOST_ALERTS_A_GROUP = 10_000;
/** A page that joins a group already told does not wait for the group's next turn, but this is kept between turns. */
const PAGE_GAP_MS = 60_000;
const FORGET_INTERVAL_MS = 3_600_000;
const STOP_GRACE_MS = 2000;

interface Group {
  readonly key: string;
  readonly labels: Labels;
  readonly route: Route;
  readonly alerts: Map<string, Alert>;
  lastFlushMs: number;
  nextFlushMs: number;
  cancel: CancelTimer;
  sending: AbortController;
}

/** Alertmanager's pipeline for one route and some receivers: group, wait, inhibit, tell once, repeat. */
export function createNotifier({ receivers, keyValue, clock, externalUrl }: NotifierOptions): Notifier {
  const log = createNotificationLog(keyValue);
  const stopping = new AbortController();
  const targets = receivers.map((receiver) => ({
    receiver,
    delivery: createDelivery(receiver, clock, stopping.signal),
  }));
  const groups = new Map<string, Group>();
  const running = new Set<Promise<unknown>>();
  let droppedAlerts = 0;
  let cancelForget: CancelTimer = () => {};

  const track = (work: Promise<unknown>): void => {
    // Losing one write to the log means saying something twice, never not at all; the store shows its own trouble.
    const settled = work.catch(() => {}).finally(() => running.delete(settled));
    running.add(settled);
  };

  const forgetOld = () => {
    track(log.forgetOld(clock.now()));
    cancelForget = clock.setTimer(FORGET_INTERVAL_MS, forgetOld, { unref: true });
  };

  const wasToldFiring = (groupKey: string, print: string) =>
    receivers.some(({ name }) => log.last(name, groupKey)?.firing.includes(print) ?? false);

  const take = (alert: Alert): void => {
    const labels = groupLabelsOf(alert.labels);
    const key = groupKeyOf(labels);
    const print = fingerprint(alert.labels);
    const group = groups.get(key);
    const known = group?.alerts.get(print);
    if (known === undefined && alert.state === 'resolved' && !wasToldFiring(key, print)) return;
    if (
      group === undefined ? groups.size >= MOST_GROUPS : group.alerts.size >= MOST_ALERTS_A_GROUP && !known
    ) {
      droppedAlerts += 1;
      return;
    }
    const into = group ?? openGroup(key, labels);
    into.alerts.set(print, alert);
    const isNew = known?.state !== 'firing' && alert.state === 'firing';
    if (isNew && labelValue(alert.labels, 'severity') === 'page') hasten(into);
  };

  const openGroup = (key: string, labels: Labels): Group => {
    const route = routeOf(labels);
    const group: Group = {
      key,
      labels,
      route,
      alerts: new Map(),
      lastFlushMs: Number.NEGATIVE_INFINITY,
      nextFlushMs: 0,
      cancel: () => {},
      sending: new AbortController(),
    };
    groups.set(key, group);
    flushIn(group, route.groupWaitMs);
    return group;
  };

  const flushIn = (group: Group, delayMs: number) => {
    group.cancel();
    group.nextFlushMs = clock.monotonic() + delayMs;
    group.cancel = clock.setTimer(delayMs, () => flush(group), { unref: true });
  };

  const hasten = (group: Group) => {
    const now = clock.monotonic();
    const soonest = Math.max(now + group.route.groupWaitMs, group.lastFlushMs + PAGE_GAP_MS);
    if (soonest < group.nextFlushMs) flushIn(group, soonest - now);
  };

  const flush = (group: Group): void => {
    if (stopping.signal.aborted) return;
    group.lastFlushMs = clock.monotonic();
    flushIn(group, group.route.groupIntervalMs);
    // What is still on its way tells an older state.
    group.sending.abort();
    group.sending = new AbortController();
    const { signal } = group.sending;
    const told = targets.map(({ receiver, delivery }) => tell(group, receiver, delivery, signal));
    track(Promise.all(told).then((all) => all.every(Boolean) && tidy(group)));
  };

  /** False when the receiver still has something to hear. */
  const tell = async (
    group: Group,
    receiver: Receiver,
    delivery: Delivery,
    signal: AbortSignal,
  ): Promise<boolean> => {
    const sent = [...group.alerts].filter(([, alert]) => !isInhibited(alert.labels, firingLabels()));
    const prints = (state: Alert['state']) =>
      sent.filter(([, alert]) => alert.state === state).map(([print]) => print);
    const firing = prints('firing');
    const resolved = prints('resolved');
    const reason = notifyReason(log.last(receiver.name, group.key), {
      firing,
      resolved,
      nowMs: clock.now(),
      repeatIntervalMs: group.route.repeatIntervalMs,
      sendResolved: receiver.sendResolved,
    });
    if (reason === 'none') return true;
    const alerts = sent
      .map(([, alert]) => alert)
      .filter(({ state }) => state === 'firing' || receiver.sendResolved);
    const notification = {
      groupKey: group.key,
      groupLabels: group.labels,
      alerts: alerts.sort(firingFirst),
      externalUrl,
    };
    if (alerts.length > 0 && !(await delivery.deliver(notification, signal))) return false;
    await log.write(receiver.name, group.key, { atMs: clock.now(), firing, resolved });
    return true;
  };

  /** Resolved alerts everybody has heard of go; so does a group without alerts. */
  const tidy = (group: Group): void => {
    for (const [print, alert] of group.alerts) {
      if (alert.state === 'resolved' && !wasToldFiring(group.key, print)) group.alerts.delete(print);
    }
    if (group.alerts.size > 0) return;
    group.cancel();
    groups.delete(group.key);
  };

  function* firingLabels(): Iterable<Labels> {
    for (const group of groups.values()) {
      for (const alert of group.alerts.values()) if (alert.state === 'firing') yield alert.labels;
    }
  }

  forgetOld();
  return {
    notify(alerts) {
      if (stopping.signal.aborted || receivers.length === 0) return;
      for (const alert of alerts) if (alert.state !== 'pending') take(alert);
    },
    state: () => ({
      groups: groups.size,
      droppedAlerts,
      receivers: targets.map(({ delivery }) => delivery.state()),
    }),
    async stop() {
      stopping.abort();
      cancelForget();
      for (const group of groups.values()) group.cancel();
      let cancel: CancelTimer = () => {};
      const graceOver = new Promise<void>((resolve) => {
        cancel = clock.setTimer(STOP_GRACE_MS, () => {
          for (const group of groups.values()) group.sending.abort();
          resolve();
        });
      });
      await Promise.race([Promise.all(running), graceOver]);
      cancel();
    },
  };
}

function firingFirst(a: Alert, b: Alert): number {
  if (a.state !== b.state) return a.state === 'firing' ? -1 : 1;
  return compareLabels(a.labels, b.labels);
}
