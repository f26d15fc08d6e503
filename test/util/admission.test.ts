import { describe, expect, it } from 'vitest';
import { createAdmission } from '../../src/util/admission.ts';
import { createFakeClock } from '../../src/util/clock.ts';

const make = () => {
  const clock = createFakeClock();
  const admission = createAdmission({ clock, atOnce: 2, waitMs: 10_000, slowMs: 1_000, longestMs: 30_000 });
  const sentAway: string[] = [];
  const enter = (name: string) => admission.enter(() => sentAway.push(name));
  return { clock, admission, sentAway, enter };
};

describe('admission', () => {
  it('lets in as many as it may, and the next in their order as others leave', async () => {
    const { admission, enter } = make();
    const [first] = await Promise.all([enter('a'), enter('b')]);
    const order: string[] = [];
    const third = enter('c').then(() => order.push('c'));
    const fourth = enter('d').then((admitted) => {
      order.push('d');
      return admitted;
    });
    expect(admission.stats()).toEqual({ underWay: 2, waiting: 2, refused: 0 });
    first!.leave();
    first!.leave();
    await third;
    expect(order).toEqual(['c']);
    (await enterLater(admission, fourth)).leave();
  });

  const enterLater = async <T>(admission: { stats(): { underWay: number } }, waiting: Promise<T>) => {
    expect(admission.stats().underWay).toBe(2);
    const raced = await Promise.race([waiting, new Promise((done) => setImmediate(() => done('waits')))]);
    expect(raced).toBe('waits');
    return { leave() {} };
  };

  it('tells who waited too long to come again', async () => {
    const { clock, admission, enter } = make();
    const [first, second] = await Promise.all([enter('a'), enter('b')]);
    first!.received();
    second!.received();
    const third = expect(enter('c')).rejects.toMatchObject({ code: 'ADMISSION_BUSY', status: 429 });
    await clock.advance(10_000);
    await third;
    expect(admission.stats()).toEqual({ underWay: 2, waiting: 0, refused: 1 });
  });

  it('sends away who is slow when others wait, and nobody else', async () => {
    const { clock, sentAway, enter } = make();
    const [first] = await Promise.all([enter('a'), enter('b')]);
    await clock.advance(5_000);
    expect(sentAway).toEqual([]);
    first!.received();
    void enter('c').catch(() => {});
    await clock.advance(1_000);
    expect(sentAway).toEqual(['b']);
  });

  it('sends away who takes for ever though nobody waits', async () => {
    const { clock, sentAway, enter } = make();
    await enter('a');
    await clock.advance(30_000);
    expect(sentAway).toEqual(['a']);
  });

  it('forgets who gave up', async () => {
    const { admission, enter } = make();
    await Promise.all([enter('a'), enter('b')]);
    const gone = new AbortController();
    const third = expect(admission.enter(() => {}, gone.signal)).rejects.toThrow('gone');
    gone.abort(new Error('gone'));
    await third;
    expect(admission.stats().waiting).toBe(0);
  });
});
