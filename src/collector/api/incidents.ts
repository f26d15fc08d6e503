import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { parseRequest } from '../../http/parse-request.ts';
import type { Incident } from '../../model/incident.ts';
import type { Clock } from '../../util/clock.ts';
import { CodedError } from '../../util/coded-error.ts';
import type { Incidents } from '../incidents/incidents.ts';
import { relatedTo } from '../incidents/related.ts';
import { draftPostmortem } from '../runbooks/postmortem.ts';
import type { Templates } from '../runbooks/templates.ts';
import type { EventLog } from '../storage/storage.ts';

export interface IncidentRoutesOptions {
  readonly incidents: Pick<Incidents, 'all' | 'get'>;
  readonly log: Pick<EventLog, 'pods' | 'lives' | 'events'>;
  readonly templates: Templates;
  readonly clock: Clock;
}

const name = z.string().min(1).max(253).optional();
const query = z.object({
  state: z.enum(['open', 'closed', 'all']).default('all'),
  namespace: name,
  workload: name,
  cause: name,
  /** Only those that were open at or after this time. */
  since: z.iso.datetime({ offset: true }).optional(),
  limit: z.coerce.number().int().min(1).max(10_000).default(500),
});

/**
 * `GET /api/incidents`: newest first; `/api/incidents/<id>`: one, with those it belongs with; `/api/incidents/<id>/postmortem`: its draft as Markdown.
 * Times are RFC 3339, UTC; `to` is null while it is open.
 */
export function incidentRoutes({
  incidents,
  log,
  templates,
  clock,
}: IncidentRoutesOptions): FastifyPluginAsync {
  return async (app) => {
    app.get('/api/incidents', async (request) => {
      const { state, namespace, workload, cause, since, limit } = parseRequest(query, request.query, 'query');
      const sinceMs = since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(since);
      const wanted = incidents
        .all()
        .filter(({ to }) => state === 'all' || (to === undefined) === (state === 'open'))
        .filter(({ to }) => (to ?? Number.POSITIVE_INFINITY) >= sinceMs)
        .filter(({ subject }) => namespace === undefined || subject.namespace === namespace)
        .filter(({ subject }) => workload === undefined || subject.workload === workload)
        .filter((one) => cause === undefined || one.cause === cause);
      return { kind: 'IncidentList', items: wanted.slice(0, limit).map(incidentJson) };
    });
    app.get<{ Params: { id: string } }>('/api/incidents/:id', async (request) => {
      const incident = findIncident(incidents, request.params.id);
      return { ...incidentJson(incident), related: relatedTo(incident, incidents.all()) };
    });
    app.get<{ Params: { id: string } }>('/api/incidents/:id/postmortem', async (request, reply) => {
      const incident = findIncident(incidents, request.params.id);
      const draft = draftPostmortem(
        {
          ...recordedOf(incident, log),
          incident,
          nowMs: clock.now(),
          related: relatedTo(incident, incidents.all()),
        },
        templates,
      );
      return reply.type('text/markdown; charset=utf-8').header('cache-control', 'no-store').send(draft);
    });
  };
}

/** @throws INCIDENT_NOT_FOUND (404), naming the newest */
export function findIncident(incidents: Pick<Incidents, 'all' | 'get'>, id: string): Incident {
  const found = incidents.get(id);
  if (found !== undefined) return found;
  const near = incidents
    .all()
    .slice(0, 3)
    .map((one) => `${one.id} (${one.cause})`);
  const hint = near.length === 0 ? 'there has been none yet' : `the newest are ${near.join(', ')}`;
  throw new CodedError(
    'INCIDENT_NOT_FOUND',
    `there is no incident ${JSON.stringify(id.slice(0, 40))}; ${hint}`,
    {
      status: 404,
    },
  );
}

const MOST_RECORDS = 2000;
const BEFORE_MS = 3_600_000;

function recordedOf(
  { subject: { namespace, workload }, from, to }: Incident,
  log: IncidentRoutesOptions['log'],
) {
  if (namespace === undefined || workload === undefined) return { lives: [], events: [], next: [] };
  const wanted = {
    namespace,
    workload,
    sinceMs: from - BEFORE_MS,
    ...(to === undefined ? {} : { untilMs: to }),
    limit: MOST_RECORDS,
  };
  const worst = log
    .pods({ namespace, workload, deleted: true, limit: 20 })
    .find(({ verdict }) => verdict.next.length > 0);
  return { lives: log.lives(wanted), events: log.events(wanted), next: worst?.verdict.next ?? [] };
}

const time = (at: number) => new Date(at).toISOString();

export function incidentJson(incident: Incident) {
  const { quietSince, alerts, ...rest } = incident;
  return {
    ...rest,
    state: incident.to !== undefined ? 'closed' : quietSince !== undefined ? 'quiet' : 'open',
    from: time(incident.from),
    detectedAt: time(incident.detectedAt),
    to: incident.to === undefined ? null : time(incident.to),
    alerts: alerts.map(({ firedAt, resolvedAt, ...alert }) => ({
      ...alert,
      firedAt: time(firedAt),
      resolvedAt: resolvedAt === undefined ? null : time(resolvedAt),
    })),
  };
}
