import { KEY } from '../test/gateway/world.ts';
import { type Peer, Peers } from '../test/sandbox/qdrant/peers.ts';
import type { Benchmark } from './benchmark.ts';
import { corpus, type Data, synthetic } from './gateway/data.ts';
import { GatewayProcess, send, speedOf } from './gateway/measure.ts';
import { HEAD, type Row, routing } from './gateway/routing.ts';
import { figure, table } from './table.ts';

/** Names the folder of a corpus. */
const CORPUS = process.env['BENCH_CORPUS'] ?? '';
const CLUSTERS = 4;
const DIMENSIONS = 384;

export const gateway: Benchmark = {
  name: 'gateway',
  measures: 'a request through the gateway beside the same one sent directly; routed search beside asking all',
  embedded: `Qdrant: ${process.env['QDRANT_BIN'] === undefined ? 'the engine of the sandbox, which searches exactly' : 'REAL'}; Kubernetes: a table`,
  run: async ({ short, signal, progress }) => {
    const peers = new Peers({ QDRANT__SERVICE__API_KEY: KEY });
    try {
      const started = Array.from({ length: CLUSTERS }, () => peers.add());
      for (const peer of started) await peer.start();
      progress('overhead');
      const overhead = await overheadOf(started, short ? 200 : 1000);
      const rows: Row[] = [HEAD];
      for (const data of dataSets(short)) {
        progress(data.name);
        rows.push(...(await routing(data, started, signal)));
      }
      const left = CORPUS === '' ? 'corpus: left out, BENCH_CORPUS names no folder\n' : '';
      return { text: `${table(overhead)}\n${table(rows)}${left}`, broken: [] };
    } finally {
      await peers.close();
    }
  },
};

function* dataSets(short: boolean): Generator<Data> {
  const [points, questions] = short ? [400, 40] : [2000, 200];
  for (const kind of ['clear', 'overlapping', 'none'] as const) yield synthetic(kind, points, questions);
  if (CORPUS !== '') yield corpus(CORPUS, questions);
}

async function overheadOf([peer]: readonly Peer[], rounds: number): Promise<Row[]> {
  const url = peer?.url ?? '';
  await send(`${url}/collections/plain--g1`, 'PUT', { vectors: { size: DIMENSIONS, distance: 'Cosine' } });
  const actions = [{ create_alias: { alias_name: 'plain', collection_name: 'plain--g1' } }];
  await send(`${url}/collections/aliases`, 'POST', { actions });
  const vector = (seed: number): number[] =>
    Array.from({ length: DIMENSIONS }, (_, at) => Math.fround(Math.sin(seed * 97 + at)));
  const batch = (turn: number) => ({
    points: Array.from({ length: 32 }, (_, at) => ({
      id: ((turn * 32 + at) % 640) + 1,
      vector: vector(at),
      payload: { turn, at },
    })),
  });
  const through = await GatewayProcess.start([{ name: 'plain', cluster: 'c0', url }]);
  try {
    const question = { query: vector(1), limit: 10 };
    const kinds = [
      ['retrieve one point', 1, (base: string) => () => send(`${base}/collections/plain/points`, 'POST', { ids: [7] })],
      [
        'query, 384 dimensions',
        1,
        (base: string) => () => send(`${base}/collections/plain/points/query`, 'POST', question),
      ],
      [
        'upsert of 32 points',
        4,
        (base: string) => (turn: number) => send(`${base}/collections/plain/points?wait=true`, 'PUT', batch(turn)),
      ],
    ] as const;
    await send(`${url}/collections/plain/points?wait=true`, 'PUT', batch(0));
    const rows: Row[] = [['', 'direct p50 ms', 'through', 'added ms', 'ratio p50', 'ratio of requests/s, 8 clients']];
    for (const [name, less, work] of kinds) {
      const direct = await speedOf(work(url), rounds / less);
      const passed = await speedOf(work(through.url), rounds / less);
      rows.push([
        name,
        figure(direct.p50),
        figure(passed.p50),
        figure(passed.p50 - direct.p50),
        figure(passed.p50 / direct.p50),
        figure(passed.perSecond / direct.perSecond),
      ]);
    }
    return rows;
  } finally {
    await through.stop();
  }
}
