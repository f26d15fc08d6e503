import type { ComponentChildren } from 'preact';

/** A few words where something else would be: nothing there yet, nothing there at all, or what went wrong. */
export function Notice({
  tone = 'quiet',
  title,
  children,
}: {
  tone?: 'quiet' | 'bad';
  title: string;
  children?: ComponentChildren;
}) {
  return (
    <div class={`notice notice-${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      <p class="notice-title">{title}</p>
      {children && <div class="notice-text">{children}</div>}
    </div>
  );
}
