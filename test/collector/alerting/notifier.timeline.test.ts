import { afterEach, describe, expect, it } from 'vitest';
import { createNotifier, type Notifier } from '../../../src/collector/alerting/notifier.ts';
import type { Notification, Receiver, SendOutcome } from '../../../src/collector/alerting/receiver.ts';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import type { Alert } from '../../../src/model/alert.ts';
import { labelValue, toLabels } from '../../../src/model/labels.ts';
import { createFakeClock } from '../../../src/util/clock.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
let notifier: Notifier;
let stage: ReturnType<typeof createStage>;
afterEach(async () => {
  const stopped = notifier.stop();
  await stage.clock.advance(2000);
  await stopped;
});

/** A notifier with a receiver that writes down what it hears as `firing cart, resolved web`. */
function createStage(options: { readonly sendResolved?: boolean } = {}) {
  const clock = createFakeClock();
  const store = createMemoryStore({ clock });
  const heard: string[] = [];
  let answer: (notification: Notification) => SendOutcome | Promise<SendOutcome> = () => ({ ok: true });
  const receiver: Receiver = {
    name: 'ears',
    sendResolved: options.sendResolved ?? true,
    async send(notification) {
      const outcome = await answer(notification);
      const told = notification.alerts.map(({ state, labels }) => `${state} ${labelValue(labels, 'pod')}`);
      heard.push(`${outcome.ok ? '' : 'refused: '}${told.join(', ')}`);
      return outcome;
    },
  };
  const create = () =>
    createNotifier({
      receivers: [receiver],
      keyValue: store.keyValue,
      clock,
      externalUrl: 'http://p.example',
    });
  notifier = create();
  return {
    clock,
    store,
    heard,
    answer(by: typeof answer) {
      answer = by;
    },
    async restart() {
      const stopped = notifier.stop();
      await clock.advance(2000);
      await stopped;
      notifier = create();
    },
    alert(
      alertname: string,
      pod: string,
      state: Alert['state'] = 'firing',
      more: Record<string, string> = {},
    ): Alert {
      const now = clock.now();
      return {
        labels: toLabels({ alertname, namespace: 'shop', workload: 'cart', pod, ...more }),
        annotations: [],
        state,
        value: 1,
        activeAt: now,
        ...(state === 'pending' ? {} : { firedAt: now }),
        ...(state === 'resolved' ? { resolvedAt: now } : {}),
      };
    },
  };
}

describe('a group of alerts', () => {
  it('of crash loops is told at once, others after half a minute, together', async () => {
    stage = createStage();
    notifier.notify([stage.alert('PodCrashLooping', 'cart-1'), stage.alert('PodNotReady', 'cart-1')]);
    await stage.clock.advance(1);
    expect(stage.heard).toEqual(['firing cart-1']);
    notifier.notify([stage.alert('PodNotReady', 'cart-2'), stage.alert('PodNotReady', 'cart-3', 'pending')]);
    await stage.clock.advance(30_000);
    expect(stage.heard).toEqual(['firing cart-1', 'firing cart-1, firing cart-2']);
  });

  it('is told once however often its alerts are named, and again after four hours', async () => {
    stage = createStage();
    for (let minute = 0; minute < 4 * 60 + 10; minute += 1) {
      notifier.notify([stage.alert('PodOOMKilled', 'cart-1')]);
      await stage.clock.advance(MINUTE);
    }
    expect(stage.heard).toEqual(['firing cart-1', 'firing cart-1']);
  });

  it('is told of what joined and of what is over with its next turn, and that all is over', async () => {
    stage = createStage();
    notifier.notify([stage.alert('PodOOMKilled', 'a')]);
    await stage.clock.advance(MINUTE);
    notifier.notify([stage.alert('PodOOMKilled', 'b')]);
    await stage.clock.advance(5 * MINUTE);
    notifier.notify([stage.alert('PodOOMKilled', 'a', 'resolved')]);
    await stage.clock.advance(5 * MINUTE);
    notifier.notify([stage.alert('PodOOMKilled', 'b', 'resolved')]);
    await stage.clock.advance(10 * MINUTE);
    expect(stage.heard).toEqual(['firing a', 'firing a, firing b', 'firing b, resolved a', 'resolved b']);
    expect(notifier.state().groups).toBe(0);
  });

  it('that nobody heard of is not told as over', async () => {
    stage = createStage();
    notifier.notify([stage.alert('PodOOMKilled', 'a', 'resolved')]);
    notifier.notify([stage.alert('PodNotReady', 'b')]);
    await stage.clock.advance(1000);
    notifier.notify([stage.alert('PodNotReady', 'b', 'resolved')]);
    await stage.clock.advance(10 * MINUTE);
    expect(stage.heard).toEqual([]);
  });

  it('says nothing of ends to who does not want to hear it, and fires anew when it comes back', async () => {
    stage = createStage({ sendResolved: false });
    notifier.notify([stage.alert('PodOOMKilled', 'a')]);
    await stage.clock.advance(1);
    notifier.notify([stage.alert('PodOOMKilled', 'a', 'resolved')]);
    await stage.clock.advance(6 * MINUTE);
    notifier.notify([stage.alert('PodOOMKilled', 'a')]);
    await stage.clock.advance(6 * MINUTE);
    expect(stage.heard).toEqual(['firing a', 'firing a']);
  });

  it('does not keep a new page waiting for its next turn, but turns at most once a minute', async () => {
    stage = createStage();
    notifier.notify([stage.alert('PodCrashLooping', 'a', 'firing', { severity: 'ticket' })]);
    await stage.clock.advance(2 * MINUTE);
    notifier.notify([stage.alert('PodCrashLooping', 'b', 'firing', { severity: 'page' })]);
    await stage.clock.advance(1);
    expect(stage.heard.at(-1)).toBe('firing a, firing b');
    notifier.notify([stage.alert('PodCrashLooping', 'c', 'firing', { severity: 'page' })]);
    await stage.clock.advance(59_000);
    expect(stage.heard).toHaveLength(2);
    await stage.clock.advance(1000);
    expect(stage.heard).toHaveLength(3);
  });
});

describe('a restart', () => {
  it('pages nobody twice, and ends are told that came while it was away', async () => {
    stage = createStage();
    notifier.notify([stage.alert('PodCrashLooping', 'a'), stage.alert('PodCrashLooping', 'b')]);
    await stage.clock.advance(1);
    await stage.restart();
    notifier.notify([stage.alert('PodCrashLooping', 'a'), stage.alert('PodCrashLooping', 'b', 'resolved')]);
    await stage.clock.advance(10 * MINUTE);
    expect(stage.heard).toEqual(['firing a, firing b', 'firing a, resolved b']);
  });

  it('what was told five days ago is forgotten', async () => {
    stage = createStage();
    notifier.notify([stage.alert('PodCrashLooping', 'a')]);
    await stage.clock.advance(1);
    notifier.notify([stage.alert('PodCrashLooping', 'a', 'resolved')]);
    await stage.clock.advance(10 * MINUTE);
    expect(stage.store.keyValue.entries('alerting/log/')).toHaveLength(1);
    await stage.clock.advance(122 * HOUR);
    expect(stage.store.keyValue.entries('alerting/log/')).toEqual([]);
  });
});

describe('a receiver that fails', () => {
  it('is tried again with growing pauses until it takes the notification, which is told once', async () => {
    stage = createStage();
    stage.answer(() => ({ ok: false, retry: true, error: 'not now' }));
    notifier.notify([stage.alert('PodCrashLooping', 'a')]);
    await stage.clock.advance(8000);
    // At 0, 1, 3 and 7 s.
    expect(stage.heard).toHaveLength(4);
    expect(notifier.state().receivers).toMatchObject([
      { name: 'ears', failing: true, lastError: 'not now', failed: 4, sent: 0 },
    ]);
    stage.answer(() => ({ ok: true }));
    await stage.clock.advance(20 * MINUTE);
    expect(stage.heard.filter((line) => !line.startsWith('refused'))).toEqual(['firing a']);
    expect(notifier.state().receivers).toMatchObject([{ failing: false, sent: 1 }]);
  });

  it('that refuses for good is asked again only with the next turn of the group', async () => {
    stage = createStage();
    stage.answer(() => ({ ok: false, retry: false, error: 'never' }));
    notifier.notify([stage.alert('PodCrashLooping', 'a')]);
    await stage.clock.advance(4 * MINUTE);
    expect(stage.heard).toHaveLength(1);
    await stage.clock.advance(2 * MINUTE);
    expect(stage.heard).toHaveLength(2);
  });

  it('hears how things are, not how they were, once it answers', async () => {
    stage = createStage();
    stage.answer(() => ({ ok: false, retry: true, error: 'not now' }));
    notifier.notify([stage.alert('PodCrashLooping', 'a')]);
    await stage.clock.advance(MINUTE);
    notifier.notify([stage.alert('PodCrashLooping', 'b')]);
    await stage.clock.advance(5 * MINUTE);
    stage.answer(() => ({ ok: true }));
    await stage.clock.advance(5 * MINUTE);
    expect(stage.heard.filter((line) => !line.startsWith('refused'))).toEqual(['firing a, firing b']);
  });

  it('does not pile up notifications without bound', async () => {
    stage = createStage();
    stage.answer(() => new Promise(() => {}));
    notifier.notify(
      Array.from({ length: 2000 }, (_, index) =>
        stage.alert('PodCrashLooping', `p${index}`, 'firing', { workload: `w${index}` }),
      ),
    );
    await stage.clock.advance(1);
    expect(notifier.state().receivers).toMatchObject([{ waiting: 1000, dropped: 996 }]);
    stage.answer(() => ({ ok: true }));
  });
});

describe('inhibition', () => {
  const burn = (severity: string, state: Alert['state'] = 'firing') =>
    stage.alert('SLOBudgetBurn', severity, state, { slo: 'pod-ready-ratio', severity });

  it('spares the ticket of a budget while it pages, not that of another', async () => {
    stage = createStage();
    notifier.notify([
      burn('page'),
      burn('ticket'),
      stage.alert('SLOBudgetBurn', 'x', 'firing', { slo: 'other', severity: 'ticket' }),
    ]);
    await stage.clock.advance(MINUTE);
    expect(stage.heard).toEqual(['firing page, firing x']);
    notifier.notify([burn('page', 'resolved')]);
    await stage.clock.advance(5 * MINUTE);
    expect(stage.heard.at(-1)).toBe('firing ticket, firing x, resolved page');
  });

  it("spares what a silent agent explains, and the mixin's twin of our alert", async () => {
    stage = createStage();
    const other = stage.alert('KubePodCrashLooping', 'web-1');
    notifier.notify([
      stage.alert('PodvitalsAgentDown', 'agent', 'firing', { namespace: '', workload: '' }),
      stage.alert('SLONoData', 'no-data'),
      stage.alert('PodCrashLooping', 'cart-1'),
      stage.alert('KubePodCrashLooping', 'cart-1'),
      other,
    ]);
    await stage.clock.advance(MINUTE);
    expect(stage.heard.sort()).toEqual(['firing agent', 'firing cart-1', 'firing web-1']);
  });
});
