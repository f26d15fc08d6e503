import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PodTransition } from '../../src/agent/pod/transition.ts';
import { createTransitionInbox } from '../../src/agent/transition-inbox.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { queueSchema } from '../../src/journal/queue.ts';
import { systemClock } from '../../src/util/clock.ts';
import { CART } from './events/story.ts';

const transition = (uid: string, at: number): PodTransition => ({
  kind: 'pod-created',
  at,
  pod: { ...CART, uid },
});

describe('the inbox of transitions', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'podvitals-inbox-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function withInbox(
    handle: (transition: PodTransition) => Promise<void>,
    work: (inbox: ReturnType<typeof createTransitionInbox>) => Promise<void>,
  ) {
    const journal = openJournal(join(folder, 'agent.db'), { clock: systemClock, schemas: [queueSchema] });
    const inbox = createTransitionInbox({ journal, clock: systemClock, handle, onError: () => {} });
    try {
      await work(inbox);
    } finally {
      await inbox.close();
      await journal.close();
    }
  }

  it('lets no pod wait for another, and keeps the order of each', async () => {
    const handled: string[] = [];
    let release: () => void = () => {};
    const slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    await withInbox(
      async ({ pod, at }) => {
        if (pod.uid === 'a' && at === 1) await slow;
        handled.push(`${pod.uid}${at}`);
        if (handled.length === 3) release();
      },
      async (inbox) => {
        for (const at of [1, 2]) for (const uid of ['a', 'b', 'c']) inbox.put(transition(uid, at));
        await inbox.settled(20_000);
      },
    );
    // The first of a ended only after three others had: it held up none of them.
    expect(handled.indexOf('a1')).toBeGreaterThanOrEqual(3);
    for (const uid of ['a', 'b', 'c'])
      expect(handled.filter((one) => one.startsWith(uid))).toEqual([`${uid}1`, `${uid}2`]);
  });

  it('keeps what was not handled for the next start', async () => {
    await withInbox(
      async ({ pod }) => {
        if (pod.uid !== 'b') throw new Error('not now');
      },
      async (inbox) => {
        for (const uid of ['a', 'b']) inbox.put(transition(uid, 1));
        await inbox.settled(1500);
      },
    );
    const handled: string[] = [];
    await withInbox(
      async ({ pod }) => void handled.push(pod.uid),
      (inbox) => inbox.settled(20_000),
    );
    expect(handled).toEqual(['a']);
  });
});
