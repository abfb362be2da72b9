import type { Point } from '../../qdrant/index.ts';
import { type Content, type Entry, type Listing, ReadError, type Source } from '../source/source.ts';
import { hasSettings, type Known, knownOf, type Making } from './points.ts';
import { grouped, mapAhead } from './streams.ts';
import type { Target } from './target.ts';

/** A document with what the target has of it. `content` undefined: it is what the target has, by the source's word. */
export type Seen = {
  readonly path: string;
  readonly known: readonly Known[];
  /** All of its points, where they were asked for. */
  readonly full: readonly Point[];
} & (
  | { readonly content: Content | undefined; readonly failure?: undefined }
  | { readonly failure: ReadError; readonly content?: undefined }
);

export type SeeingOptions = {
  readonly source: Source;
  readonly target: Pick<Target, 'known' | 'full'>;
  readonly making: Making;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** All points of the job by document, where they were read before: nobody need ask. */
  readonly all: ReadonlyMap<string, readonly Known[]> | undefined;
  /** Whether points are read with vectors and payload. */
  readonly deep: boolean;
};

/** Documents that the target is asked about at once, and that are read at once. */
const ASKED_AT_ONCE = 32;
const READ_AHEAD = 4;

/** Documents in the order of the listing. @throws SourceError, RunEnd */
export function seenDocuments(listing: Listing, options: SeeingOptions): AsyncGenerator<Seen, void, undefined> {
  const { source, maxBytes, signal, making, deep } = options;
  const asked = mapAhead(grouped(listing.entries, ASKED_AT_ONCE), 1, (entries) => withKnown(entries, options));
  return mapAhead(flat(asked), READ_AHEAD, async ({ entry, known, full }): Promise<Seen> => {
    const { path, failure } = entry;
    if (failure !== undefined) return { path, known, full, failure };
    const validator = deep ? undefined : validatorOf(known, making);
    try {
      return { path, known, full, content: await source.read(entry, { maxBytes, signal, known: validator }) };
    } catch (error) {
      if (error instanceof ReadError) return { path, known, full, failure: error };
      throw error;
    }
  });
}

type Asked = { readonly entry: Entry; readonly known: readonly Known[]; readonly full: readonly Point[] };

async function withKnown(entries: readonly Entry[], { target, all, deep }: SeeingOptions): Promise<Asked[]> {
  const paths = entries.map(({ path }) => path);
  if (!deep) {
    const known = all ?? (await target.known(paths));
    return entries.map((entry) => ({ entry, known: known.get(entry.path) ?? [], full: [] }));
  }
  const full = Map.groupBy(await target.full(paths), (point) => knownOf(point)?.document ?? '');
  return entries.map((entry) => {
    const points = full.get(entry.path) ?? [];
    return { entry, known: points.flatMap((point) => knownOf(point) ?? []), full: points };
  });
}

/** Only a document that is there as a whole need not be read. */
function validatorOf(known: readonly Known[], making: Making): string | undefined {
  const [first] = known;
  if (first === undefined || !hasSettings(first.mark, making)) return undefined;
  const { revision, job, validator } = first.mark;
  const whole = known.length === first.mark.chunks && job === making.job;
  return whole && known.every(({ mark }) => mark.revision === revision) ? validator : undefined;
}

async function* flat<T>(groups: AsyncIterable<readonly T[]>): AsyncGenerator<T, void, undefined> {
  for await (const group of groups) yield* group;
}
