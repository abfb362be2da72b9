import type { ClusterClient } from '../../qdrant/index.ts';
import type { DiscoveryConfig } from './config.ts';
import { type Found, findDomains } from './find.ts';
import type { DiscoveryResult } from './progress.ts';
import { type DiscoveryReport, reportOf } from './report.ts';
import { eachText, type Reading, sampledIds, vectorsOf } from './sample.ts';
import { WordCounts } from './words.ts';

export type Discovering = {
  readonly config: DiscoveryConfig;
  readonly client: Pick<ClusterClient, 'scrollPages' | 'retrieve'>;
  readonly signal: AbortSignal;
  /** Told what is done now; resolves when the next page may be read. */
  readonly tell: (step: string) => Promise<void>;
};

export type Discovery = { readonly result: DiscoveryResult; readonly report?: DiscoveryReport };

/** Fewer points show no domains. */
export const LEAST_POINTS = 100;
/** Of sampled vectors held at once; what was asked for beyond is left out, and said. */
export const MOST_VECTOR_BYTES = 256 * 1024 * 1024;

/** Samples the collection, looks for domains, and names them by the points' texts. */
export async function discover({ config, client, signal, tell }: Discovering): Promise<Discovery> {
  const { side, vector, seed } = config;
  let step = 'counts and draws points';
  const reading: Reading = {
    client,
    collection: side.collection,
    pageSize: config.pageSize,
    signal,
    onPage: () => tell(step),
  };
  const { ids, points } = await sampledIds(reading, { size: config.sampleSize, seed });
  if (points < LEAST_POINTS) return tooSmall(points, points, `has ${points} points`);
  step = 'reads vectors';
  const columns = await columnsOf(reading, ids, vector);
  const most = Math.floor(MOST_VECTOR_BYTES / (4 * Math.max(1, columns)));
  const { rows, ids: kept, without } = await vectorsOf(reading, ids.slice(0, most), { vector, columns });
  if (rows.rows < LEAST_POINTS) {
    return tooSmall(
      points,
      rows.rows,
      `has ${rows.rows} sampled points with vector ${vector === '' ? '(unnamed)' : vector}`,
    );
  }
  const found = await findDomains(rows, {
    maxDomains: config.maxDomains,
    minShare: config.minSharePercent / 100,
    seed,
    signal,
    tell: (done, of) => {
      step = `looks for domains, ${done} of ${of}`;
      // Whoever must know that it could not be told asks after the next page.
      tell(step).catch(() => {});
    },
  });
  step = 'reads texts for names';
  const words = await wordsOf(reading, kept, found);
  const report = reportOf(found, {
    collection: side.collection,
    vector,
    points,
    sampled: rows.rows,
    seed,
    words,
    notes: [
      ...config.notes,
      ...(without === 0 ? [] : [`${without} sampled points have no such vector or were gone`]),
      ...(ids.length <= most ? [] : [`${ids.length} points were asked for, ${most} fit into memory`]),
      ...(words === undefined ? ['no point has text in payload field text: domains bear numbers'] : []),
    ],
  });
  const { outcome, message, domains } = report;
  const listed = outcome === 'Domains' ? domains : [];
  return {
    result: {
      outcome,
      message,
      points,
      sampled: rows.rows,
      domains: listed.map(({ name, sharePercent, points: count }) => ({ name, sharePercent, points: count })),
    },
    report,
  };
}

const tooSmall = (points: number, sampled: number, what: string): Discovery => ({
  result: {
    outcome: 'TooSmall',
    message: `the library ${what}; domains are looked for from ${LEAST_POINTS} on`,
    points,
    sampled,
    domains: [],
  },
});

/** How long the vector is, as the first points show that have it. */
async function columnsOf(reading: Reading, ids: Parameters<typeof vectorsOf>[1], vector: string): Promise<number> {
  const step = 64;
  for (let from = 0; from < ids.length; from += step) {
    const options = { withVectors: true, withPayload: false, signal: reading.signal };
    for (const point of await reading.client.retrieve(reading.collection, ids.slice(from, from + step), options)) {
      const value: unknown = vector === '' ? point.vector : Object(point.vector)[vector];
      if (Array.isArray(value) && typeof value[0] === 'number') return value.length;
    }
    await reading.onPage();
  }
  return 0;
}

async function wordsOf(
  reading: Reading,
  ids: Parameters<typeof vectorsOf>[1],
  { labels, shares }: Found,
): Promise<WordCounts | undefined> {
  const words = new WordCounts(shares.length);
  let texts = 0;
  await eachText(reading, ids, (place, text) => {
    texts += 1;
    words.add(text, labels[place] ?? 0);
  });
  return texts === 0 ? undefined : words;
}
