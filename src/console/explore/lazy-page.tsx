import { useEffect, useState } from 'preact/hooks';
import { Notice } from '../notice.tsx';

type Page = typeof import('./explore-page.tsx').ExplorePage;

/** The Explore page, fetched when it is first shown: its editor is larger than all other pages together. */
export function ExplorePage({ query }: { query: URLSearchParams }) {
  const [page, setPage] = useState<{ Page: Page } | 'failed' | undefined>();
  useEffect(() => {
    import('./explore-page.tsx').then(
      ({ ExplorePage: Page }) => setPage({ Page }),
      () => setPage('failed'),
    );
  }, []);
  if (page === undefined) return <Notice title="Fetching the editor …" />;
  if (page === 'failed') {
    return (
      <Notice tone="bad" title="The Explore page cannot be shown.">
        Its files could not be fetched. <a href="/explore">Try again</a>
      </Notice>
    );
  }
  return <page.Page query={query} />;
}
