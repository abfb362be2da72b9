import { matrixOf, neighbours } from '../../src/vectors/index.ts';
import type { Peer } from '../../test/sandbox/qdrant/peers.ts';
import { figure } from '../table.ts';
import type { Data } from './data.ts';
import { GatewayProcess, send } from './measure.ts';

const NEAREST = 10;
const BATCH = 200;
const WARM_UP = 30;

type Found = { readonly library: string; readonly id: number };
type Answer = {
  readonly hits: readonly Found[];
  readonly coverage: {
    readonly libraries: { readonly asked: readonly string[] };
    readonly clusters: { readonly asked: number; readonly known: number };
    readonly missed: { readonly proved: boolean };
  };
};

export type Row = readonly string[];
export const HEAD: Row = ['', 'recall@10', 'libraries asked', 'clusters asked', 'proved', 'p50 ms', 'of ask-all'];

/** Fills libraries and one big collection, asks all questions in each way, and compares with the exact answer. */
export async function routing(data: Data, peers: readonly Peer[], signal: AbortSignal): Promise<Row[]> {
  const names = data.libraries.map((_, at) => `${data.name.replaceAll(/[^a-z]+/g, '-')}-${at}`);
  const homes = names.map((_, at) => peers[at % peers.length]?.url ?? '');
  const big = `${names[0]}-big`;
  await fill(homes[0] ?? '', big, data.size, data.libraries.flat());
  for (const [at, name] of names.entries()) {
    signal.throwIfAborted();
    await fill(homes[at] ?? '', `${name}--g1`, data.size, data.libraries[at] ?? []);
    const actions = [{ create_alias: { alias_name: name, collection_name: `${name}--g1` } }];
    await send(`${homes[at]}/collections/aliases`, 'POST', { actions });
  }
  const libraries = names.map((name, at) => ({ name, cluster: `c${at % peers.length}`, url: homes[at] ?? '' }));
  const gateway = await GatewayProcess.start(libraries);
  try {
    await gateway.sketch();
    const truth = await exact(data);
    const rows: Row[] = [];
    // Whoever is measured first would pay for connections and compilation.
    await ask(gateway.url, { ...data, questions: data.questions.slice(0, WARM_UP) }, 'all');
    const all = await ask(gateway.url, data, 'all');
    const base = median(all.times);
    for (const way of ['routed', 'proved', 'all'] as const) {
      const asked = way === 'all' ? all : await ask(gateway.url, data, way);
      const found = asked.answers.map(({ hits }) => hits.map(({ library, id }) => `${names.indexOf(library)} ${id}`));
      const mean = (of: (answer: Answer) => number): number =>
        asked.answers.reduce((sum, one) => sum + of(one), 0) / asked.answers.length;
      rows.push([
        `${data.name}: ${way}`,
        recall(found, truth),
        figure(mean(({ coverage }) => coverage.libraries.asked.length)),
        `${figure(100 * mean(({ coverage: { clusters } }) => clusters.asked / clusters.known))} %`,
        `${figure(100 * mean(({ coverage }) => (coverage.missed.proved ? 1 : 0)))} %`,
        figure(median(asked.times)),
        figure(median(asked.times) / base),
      ]);
    }
    rows.push(await oneBig(data, { url: homes[0] ?? '', name: big }, { truth, base }));
    return rows;
  } finally {
    await gateway.stop();
  }
}

async function fill(url: string, name: string, size: number, vectors: readonly Float32Array[]): Promise<void> {
  await send(`${url}/collections/${name}`, 'PUT', { vectors: { size, distance: 'Cosine' } });
  for (let from = 0; from < vectors.length; from += BATCH) {
    const points = vectors
      .slice(from, from + BATCH)
      .map((vector, at) => ({ id: from + at, vector: Array.from(vector) }));
    await send(`${url}/collections/${name}/points?wait=true`, 'PUT', { points });
  }
}

/** The nearest points of each question, as `library id`. */
async function exact({ libraries, questions }: Data): Promise<string[][]> {
  const owners = libraries.flatMap((points, library) => points.map((_, id) => `${library} ${id}`));
  const near = await neighbours(matrixOf(libraries.flat()), matrixOf(questions), { k: NEAREST, distance: 'Cosine' });
  return near.map((rows) => rows.map((row) => owners[row] ?? ''));
}

async function ask(url: string, { questions }: Data, way: string): Promise<{ answers: Answer[]; times: number[] }> {
  const answers: Answer[] = [];
  const times: number[] = [];
  for (const question of questions) {
    const began = performance.now();
    const { body } = await send(`${url}/search`, 'POST', { vector: Array.from(question), limit: NEAREST, ask: way });
    times.push(performance.now() - began);
    answers.push((body as { result: Answer }).result);
  }
  return { answers, times };
}

type Measured = { readonly truth: readonly (readonly string[])[]; readonly base: number };

/** The honest other way: everything in one collection, asked directly. */
async function oneBig(
  data: Data,
  { url, name }: { url: string; name: string },
  { truth, base }: Measured,
): Promise<Row> {
  const owners = data.libraries.flatMap((points, library) => points.map((_, id) => `${library} ${id}`));
  const times: number[] = [];
  const found: string[][] = [];
  for (const question of data.questions) {
    const began = performance.now();
    const { body } = await send(`${url}/collections/${name}/points/query`, 'POST', {
      query: Array.from(question),
      limit: NEAREST,
    });
    times.push(performance.now() - began);
    found.push((body as { result: { points: { id: number }[] } }).result.points.map(({ id }) => owners[id] ?? ''));
  }
  return [
    `${data.name}: one big collection`,
    recall(found, truth),
    '-',
    '-',
    '-',
    figure(median(times)),
    figure(median(times) / base),
  ];
}

function recall(found: readonly (readonly string[])[], truth: readonly (readonly string[])[]): string {
  const hits = truth.map((wanted, at) => wanted.filter((key) => found[at]?.includes(key)).length);
  return (hits.reduce((a, b) => a + b, 0) / (truth.length * NEAREST)).toFixed(3);
}

const median = (times: readonly number[]): number =>
  times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
