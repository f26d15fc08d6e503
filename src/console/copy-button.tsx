import { useEffect, useState } from 'preact/hooks';

/** Puts a text on the clipboard, and says that it did, or that the browser did not let it. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [said, setSaid] = useState<'copied' | 'failed' | undefined>();
  useEffect(() => {
    if (said === undefined) return;
    const timer = setTimeout(() => setSaid(undefined), 2000);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid('copied');
    } catch {
      setSaid('failed');
    }
  };
  return (
    <button type="button" class="copy" onClick={copy} aria-label={`Copy ${what}`}>
      <span aria-live="polite">
        {said === 'copied' ? 'Copied' : said === 'failed' ? 'Select and copy' : 'Copy'}
      </span>
    </button>
  );
}
