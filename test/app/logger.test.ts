import { describe, expect, it } from 'vitest';
import { createLogger } from '../../src/app/logger.ts';
import { createFakeClock } from '../../src/util/clock.ts';
import { CodedError } from '../../src/util/coded-error.ts';

function start() {
  const clock = createFakeClock();
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger('warn', clock, (line) => void lines.push(JSON.parse(line)));
  return { clock, lines, logger };
}

describe('the log', () => {
  it('tells a failure that goes on once a minute, then how often it came', async () => {
    const { clock, lines, logger } = start();
    const fail = () => logger.error({ err: new CodedError('FULL', 'the disk is full') }, 'going on');
    for (let second = 0; second < 59; second += 1) {
      fail();
      await clock.advance(1000);
    }
    expect(lines).toHaveLength(1);
    await clock.advance(1000);
    fail();
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatchObject({ level: 'error', msg: 'going on', repeated: 58 });
  });
  it('tells different failures each', () => {
    const { lines, logger } = start();
    for (const what of ['a', 'b', 'a']) logger.error({ err: new Error(what) }, 'going on');
    expect(lines.map((line) => (line.err as Error).message)).toEqual(['a', 'b']);
  });
  it('keeps the stack of defects, and spares people that of what they can act on', () => {
    const { lines, logger } = start();
    logger.error({ err: new CodedError('FULL', 'the disk is full') }, 'going on');
    logger.error({ err: new TypeError('x is no function') }, 'going on');
    expect(lines[0]!.err).toEqual({ code: 'FULL', message: 'the disk is full' });
    expect((lines[1]!.err as Error).stack).toContain('logger.test.ts');
  });
  it('tells all that is no failure', () => {
    const { lines, logger } = start();
    logger.warn('hot');
    logger.warn({ pod: 'a' }, 'hot');
    expect(lines.map(({ msg }) => msg)).toEqual(['hot', 'hot']);
  });
});
