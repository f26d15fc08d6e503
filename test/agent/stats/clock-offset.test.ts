import { describe, expect, it } from 'vitest';
import { createClockOffset, parseTimesync, parseTracking } from '../../../src/agent/stats/clock-offset.ts';
import { createFakeClock } from '../../../src/util/clock.ts';

const TRACKING =
  'C0A80001,ntp.shop,3,1764187200.1,0.000123456,-0.000010,0.000020,-1.5,0.001,0.05,0.01,0.001,64.5,Normal\n';

describe("how far the node's clock is off", () => {
  it('is what chrony measures: positive when it is ahead', () => {
    expect(parseTracking(TRACKING)).toBeCloseTo(-0.000123456);
    expect(parseTracking(TRACKING.replace('0.000123456', '-2.5'))).toBe(2.5);
    expect(parseTracking(TRACKING.replace('Normal', 'Not synchronised'))).toBeUndefined();
    expect(parseTracking('506 Cannot talk to daemon')).toBeUndefined();
  });
  it('or systemd-timesyncd', () => {
    expect(parseTimesync('       Server: 10.0.0.1\n       Offset: +1.5ms\n        Delay: 2ms\n')).toBeCloseTo(
      -0.0015,
    );
    expect(parseTimesync('       Offset: -1min 2.5s\n')).toBeCloseTo(62.5);
    expect(parseTimesync('       Server: n/a\n')).toBeUndefined();
  });
  it('is asked for once a minute, of the next where the first is not running; absent where nobody keeps the time', async () => {
    const clock = createFakeClock();
    const asked: string[] = [];
    const offset = createClockOffset({
      clock,
      chronyc: '/chronyc',
      timedatectl: '/timedatectl',
      run: async (path) => {
        asked.push(path);
        if (path === '/chronyc') throw new Error('506 Cannot talk to daemon');
        return 'Offset: -700ms';
      },
    });
    expect(offset.seconds()).toBeUndefined();
    for (let i = 0; i < 70; i += 1) {
      offset.look();
      await clock.advance(1000);
    }
    expect(offset.seconds()).toBeCloseTo(0.7);
    expect(asked).toEqual(['/chronyc', '/timedatectl', '/chronyc', '/timedatectl']);
    const none = createClockOffset({ clock, chronyc: undefined, timedatectl: undefined });
    none.look();
    await clock.advance(1000);
    expect(none.seconds()).toBeUndefined();
  });
});
