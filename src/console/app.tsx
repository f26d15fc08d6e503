import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { useAlerts } from './alerts/alerts.ts';
import { AlertsPage } from './alerts/alerts-page.tsx';
import { DashboardPage } from './dashboards/dashboard-page.tsx';
import { DashboardsPage } from './dashboards/dashboards-page.tsx';
import { ExplorePage } from './explore/lazy-page.tsx';
import { Footer } from './footer.tsx';
import { IncidentsPage } from './incidents/incidents-page.tsx';
import { type Line, useLine } from './live.ts';
import { Notice } from './notice.tsx';
import { PodPage } from './pod/pod-page.tsx';
import { type Overview, useOverview } from './pods/overview.ts';
import { PodsPage } from './pods/pods-page.tsx';
import type { Asked } from './request.ts';
import { type Place, usePlace } from './router.ts';

export function App() {
  const place = usePlace();
  const overview = useOverview();
  const alerts = useAlerts();
  const firing = alerts.value?.filter(({ state }) => state === 'firing').length ?? 0;
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="top">
        <a class="brand" href="/">
          <Pulse />
          podvitals
        </a>
        <nav aria-label="Pages">
          <NavLink place={place} href="/" also="/pods">
            Pods
          </NavLink>
          <NavLink place={place} href="/alerts">
            Alerts
            {firing > 0 && (
              <span class="badge">
                {firing}
                <span class="hidden"> firing</span>
              </span>
            )}
          </NavLink>
          <NavLink place={place} href="/incidents">
            Incidents
          </NavLink>
          <NavLink place={place} href="/dashboards">
            Dashboards
          </NavLink>
          <NavLink place={place} href="/explore">
            Explore
          </NavLink>
        </nav>
        <LineState />
      </header>
      <main id="main">
        <Page place={place} overview={overview} alerts={alerts} />
      </main>
      <Footer overview={overview.value} />
    </>
  );
}

function Page({
  place,
  overview,
  alerts,
}: {
  place: Place;
  overview: Asked<Overview>;
  alerts: ReturnType<typeof useAlerts>;
}) {
  const [page, ...names] = place.path.split('/').slice(1).map(decodeURIComponent);
  useTitle(names.length > 0 ? names.join('/') : page);
  if ((page === '' || page === 'pods') && names.length === 0) return <PodsPage overview={overview} />;
  if (page === 'pods' && names.length === 2) {
    return <PodPage key={place.path} namespace={names[0]!} name={names[1]!} alerts={alerts.value ?? []} />;
  }
  if (page === 'alerts' && names.length === 0) return <AlertsPage alerts={alerts} />;
  if (page === 'incidents' && names.length === 0) return <IncidentsPage />;
  if (page === 'dashboards' && names.length === 0) return <DashboardsPage />;
  if (page === 'dashboards' && names.length === 1)
    return <DashboardPage key={names[0]} uid={names[0]!} query={place.query} />;
  if (page === 'explore' && names.length === 0) return <ExplorePage query={place.query} />;
  return (
    <Notice title="There is nothing at this address.">
      <a href="/">See all pods</a>
    </Notice>
  );
}

function useTitle(what: string | undefined) {
  useEffect(() => {
    document.title = what ? `${what} · podvitals` : 'podvitals';
  }, [what]);
}

function NavLink({
  place,
  href,
  also,
  children,
}: {
  place: Place;
  href: string;
  also?: string;
  children: ComponentChildren;
}) {
  const current =
    place.path === href || [href, also].some((path) => path && path !== '/' && place.path.startsWith(path));
  return (
    <a href={href} {...(current ? { 'aria-current': 'page' as const } : {})}>
      {children}
    </a>
  );
}

const LINE_WORDS: Readonly<Record<Line, string>> = {
  opening: 'connecting',
  open: 'live',
  broken: 'not live, reconnecting',
};

function LineState() {
  const line = useLine();
  return (
    <p class={`line line-${line}`} role="status">
      {LINE_WORDS[line]}
    </p>
  );
}

function Pulse() {
  return (
    <svg viewBox="0 0 28 18" width="28" height="18" aria-hidden="true">
      <path d="M1 10h6l3-7 5 13 4-9 2 3h6" />
    </svg>
  );
}
