import { useEffect, useState } from 'preact/hooks';

/** Where the page is: the path without its slash at the end, and what the address asks for. */
export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

const MOVED = 'podvitals:moved';

const here = (): Place => ({
  path: location.pathname.replace(/(.)\/+$/, '$1'),
  query: new URLSearchParams(location.search),
});

/** Goes to an address of the console without loading the page anew. */
export function go(address: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
  dispatchEvent(new Event(MOVED));
}

/** The place, followed through links, the back button and `go`. */
export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const moved = () => setPlace(here());
    addEventListener('popstate', moved);
    addEventListener(MOVED, moved);
    document.addEventListener('click', follow);
    return () => {
      removeEventListener('popstate', moved);
      removeEventListener(MOVED, moved);
      document.removeEventListener('click', follow);
    };
  }, []);
  return place;
}

// Plain clicks on links of the console; those with a modifier key, a target or to a file stay the browser's.
function follow(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey)
    return;
  const link = (event.target as Element).closest?.('a[href]');
  if (!(link instanceof HTMLAnchorElement) || link.target !== '' || link.origin !== location.origin) return;
  if (
    !/^\/($|pods|alerts|incidents|dashboards|explore)/.test(link.pathname) ||
    link.pathname.endsWith('.json')
  )
    return;
  event.preventDefault();
  go(link.pathname + link.search);
  scrollTo(0, 0);
}

export function podAddress(namespace: string, name: string): string {
  return `/pods/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
}
