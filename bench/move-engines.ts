import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterClient, type Point } from '../src/qdrant/index.ts';
import { type Peer, Peers, REAL_BINARY } from '../test/sandbox/qdrant/peers.ts';
import type { Benchmark } from './benchmark.ts';
import { type End, measure, type Taken, type Way } from './move-engines/measure.ts';
import { figure, table } from './table.ts';

const COLUMNS = 384;
const POINTS = { embedded: { short: 2000, full: 10_000 }, real: { short: 20_000, full: 100_000 } };
const SHAPE = {
  vectors: { size: COLUMNS, distance: 'Cosine' },
  shard_number: 2,
  replication_factor: 1,
  // Building an index takes both cores for minutes and says nothing about a move.
  optimizers_config: { indexing_threshold: 10_000_000 },
};
const BATCH = 500;
const WAYS: readonly Way[] = ['plain loop', 'Scroll', 'ShardSnapshot'];

const pointsFrom = (first: number, count: number): Point[] =>
  Array.from({ length: count }, (_, at) => ({
    id: first + at,
    vector: Array.from({ length: COLUMNS }, (_unused, column) => Math.sin((first + at) * 12.9898 + column * 78.233)),
    payload: { path: `docs/guide-${first + at}.md`, chunk: at, text: 'a passage of some length '.repeat(8) },
  }));

export const moveEngines: Benchmark = {
  name: 'move-engines',
  measures:
    'moving a collection between two Qdrants of one peer each, by engine, beside a plain scroll-and-upsert loop',
  embedded: REAL_BINARY ? 'nothing: QDRANT_BIN is set' : 'both Qdrants (QDRANT_BIN puts real ones in their place)',
  run: async ({ short, signal, progress }) => {
    const directory = mkdtempSync(join(tmpdir(), 'bench-move-'));
    const env = { QDRANT__SERVICE__GRPC_PORT: '6334' };
    const [source, target] = [new Peers(env), new Peers(env)];
    const clients: ClusterClient[] = [];
    try {
      const end = ([peer]: readonly Peer[], name: string): End => {
        const peers = [{ name, rest: peer?.url ?? '', grpc: `http://${peer?.host}:6334` }];
        const client = new ClusterClient({ peers });
        clients.push(client);
        return { client, peers };
      };
      const from = end(await source.cluster(1), 'from');
      const to = end(await target.cluster(1), 'to');
      const points = POINTS[REAL_BINARY ? 'real' : 'embedded'][short ? 'short' : 'full'];
      progress(`fills ${points} points of ${COLUMNS} dimensions`);
      await from.client.createCollection('docs--g1', SHAPE as never);
      for (let first = 0; first < points; first += BATCH) {
        signal.throwIfAborted();
        await from.client.upsert('docs--g1', pointsFrom(first, Math.min(BATCH, points - first)));
      }
      await sleep(1000);
      const taken: Taken[] = [];
      for (const way of WAYS) {
        progress(way);
        taken.push(await measure({ from, to, directory, points, shape: SHAPE, signal }, way));
      }
      return report(points, taken);
    } finally {
      await Promise.all(clients.map((client) => client.close()));
      await Promise.all([source.close(), target.close()]);
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

function report(points: number, taken: readonly Taken[]) {
  const rate = (seconds: number | undefined): string => (seconds === undefined ? '-' : figure(points / seconds));
  const loop = taken.find(({ way }) => way === 'plain loop');
  const times = (seconds: number | undefined): string =>
    seconds === undefined || loop === undefined ? '-' : `${figure(loop.copied / seconds)}x`;
  const rows = taken.map(({ way, copied, ready, verified, freeze, memory }) => [
    way,
    rate(copied),
    times(copied),
    rate(ready),
    rate(verified),
    times(verified),
    freeze === undefined ? '-' : `${figure(freeze)} s`,
    `${figure(memory)} MiB`,
  ]);
  const head = ['points/s', 'all there', 'to the loop', 'compared', 'verified', 'to the loop', 'freeze', 'peak memory'];
  const text = `${points.toLocaleString('en')} points of ${COLUMNS} dimensions, two shards\n\n${table([head, ...rows])}`;
  return { text, broken: taken.filter((one) => one.points !== points).map(({ way }) => `${way} lost points`) };
}
