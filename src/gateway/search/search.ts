import type { Library } from '../libraries.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { Asking } from './asking.ts';
import type { LibraryEmbedder, QueryVectors } from './embedders.ts';
import type { Facts, VectorShape } from './facts.ts';
import { best, type Hit, merge, type Space, similarityOf } from './merge.ts';
import type { SearchRequest } from './request.ts';
import { firstWave, nextWave, outOfReach, type Ranked, rank } from './route.ts';
import type { Sketches } from './sketches.ts';

export type SearchDeps = {
  readonly asking: Asking;
  readonly sketches: Sketches;
  readonly vectors: QueryVectors;
  readonly embedder: (library: Library, using: string | undefined) => LibraryEmbedder | undefined;
  readonly vectorOf: (
    library: Library,
    facts: Facts,
    using?: string,
  ) => { readonly using: string; readonly space: string } | undefined;
  readonly metrics: GatewayMetrics;
};

/** What a search is about: the libraries that the key opens, and how many it doesn't. */
export type Reach = { readonly opened: readonly Library[]; readonly notOpened: number };

type Left = { readonly library: string; readonly reason: string };

/** A library that is asked, and how. */
type Member = {
  readonly library: Library;
  readonly facts: Facts;
  readonly using: string;
  readonly shape: VectorShape;
  readonly space: string;
  readonly vector: readonly number[];
};

type Outcome = {
  readonly hits: Hit[];
  readonly failed: Left[];
  readonly asked: Member[];
  readonly unasked: Ranked[];
  /** Asked because nothing that holds is known of them. */
  readonly unsketched: readonly string[];
  readonly worst: number;
};

/** Searches across libraries: embeds, routes, asks, merges, and says how much of the whole was searched. */
export async function search(
  deps: SearchDeps,
  {
    request,
    reach,
    signal: outer,
  }: { readonly request: SearchRequest; readonly reach: Reach; readonly signal: AbortSignal },
): Promise<unknown> {
  const signal = AbortSignal.any([outer, AbortSignal.timeout(request.timeoutSeconds * 1000)]);
  const skipped: Left[] = [];
  const failed: Left[] = [];
  const chosen = selected(request, reach.opened, skipped);
  const prepared = await Promise.all(
    chosen.map((library) =>
      prepare(deps, { library, request, signal }).catch((error: unknown) => wordOf(error, signal)),
    ),
  );
  const members = prepared.flatMap((one, at) => {
    if (typeof one !== 'string' && 'vector' in one) return [one];
    const library = chosen[at]?.collection ?? '';
    if (typeof one === 'string') failed.push({ library, reason: one });
    else skipped.push({ library, reason: one.skip });
    return [];
  });
  const spaces = Map.groupBy(members, ({ space }) => space);
  const outcomes = new Map<string, Outcome>();
  await Promise.all(
    [...spaces].map(async ([space, inSpace]) =>
      outcomes.set(space, await searchSpace(deps, { members: inSpace, space, request, signal })),
    ),
  );
  const merged = merge(
    [...outcomes].map(
      ([id, { hits }]): Space => ({ id, hits, distance: spaces.get(id)?.[0]?.shape.distance ?? 'Cosine' }),
    ),
    request.limit,
  );
  const all = [...outcomes.values()];
  for (const outcome of all) {
    failed.push(...outcome.failed);
    skipped.push(
      ...outcome.unasked.map(({ name, whole, bound }) => ({
        library: name,
        reason: reasonFor(outcome, { whole, bound }),
      })),
    );
  }
  const asked = all.flatMap((outcome) => outcome.asked);
  const searched = asked.filter(({ library }) => !failed.some((one) => one.library === library.collection));
  const { searched: counter } = deps.metrics;
  counter.inc({ outcome: 'asked' }, searched.length);
  counter.inc({ outcome: 'skipped' }, skipped.length);
  counter.inc({ outcome: 'failed' }, failed.length);
  const clustersOf = (list: readonly Library[]): number => new Set(list.map(({ cluster }) => cluster)).size;
  return {
    hits: merged.hits,
    merged: merged.by,
    coverage: {
      libraries: {
        known: chosen.length,
        asked: searched.map(({ library }) => library.collection).toSorted(),
        unsketched: all.flatMap((outcome) => outcome.unsketched).toSorted(),
        skipped: skipped.toSorted(byLibrary),
        failed: failed.toSorted(byLibrary),
        notOpened: reach.notOpened,
      },
      clusters: { known: clustersOf(chosen), asked: clustersOf(asked.map(({ library }) => library)) },
      points: {
        total: sum(chosen.map((library) => pointsOf(deps, library, members))),
        searched: sum(searched.map(({ facts }) => facts.points)),
      },
      ...missed(deps, {
        outcomes: all,
        spaces: [...spaces.keys()],
        complete:
          failed.length === 0 && skipped.every(({ reason }) => reason === OUT_OF_REACH || reason === LESS_SIMILAR),
      }),
    },
  };
}

const OUT_OF_REACH = 'OutOfReach';
const LESS_SIMILAR = 'LessSimilar';
const byLibrary = (a: Left, b: Left): number => (a.library < b.library ? -1 : a.library > b.library ? 1 : 0);
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

const reasonFor = ({ worst }: Outcome, one: { whole: boolean; bound: number | undefined }): string =>
  outOfReach({ ...one } as Ranked, worst) ? OUT_OF_REACH : LESS_SIMILAR;

function pointsOf({ sketches }: SearchDeps, library: Library, members: readonly Member[]): number {
  return (
    members.find((one) => one.library.uid === library.uid)?.facts.points ?? sketches.of(library)?.facts.points ?? 0
  );
}

/** Those that the request names; a name that the key doesn't open is told as one that isn't there. */
function selected({ libraries, domains }: SearchRequest, opened: readonly Library[], skipped: Left[]): Library[] {
  for (const name of libraries ?? []) {
    if (!opened.some(({ collection }) => collection === name)) skipped.push({ library: name, reason: 'NoSuchLibrary' });
  }
  return opened.filter(
    ({ collection, domain }) =>
      (libraries === undefined || libraries.includes(collection)) &&
      (domains === undefined || domains.includes(domain)),
  );
}

type Preparing = { readonly library: Library; readonly request: SearchRequest; readonly signal: AbortSignal };

async function prepare(deps: SearchDeps, { library, request, signal }: Preparing): Promise<Member | { skip: string }> {
  const facts = deps.sketches.of(library)?.facts ?? (await deps.asking.facts(library, signal));
  const found = deps.vectorOf(library, facts, request.using);
  const shape = found === undefined ? undefined : facts.vectors.get(found.using);
  if (found === undefined || shape === undefined) return { skip: 'NoSuchVector' };
  const member = { library, facts, shape, ...found };
  const { query } = request;
  if ('vector' in query) {
    return query.vector.length === shape.size ? { ...member, vector: query.vector } : { skip: 'OtherDimensions' };
  }
  const embedder = deps.embedder(library, request.using);
  if (embedder === undefined) return { skip: 'NoEmbedder' };
  const vector = await deps.vectors.of(embedder, query.text, signal);
  return vector.length === shape.size ? { ...member, vector } : { skip: 'OtherDimensions' };
}

type Searching = {
  readonly members: readonly Member[];
  readonly space: string;
  readonly request: SearchRequest;
  readonly signal: AbortSignal;
};

async function searchSpace(deps: SearchDeps, { members, space, request, signal }: Searching): Promise<Outcome> {
  const byName = new Map(members.map((member) => [member.library.collection, member]));
  const query = members[0]?.vector ?? [];
  const candidates = members.map(({ library, using, shape }) => {
    const known = deps.sketches.of(library);
    const fits =
      known !== undefined && !known.drifted && known.using === using && known.sketch.distance === shape.distance;
    return {
      name: library.collection,
      distance: shape.distance,
      sketch: fits ? known.sketch : undefined,
      whole: fits && known.whole,
      drawnAt: fits ? known.at : undefined,
    };
  });
  const unsketched = candidates.filter(({ sketch }) => sketch === undefined).map(({ name }) => name);
  let unasked = rank(candidates, query);
  let wave = firstWave(unasked, request.ask, deps.sketches.margin(space)?.margin);
  const hits: Hit[] = [];
  const failed: Left[] = [];
  const asked: Member[] = [];
  const distance = members[0]?.shape.distance ?? 'Cosine';
  for (;;) {
    const now = wave.flatMap(({ name }) => byName.get(name) ?? []);
    unasked = unasked.filter(({ name }) => !wave.some((one) => one.name === name));
    asked.push(...now);
    for (const answer of await Promise.all(now.map((member) => askOne(deps, { member, request, signal })))) {
      if ('reason' in answer) failed.push(answer);
      else hits.push(...answer.hits);
    }
    const top = best({ id: space, distance, hits }).slice(0, request.limit);
    const last = top.at(-1);
    const worst =
      top.length < request.limit || last === undefined ? Number.NEGATIVE_INFINITY : similarityOf(last.score, distance);
    wave = nextWave(unasked, { ask: request.ask, found: top.length, limit: request.limit, worst });
    if (wave.length === 0) return { hits: top, failed, asked, unasked, unsketched, worst };
  }
}

async function askOne(
  { asking }: SearchDeps,
  { member, request, signal }: { member: Member; request: SearchRequest; signal: AbortSignal },
): Promise<{ hits: Hit[] } | Left> {
  const { library, using, vector } = member;
  const { limit, filter, exact, withPayload } = request;
  try {
    return { hits: await asking.query(library, { vector, using, limit, filter, exact, withPayload }, signal) };
  } catch (error) {
    return { library: library.collection, reason: wordOf(error, signal) };
  }
}

/** One word, and what the cluster said where it said something: never a key. */
function wordOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'Timeout';
  const { code, message } = error as { code?: unknown; message?: unknown };
  return typeof code === 'string' && typeof message === 'string' ? `${code}: ${message}` : 'Internal';
}

/** What the answer may lack of the best hits there are. */
function missed(
  { sketches }: SearchDeps,
  { outcomes, spaces, complete }: { outcomes: readonly Outcome[]; spaces: readonly string[]; complete: boolean },
): { missed: unknown } {
  const unasked = outcomes.flatMap((outcome) => outcome.unasked.map((one) => ({ one, worst: outcome.worst })));
  if (!complete) return { missed: { proved: false, why: 'LibrariesLeftOut' } };
  if (unasked.length === 0) return { missed: { proved: true, why: 'AllAsked' } };
  if (unasked.every(({ one, worst }) => outOfReach(one, worst)))
    return {
      missed: {
        proved: true,
        why: OUT_OF_REACH,
        asOf: new Date(Math.min(...unasked.map(({ one }) => one.drawnAt ?? 0))).toISOString(),
      },
    };
  const recalls = spaces.flatMap((space) => sketches.margin(space)?.recall ?? []);
  const expected = recalls.length === 0 ? {} : { expectedRecallPercent: Math.round(1000 * Math.min(...recalls)) / 10 };
  return { missed: { proved: false, why: LESS_SIMILAR, ...expected } };
}
