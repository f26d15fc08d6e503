import type { LogLine } from '../../model/life.ts';
import { visible } from './visible.ts';

/** Lines as they were written. Control characters are shown as what they are, never obeyed. */
export function LogTail({ lines }: { lines: readonly LogLine[] }) {
  if (lines.length === 0) return <p class="faint">It wrote nothing.</p>;
  return (
    <pre class="log">
      {lines.map((line, index) => (
        <span key={`${index}-${line.at}`} class={line.stream}>
          {visible(line.text)}
          {'\n'}
        </span>
      ))}
    </pre>
  );
}
