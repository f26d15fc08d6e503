import { existsSync } from 'node:fs';
import { join } from 'node:path';
import staticFiles, { type FastifyStaticOptions } from '@fastify/static';
import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import { z } from 'zod';
import { openEventStream } from '../../http/event-stream.ts';
import { parseRequest } from '../../http/parse-request.ts';
import { compareTrouble, summarizePod } from '../../model/pod-summary.ts';
import type { AgentRecord } from '../../model/record.ts';
import { forSource } from '../../model/source-command.ts';
import { type Clock, systemClock } from '../../util/clock.ts';
import type { EventLog } from '../storage/storage.ts';
import { MOST_PODS, newestPod, podNotFound } from './pods-lookup.ts';

export interface ConsoleRoutesOptions {
  readonly log: EventLog;
  /** Where the built console lies. */
  readonly folder: string;
  readonly version: string;
  readonly clock?: Clock | undefined;
}

/** Addresses that the console draws itself; all are answered with its one page. */
const PAGES = [
  '/',
  '/pods',
  '/pods/:namespace/:pod',
  '/alerts',
  '/incidents',
  '/dashboards',
  '/dashboards/:uid',
  '/explore',
];

const name = z.string().min(1).max(253);
const podPath = z.object({ namespace: name, pod: name });

/** The console's files, and what it needs beyond the other routes: pods in one line each, and what changes. */
export function consoleRoutes(options: ConsoleRoutesOptions): FastifyPluginAsync {
  const { log, folder, version, clock = systemClock } = options;
  return async (app) => {
    app.get('/api/console/pods', async () => ({
      version,
      now: clock.now(),
      nodes: log.nodes(),
      pods: log
        .pods({ limit: MOST_PODS })
        .filter(({ deleted }) => !deleted)
        .map(summarizePod)
        .sort(compareTrouble),
    }));

    app.get('/api/console/pods/:namespace/:pod', async (request) => {
      const { namespace, pod } = parseRequest(podPath, request.params, 'path');
      const state = newestPod(log, namespace, pod);
      if (state === undefined) throw podNotFound(log, namespace, pod);
      const { object } = state;
      return {
        now: clock.now(),
        summary: summarizePod(state),
        object,
        verdict: forSource(state.verdict, object),
      };
    });

    app.get('/api/console/watch', async (_request, reply) => {
      const stream = openEventStream(reply, { clock });
      stream.onEnd(
        log.subscribe((records) => {
          for (const record of records) stream.send({ event: record.kind, data: toNews(record) });
        }),
      );
      return reply;
    });

    await app.register(staticFiles, {
      root: folder,
      wildcard: false,
      index: false,
      cacheControl: false,
      setHeaders,
    });
    const sendPage = async (_request: unknown, reply: FastifyReply) => {
      if (existsSync(join(folder, 'index.html'))) return reply.sendFile('index.html');
      return reply
        .code(503)
        .type('text/plain; charset=utf-8')
        .send(
          `The console is not built. From a clone: node scripts/setup.mjs (it is expected in ${folder}).\n`,
        );
    };
    for (const page of PAGES) app.get(page, sendPage);
  };
}

/** What a record changes on the page; the page asks for the rest when it shows it. */
function toNews(record: AgentRecord): unknown {
  switch (record.kind) {
    case 'event':
      return record.event;
    case 'pod':
      return summarizePod(record.state);
    case 'life':
      return { pod: record.life.pod, container: record.life.container, attempt: record.life.attempt };
    case 'workload':
      return { namespace: record.state.object.metadata.namespace, name: record.state.object.metadata.name };
    case 'node':
      return record.state;
  }
}

// Files whose name carries a hash of their content never change; the others are asked for each time.
const setHeaders: NonNullable<FastifyStaticOptions['setHeaders']> = (reply, path) => {
  const hashed = /[/\\]assets[/\\]/.test(path);
  reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
};
