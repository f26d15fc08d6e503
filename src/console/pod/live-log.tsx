import { useState } from 'preact/hooks';
import { Choices } from '../choices.tsx';
import { getText, useAsked } from '../request.ts';
import { LogTail } from './log-tail.tsx';

const EVERY_MS = 5_000;
const TAIL = 40;

/** The newest lines of a container, asked for while the section is open. */
export function LiveLog({
  namespace,
  pod,
  containers,
}: {
  namespace: string;
  pod: string;
  containers: readonly string[];
}) {
  const [open, setOpen] = useState(false);
  const [container, choose] = useState(containers[0]!);
  return (
    <details class="live-log" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Newest log lines</summary>
      {containers.length > 1 && (
        <Choices label="Container" options={containers} chosen={container} onChoose={choose} />
      )}
      {open && <Lines namespace={namespace} pod={pod} container={container} />}
    </details>
  );
}

function Lines({ namespace, pod, container }: { namespace: string; pod: string; container: string }) {
  const url = `/api/pods/${encodeURIComponent(namespace)}/${encodeURIComponent(pod)}/logs?container=${encodeURIComponent(container)}&tail=${TAIL}`;
  const { value, error } = useAsked(url, (signal) => getText(url, { signal }), EVERY_MS);
  if (error) return <p class="faint">The log cannot be shown: {error.message}</p>;
  if (value === undefined) return null;
  const lines = value.split('\n').slice(0, -1);
  return <LogTail lines={lines.map((text, at) => ({ at, stream: 'stdout', text }))} />;
}
