import type { Json, Point, PointId } from '../../qdrant/index.ts';
import type { EmbedClient } from '../embed/index.ts';
import type { Patience } from '../pipeline/patience.ts';
import { knownOf } from '../pipeline/points.ts';
import type { Target } from '../pipeline/target.ts';
import { DEFAULT_WITHIN, type GoldenQuery } from './golden.ts';

export type Asking = {
  readonly target: Pick<Target, 'points' | 'search'>;
  readonly client: EmbedClient;
  readonly patience: Patience;
  readonly signal: AbortSignal;
  /** Put before a text that is stored, and before one that is searched. */
  readonly documentPrefix: string;
  readonly queryPrefix: string;
};

export type SelfRecall = {
  readonly sampled: number;
  readonly found: number;
  readonly notFound: readonly { readonly document: string; readonly id: string }[];
};

const WITHIN = 10;

/** Whether points are found by their own text, embedded anew: they themselves, or ones of an equal text. */
export async function selfRecall(ids: readonly PointId[], asking: Asking): Promise<SelfRecall> {
  const points = await asking.target.points(ids, { withVectors: false });
  const texts = points.map(({ payload }) => asking.documentPrefix + textOf(payload['text']));
  const vectors = await embedded(texts, asking);
  const notFound: { document: string; id: string }[] = [];
  for (const [index, point] of points.entries()) {
    const vector = vectors[index];
    if (vector !== undefined && (await finds(point, vector, asking))) continue;
    notFound.push({ document: knownOf(point)?.document ?? '', id: String(point.id) });
  }
  return { sampled: points.length, found: points.length - notFound.length, notFound };
}

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '');

async function finds(point: Point, vector: Float32Array, { target }: Asking): Promise<boolean> {
  const hash = knownOf(point)?.mark.hash;
  const hits = await target.search([...vector], WITHIN);
  return hits.some((hit) => hit.id === point.id || (hash !== undefined && knownOf(hit)?.mark.hash === hash));
}

export type GoldenAnswer = { readonly query: string; readonly document: string; readonly found: boolean };

/** Whether what somebody would ask leads to the document that answers it. */
export async function askGolden(queries: readonly GoldenQuery[], asking: Asking): Promise<GoldenAnswer[]> {
  const vectors = await embedded(
    queries.map(({ query }) => asking.queryPrefix + query),
    asking,
  );
  const answers: GoldenAnswer[] = [];
  for (const [index, { query, document, within = DEFAULT_WITHIN }] of queries.entries()) {
    const hits = await asking.target.search([...(vectors[index] ?? [])], within);
    answers.push({ query, document, found: hits.some(({ payload }) => payload['document'] === document) });
  }
  return answers;
}

async function embedded(texts: readonly string[], { client, patience, signal }: Asking): Promise<Float32Array[]> {
  if (texts.length === 0) return [];
  for (;;) {
    try {
      const vectors = await client.embed(texts, { signal });
      patience.passed();
      return vectors;
    } catch (error) {
      await patience.wait(error);
    }
  }
}
