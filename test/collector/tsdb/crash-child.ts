import { createStore } from '../../../src/collector/tsdb/store.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { bytesOf, eventOf, START } from '../../conformance/store.ts';

/** Appends batch after batch until it is killed, and prints the number of each one that is acknowledged. */
const [path, first] = [process.argv[2]!, Number(process.argv[3])];
// A clock of its own, so that chunks fill, settle and go to disk while it runs.
let now = START + first * 15_000;
const store = createStore({ path, clock: { ...systemClock, now: () => now } });
process.stdout.write('open\n');
for (let n = first; ; n += 1) {
  now = START + n * 15_000;
  const appender = store.appender();
  for (let series = 0; series < 5; series += 1)
    appender.append(appender.reference(bytesOf({ __name__: 'm', series: String(series) })), now + series, n);
  // A series for every hundred batches: they come and go.
  appender.append(appender.reference(bytesOf({ __name__: 'churn', n: String(Math.floor(n / 100)) })), now, n);
  // A late sample, in the middle of a chunk.
  if (n > 10) appender.append(appender.reference(bytesOf({ __name__: 'm', series: '0' })), now - 97_000, n);
  const commits = [appender.commit(), store.events.append([eventOf(`e${n}`, now)])];
  if (n % 50 === 0) commits.push(store.maintain() as Promise<never>);
  await Promise.all(commits);
  process.stdout.write(`${n}\n`);
}
