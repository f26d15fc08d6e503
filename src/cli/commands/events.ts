import { Command, InvalidArgumentError, Option } from 'commander';
import type { PodEvent } from '../../model/event.ts';
import { CodedError } from '../../util/coded-error.ts';
import { durationMs } from '../../util/duration.ts';
import { humanDuration } from '../age.ts';
import { askServer, openServer } from '../client.ts';
import { type CommonFlags, connectionOf, type Terminal, withConnection, withNamespace } from '../program.ts';
import { findResourceKind } from '../resource-kind.ts';
import { table } from '../table.ts';
import { printable, printableJson } from '../terminal.ts';

/** `events`: what happened to pods, oldest first, and with -w what happens. */
export function eventsCommand(terminal: Terminal): Command {
  return withNamespace(withConnection(new Command('events')))
    .description('print what happened to pods')
    .option('--for <pod>', 'only of this pod or workload')
    .option('--since <time>', 'only of the last so long: 30m, 2h, 1d', ageOf)
    .option('--until <time>', 'only until so long ago', ageOf)
    .option('-w, --watch', 'go on as events come')
    .addOption(new Option('-o, --output <format>', 'how to print them').choices(['json']))
    .action(async (flags: CommonFlags & EventFlags) => {
      const connection = connectionOf(flags, terminal);
      const { items } = await askServer<{ items: readonly PodEvent[] }>(
        connection,
        pathOf(flags, Date.now()),
      );
      const wanted = (event: PodEvent) => isWanted(event, flags);
      const events = [...items].filter(wanted).reverse();
      if (flags.output === 'json') terminal.out(`${printableJson({ items: events }, 2)}\n`);
      else if (events.length === 0) terminal.out('No events found.\n');
      else terminal.out(table(HEADS, events.map(row)));
      if (!flags.watch) return;
      const response = await openServer(connection, '/api/events?watch=1');
      let rest = '';
      try {
        for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
          rest += piece;
          for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
            const event = eventOf(rest.slice(0, end));
            rest = rest.slice(end + 2);
            if (event && wanted(event)) terminal.out(`${row(event).map(printable).join('   ')}\n`);
          }
        }
      } catch (error) {
        throw new CodedError('SERVER_LEFT', `the collector at ${connection.server} ended the connection`, {
          cause: error,
        });
      }
    });
}

interface EventFlags {
  readonly for?: string;
  /** Milliseconds. */
  readonly since?: number;
  readonly until?: number;
  readonly watch?: boolean;
}

const MOST_EVENTS = 10_000;

function pathOf({ namespace, since, until }: CommonFlags & EventFlags, nowMs: number): string {
  const query = new URLSearchParams();
  if (namespace !== undefined) query.set('namespace', namespace);
  if (since !== undefined) query.set('from', String((nowMs - since) / 1000));
  if (until !== undefined) query.set('to', String((nowMs - until) / 1000));
  if (since !== undefined || until !== undefined) query.set('limit', String(MOST_EVENTS));
  return query.size === 0 ? '/api/events' : `/api/events?${query}`;
}

function ageOf(text: string): number {
  const ms = durationMs(text);
  if (ms === undefined || ms <= 0) throw new InvalidArgumentError('It is written like 30m, 2h or 1d.');
  return ms;
}

const HEADS = ['LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE'];

function row(event: PodEvent): string[] {
  const container = event.container === undefined ? '' : ` [${event.container}]`;
  return [
    humanDuration(Date.now() - event.at),
    event.type,
    event.reason,
    event.object
      ? `${event.object.kind.toLowerCase()}/${event.pod.namespace}/${event.object.name}`
      : `pod/${event.pod.namespace}/${event.pod.name}${container}`,
    event.message,
  ];
}

function isWanted(event: PodEvent, flags: CommonFlags & EventFlags): boolean {
  if (flags.namespace !== undefined && event.pod.namespace !== flags.namespace) return false;
  if (flags.for === undefined) return true;
  const [word = '', ...rest] = flags.for.split('/');
  const name = rest.length > 0 && findResourceKind(word) ? rest.join('/') : flags.for;
  return [
    event.object?.name ?? event.pod.name,
    event.pod.workload,
    `${event.pod.namespace}/${event.object?.name ?? event.pod.name}`,
    `${event.pod.namespace}/${event.pod.workload}`,
  ].includes(name);
}

function eventOf(block: string): PodEvent | undefined {
  const fields = block.split('\n');
  const data = fields
    .filter((field) => field.startsWith('data:'))
    .map((field) => field.slice(5).trim())
    .join('\n');
  if (data === '') return undefined;
  const value = JSON.parse(data) as PodEvent | { readonly kind: string; readonly event?: PodEvent };
  return 'reason' in value ? value : value.event;
}
