/** What a browser says about where a request comes from; all absent for other clients. */
export interface RequestOrigin {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly fetchMode: string | undefined;
  readonly fetchDest: string | undefined;
}

/**
 * Why a request must be refused because a page of another origin sent it, or null. A link that someone follows
 * (a top-level GET navigation) is no request of that page: it cannot see what comes back. Clients that are no
 * browsers send neither Origin nor Sec-Fetch-Site and pass. `configured` are hosts, with a port unless it is the
 * scheme's own, whose pages count as ours although a proxy changed the Host header.
 */
export function refusedOrigin(request: RequestOrigin, configured: readonly string[]): string | null {
  const { origin, fetchSite } = request;
  const foreignSite = fetchSite === 'cross-site' || fetchSite === 'same-site';
  if (foreignSite && origin === undefined) {
    return isFollowedLink(request) ? null : 'a page of another origin';
  }
  if (origin === undefined) return null;
  if (!isOwnOrigin(origin, request.host, configured)) return `a page of ${printable(origin)}`;
  return foreignSite ? 'a page of another origin' : null;
}

function isFollowedLink({ method, fetchMode, fetchDest }: RequestOrigin): boolean {
  return (method === 'GET' || method === 'HEAD') && fetchMode === 'navigate' && fetchDest === 'document';
}

function isOwnOrigin(origin: string, host: string | undefined, configured: readonly string[]): boolean {
  if (!/^https?:\/\//i.test(origin) || !URL.canParse(origin)) return false;
  const own = new URL(origin).host;
  return own === host?.toLowerCase() || configured.some((entry) => entry.toLowerCase() === own);
}

function printable(origin: string): string {
  return origin.replace(/[^\x21-\x7e]/g, '?').slice(0, 100);
}
