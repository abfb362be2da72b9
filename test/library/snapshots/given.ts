import type { Manifest } from '../../../src/library/snapshots/manifest.ts';

export const NOW = Date.parse('2026-02-01T00:00:00Z');

export const manifest = (change: Partial<Manifest> = {}): Manifest => ({
  version: 1,
  name: 'docs-20260131t000000z',
  library: { namespace: 'team', name: 'docs', uid: 'library-uid' },
  cluster: 'main',
  alias: 'docs',
  collection: 'docs--g1',
  generation: 1,
  destination: 'local',
  startedAt: '2026-01-31T00:00:00.000Z',
  createdAt: '2026-01-31T00:00:01.000Z',
  qdrantVersion: '1.18.3',
  points: 10,
  parts: [{ shard: 0, peer: 'main-0', file: 'docs--g1-shard-0.snapshot', bytes: 100, sha256: 'a'.repeat(64) }],
  layout: [{ shard: 0, replicas: [1] }],
  aliases: ['docs'],
  config: {},
  payloadSchema: {},
  ...change,
});
