import type { Incident, RelatedIncident } from '../../model/incident.ts';

const MOST_RELATED = 10;
/** What ended so long before cannot be why. */
const LAG_MS = 10 * 60_000;

/**
 * Incidents of other subjects at the same time that share one thing with this: they name the same dependency, one names
 * the other's workload as its dependency, or it is the node that both were evicted from. Nothing is concluded from time
 * alone. Those that began first come first; at most ten. Pure.
 */
export function relatedTo(incident: Incident, all: readonly Incident[]): readonly RelatedIncident[] {
  return all
    .filter((other) => other.id !== incident.id && overlap(incident, other))
    .flatMap((other) => {
      const why = whyOf(incident, other);
      return why === undefined ? [] : [{ other, why }];
    })
    .sort((a, b) => a.other.from - b.other.from || (a.other.id < b.other.id ? -1 : 1))
    .slice(0, MOST_RELATED)
    .map(({ other: { id, cause, subject }, why }) => ({ id, cause, subject, why }));
}

function overlap(a: Incident, b: Incident): boolean {
  const end = ({ to, quietSince }: Incident) => (to ?? quietSince ?? Number.POSITIVE_INFINITY) + LAG_MS;
  return a.from <= end(b) && b.from <= end(a);
}

function whyOf(incident: Incident, other: Incident): string | undefined {
  const [needs, otherNeeds] = [dependencyOf(incident), dependencyOf(other)];
  if (needs !== undefined && needs === otherNeeds) return `both depend on ${needs}`;
  if (needs !== undefined && leadsTo(needs, incident, other)) return `this depends on it, as ${needs}`;
  if (otherNeeds !== undefined && leadsTo(otherNeeds, other, incident))
    return `it depends on this, as ${otherNeeds}`;
  const [node, evicted] = incident.subject.node === undefined ? [other, incident] : [incident, other];
  if (
    node.subject.node !== undefined &&
    evicted.failureMode === 'F5' &&
    evicted.summary.includes(`node ${node.subject.node} `)
  )
    return `pods were evicted from node ${node.subject.node}`;
  return undefined;
}

/** Whom it could not reach, in the words of its verdict. */
const dependencyOf = ({ summary }: Incident): string | undefined =>
  /cannot reach ([\w.-]{1,253}:\d{1,5}|[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}): |die together whenever ([\w.-]{1,253}:\d{1,5}) goes away/
    .exec(summary)
    ?.slice(1)
    .find((address) => address !== undefined);

/** `db`, `db.shop`, `db.shop.svc`: a Service's name, and by custom its workload's. Addresses lead nowhere. */
function leadsTo(address: string, { subject: from }: Incident, { subject: to }: Incident): boolean {
  const host = address.replace(/:\d{1,5}$/, '');
  if (/^[\d.]+$/.test(host) || to.workload === undefined) return false;
  const [name, namespace = from.namespace] = host.split('.');
  return name === to.workload && namespace === to.namespace;
}
