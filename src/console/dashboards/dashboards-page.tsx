import { Notice } from '../notice.tsx';
import { getJson, useAsked } from '../request.ts';

interface Listed {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
}

export function DashboardsPage() {
  const { value, error } = useAsked('dashboards', (signal) =>
    getJson<{ items: readonly Listed[] }>('/api/dashboards', { signal }),
  );
  if (value === undefined) {
    if (error === undefined) return <Notice title="Asking for the dashboards …" />;
    return (
      <Notice tone="bad" title="The dashboards cannot be shown.">
        {error.message}
      </Notice>
    );
  }
  return (
    <>
      <div class="headline">
        <h1>Dashboards</h1>
        <p>The same files Grafana imports, drawn here.</p>
      </div>
      {value.items.length === 0 && <Notice title="There are none." />}
      <ul class="cards">
        {value.items.map(({ uid, title, description }) => (
          <li key={uid}>
            <a href={`/dashboards/${encodeURIComponent(uid)}`}>
              <h2>{title}</h2>
              <p>{description}</p>
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}
