import { Notice } from './notice.tsx';
import type { RequestError } from './request.ts';

/** Instead of what was asked for and has not come: that it is awaited, or why it cannot be shown. */
export function NotThere({ what, error }: { what: string; error: RequestError | undefined }) {
  if (error === undefined) return <Notice title={`Asking for the ${what} …`} />;
  return (
    <Notice tone="bad" title={`The ${what} cannot be shown.`}>
      {error.message} Trying again.
    </Notice>
  );
}

/** Beside what came earlier, when the last question failed. */
export function OutOfDate({ error }: { error: RequestError | undefined }) {
  if (error === undefined) return null;
  return (
    <Notice tone="bad" title="This may be out of date.">
      {error.message}
    </Notice>
  );
}
