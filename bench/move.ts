import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startExternalQdrant } from '../sandbox/external-qdrant.ts';
import { systemClock } from '../src/kube/index.ts';
import { SCROLL_ENGINE } from '../src/migration/copy.ts';
import { fencePatch, IDENTITY, MARK_KEY, qdrantSide } from '../src/migration/index.ts';
import type { ProgressStore } from '../src/migration/keeper.ts';
import type { Progress } from '../src/migration/progress.ts';
import { type CopySettings, runCopy } from '../src/migration/task.ts';
import { ClusterClient, type Point } from '../src/qdrant/index.ts';
import { silentLogger } from '../src/telemetry/index.ts';
import type { Benchmark } from './benchmark.ts';
import { figure, table } from './table.ts';

const DIMENSIONS = 256;
const POINTS = { short: 5000, full: 50_000 };
const PAGE = 512;
const KEY = 'key-of-the-bench';
const ALIAS = 'docs';
const MARK = { uid: 'bench', namespace: 'bench', name: ALIAS, generation: 1 };
const ADDRESSES = ['127.0.91.1', '127.0.91.2'] as const;

/** Those of a worker. */
const SETTINGS: CopySettings = {
  lanes: 4,
  pageSize: PAGE,
  projection: IDENTITY,
  alias: ALIAS,
  settleMilliseconds: 1000,
  blindSettleMilliseconds: 2000,
  pollMilliseconds: 200,
  drainMilliseconds: 8000,
  minPauseMilliseconds: 500,
  maxPauseMilliseconds: 30_000,
  maxFreezeMilliseconds: 120_000,
  leaseMilliseconds: 20_000,
  rememberPoints: 2_000_000,
};

type Both = { readonly source: ClusterClient; readonly target: ClusterClient };
type Measured = { readonly base: number; readonly toSwitch: number; readonly toEnd: number; readonly freeze: number };

export const move: Benchmark = {
  name: 'move',
  measures:
    'points a second of a move between two clusters, to the switch and to its end, beside a plain scroll/upsert loop',
  embedded: `Qdrant: ${process.env['QDRANT_BIN'] === undefined ? 'the engine in TypeScript, twice' : 'real, twice'}; no load meanwhile`,
  run: async ({ short, signal, progress }) => {
    const count = short ? POINTS.short : POINTS.full;
    const directory = await mkdtemp(join(tmpdir(), 'bench-move-'));
    const servers = await Promise.all(
      ADDRESSES.map((address) =>
        startExternalQdrant({ directory: join(directory, address), address, apiKey: KEY, signal }),
      ),
    );
    const [source, target] = ADDRESSES.map(
      (address) =>
        new ClusterClient({
          peers: [{ name: address, rest: `http://${address}:6333`, grpc: `http://${address}:6334` }],
          apiKey: KEY,
        }),
    ) as [ClusterClient, ClusterClient];
    try {
      progress(`${count} points of ${DIMENSIONS} dimensions`);
      await fill(source, count);
      const plain = await plainLoop({ source, target });
      const moved = await measure({ source, target }, signal);
      const broken = (await target.count(ALIAS)) === count ? [] : ['the target has another number of points'];
      return { text: textOf(count, plain, moved), broken };
    } finally {
      await Promise.all([source.close(), target.close()]);
      await Promise.all(servers.map((server) => server.stop()));
      await rm(directory, { recursive: true, force: true });
    }
  },
};

const shape = { vectors: { size: DIMENSIONS, distance: 'Cosine' }, shard_number: 2 } as const;

async function fill(source: ClusterClient, count: number): Promise<void> {
  await source.createCollection('docs--g1', { ...shape, metadata: { [MARK_KEY]: MARK } });
  await source.updateAliases([{ create_alias: { alias_name: ALIAS, collection_name: 'docs--g1' } }]);
  for (let first = 0; first < count; first += 1000) {
    const points = Array.from({ length: Math.min(1000, count - first) }, (_, at): Point => {
      const id = first + at;
      const vector = Array.from({ length: DIMENSIONS }, (_unused, column) => Math.sin(id * DIMENSIONS + column));
      return { id, vector, payload: { path: `docs/${id}.md`, chunk: id, text: 'x'.repeat(200) } };
    });
    await source.upsert(ALIAS, points);
  }
}

/** What anybody writes first: a page, then the same page, one after the other; nothing is compared. */
async function plainLoop({ source, target }: Both): Promise<number> {
  await target.createCollection('plain', shape);
  const began = performance.now();
  let offset: Point['id'] | undefined;
  do {
    const page = await source.scroll(ALIAS, {
      limit: PAGE,
      withVectors: true,
      ...(offset === undefined ? {} : { offset }),
    });
    await target.upsert('plain', page.points);
    offset = page.nextOffset;
  } while (offset !== undefined);
  return performance.now() - began;
}

/** One worker, and of the operator what lets it go on. */
async function measure({ source, target }: Both, signal: AbortSignal): Promise<Measured> {
  await target.createCollection('docs--g2', { ...shape, metadata: { [MARK_KEY]: { ...MARK, generation: 2 } } });
  let now: Progress | undefined;
  const store: ProgressStore<Progress> = {
    read: async () => ({ progress: now, version: String(now?.holder.beat ?? 0) }),
    write: async (next) => {
      now = next;
      return String(next.holder.beat);
    },
  };
  const began = performance.now();
  const side = (client: ClusterClient, collection: string) =>
    qdrantSide({ client, collection, writeMilliseconds: SETTINGS.leaseMilliseconds / 2 });
  const running = runCopy({
    change: 'bench/2',
    source: side(source, 'docs--g1'),
    target: side(target, 'docs--g2'),
    engine: SCROLL_ENGINE,
    store,
    identity: { id: randomUUID(), pod: 'bench' },
    settings: SETTINGS,
    timing: systemClock,
    log: silentLogger,
    signal,
    isTransient: () => false,
  });
  const until = (holds: () => boolean) => Promise.race([running, wait(holds, signal)]);
  await until(() => now?.phase === 'Converging');
  const base = performance.now() - began;
  await until(() => (now?.passes ?? 0) > 0);
  const fence = { nonce: 'bench', at: Date.now(), before: { enabled: false, writeConsistencyFactor: 1 } };
  await source.updateCollection('docs--g1', fencePatch(MARK, fence));
  await until(() => now?.verified !== undefined);
  await target.updateAliases([{ create_alias: { alias_name: ALIAS, collection_name: 'docs--g2' } }]);
  await source.updateAliases([{ delete_alias: { alias_name: ALIAS } }]);
  const toSwitch = performance.now() - began;
  await running;
  return { base, toSwitch, toEnd: performance.now() - began, freeze: now?.verified?.freezeMilliseconds ?? 0 };
}

async function wait(holds: () => boolean, signal: AbortSignal): Promise<void> {
  while (!holds()) await sleep(5, undefined, { signal });
}

function textOf(count: number, plain: number, { base, toSwitch, toEnd, freeze }: Measured): string {
  const row = (what: string, milliseconds: number): string[] => [
    what,
    figure((count * 1000) / milliseconds),
    `${(milliseconds / 1000).toFixed(1)} s`,
    `${(plain / milliseconds).toFixed(2)} x`,
  ];
  return table([
    [`${count} points`, 'points/s', 'time', 'of the plain loop'],
    row('plain loop: scroll, upsert, nothing proved', plain),
    row('move: the bulk', base),
    row('move: to the switch, compared twice and proved', toSwitch),
    row('move: to the end, late writes looked for', toEnd),
    ['writes held back', '', `${(freeze / 1000).toFixed(1)} s`, ''],
  ]);
}
