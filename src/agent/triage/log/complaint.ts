import type { LogLine } from '../../../model/life.ts';
import { lastWords } from './last-words.ts';

// Words by which programs without a habit of their own say that something went wrong.
const TROUBLE =
  /\b(?:errors?|fatal|fail(?:ed|ure|s|ing)?|exception|panic|abort(?:ed|ing)?|cannot|can't|could not|couldn't|unable|invalid|illegal|denied|no such|corrupt(?:ed|ion)?|unexpected|unsupported|unrecognized|unknown|refus(?:ed|ing)|giving up|gave up|bail(?:ed|ing)?|wrong|must (?:be|have|not)|missing|traceback|usage|mismatch|conflict|duplicate|incompatible|inconsistent|violat(?:es|ed|ion)|reject(?:ed|s)?|lost|broken|bad|died|crash(?:ed|ing)?|exceed(?:ed|s)?|insufficient|not (?:found|possible|allowed|permitted|supported|enough|valid|available|implemented)|does(?: no|n')t|is not|was not|did not|didn't|out of|timed out|too (?:many|few|large|small|old|new|long|short)|assert(?:ion)?|bug|overflow|undefined|null|nil)\b/i;
// What was asked of it, and answered, is no complaint of its own.
const SERVED = /\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \//;

/**
 * The last line that complains, though of nothing known; else the last line, when it went to stderr and the program
 * does not write all it has to say there.
 */
export function complaintIn(log: readonly LogLine[]): LogLine | undefined {
  const words = lastWords(log).filter(({ text }) => !SERVED.test(text));
  const complaint = words.findLast(({ text }) => TROUBLE.test(text));
  if (complaint) return complaint;
  const said = log.filter(({ text }) => text.trim() !== '');
  const tellsApart = said.length === 1 || said.some(({ stream }) => stream === 'stdout');
  const last = words.at(-1);
  return last?.stream === 'stderr' && tellsApart ? last : undefined;
}
