import { EngineError } from '../base/errors.ts';
import { isReady } from '../health.ts';
import { PlainAnswer, plainText, type Route } from './router.ts';

const TITLE = 'qdrant - vector search engine';

/** Version and health: open to everybody. */
export const serviceRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/',
    right: 'open',
    handle: ({ engine }) =>
      new PlainAnswer({
        kind: 'json',
        value: { title: TITLE, version: engine.settings.version, commit: engine.settings.commit },
      }),
  },
  { method: 'GET', path: '/healthz', right: 'open', handle: () => plainText(200, 'healthz check passed') },
  { method: 'GET', path: '/livez', right: 'open', handle: () => plainText(200, 'healthz check passed') },
  {
    method: 'GET',
    path: '/readyz',
    right: 'open',
    handle: async ({ engine }) =>
      (await isReady(engine)) ? plainText(200, 'all shards are ready') : plainText(503, 'some shards are not ready'),
  },
];

/** Routes that the server has and the engine doesn't. */
export const absentRoutes: readonly Route[] = [
  ['GET', '/quotas'],
  ['PUT', '/quotas'],
  ['GET', '/logger'],
  ['POST', '/logger'],
  ['POST', '/audit/logs'],
  ['GET', '/profiler/slow_requests'],
  ['GET', '/issues'],
  ['POST', '/collections/{collection_name}/truncate_unapplied_wal'],
  ['GET', '/collections/{collection_name}/memory'],
].map(([method = '', path = '']) => ({
  method,
  path,
  right: 'write' as const,
  handle: (): never => {
    throw new EngineError('NotBuilt', `${method} ${path}`);
  },
}));
