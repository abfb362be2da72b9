import type { GenerationStatus } from '../../api/index.ts';
import { MARK_KEY, type Mark } from '../../migration/index.ts';
import { difference, reshaping } from '../diff.ts';
import { aliasesOf, type CollectionLook, collectionLook } from '../look.ts';
import { generationName, publicName } from '../names.ts';
import { generationsOf, type Note, type Plan } from '../plan.ts';
import { shapeOf } from '../shape.ts';
import type { Place, SeenWorld } from '../world.ts';
import { isOurs } from './active.ts';
import { limitsInMark, limitsOf } from './limits.ts';
import { collectionAt, type Site } from './site.ts';

/** The physical collection of a generation, as the status has it: a move back goes onto an older one's. */
export const collectionOf = ({ library }: Pick<SeenWorld, 'library'>, generation: number): string =>
  generationsOf(library.status).find(({ number }) => number === generation)?.collection ??
  generationName(publicName(library), generation);

/** Whether a generation goes onto a collection that was there before: its points are compared, not copied. */
export const isReused = (world: Pick<SeenWorld, 'library'>, generation: number): boolean =>
  collectionOf(world, generation) !== generationName(publicName(world.library), generation);

/** The generation that the library left there last, where it still has the shape that is wanted. */
export function reusable({ library }: SeenWorld, { name, cluster, sight }: Place): GenerationStatus | undefined {
  if (cluster === undefined || sight.kind === 'blind') return undefined;
  const shape = shapeOf(library.spec, cluster.spec.limits);
  return generationsOf(library.status).findLast((entry) => {
    if (entry.cluster !== name || entry.state !== 'Retired') return false;
    const collection = collectionLook(sight.look, entry.collection);
    return (
      collection !== undefined &&
      isOurs(library, collection.mark) &&
      // A collection that bears the public name itself can't be given it as an alias.
      collection.name !== publicName(library) &&
      collection.unreadable.length + collection.unknownTo.length === 0 &&
      aliasesOf(sight.look, collection.name).length === 0 &&
      reshaping(difference(shape, collection.observed)).length === 0
    );
  });
}

/** A limit can't be unset by PATCH: this one is never reached. */
const UNLIMITED = 1_000_000_000;

/** Gives a collection that was left its new number, and takes its fence and limits away while it is filled. */
export function takeAgain(
  {
    collection,
    number,
    active,
  }: { collection: CollectionLook & { readonly mark: Mark }; number: number; active: CollectionLook },
  site: Site,
): Plan {
  const { mark, name, info } = collection;
  const { fence, limits: _limits, ...rest } = mark;
  const factor = fence?.before.writeConsistencyFactor ?? info.config.params.write_consistency_factor ?? 1;
  const body = {
    params: { write_consistency_factor: factor },
    strict_mode_config: { enabled: false, write_rate_limit: UNLIMITED, read_rate_limit: UNLIMITED },
    metadata: { [MARK_KEY]: { ...rest, generation: number, ...limitsInMark(limitsOf(active)) } },
  };
  const step = { kind: 'patch' as const, collection: name, body, note: `${name} again` };
  return { steps: [site.name === undefined ? step : { ...step, cluster: site.name }] };
}

export const FIVE_MINUTES = 300;
/** Beginning a worker, holding writes back, switching. */
const OVERHEAD_SECONDS = 20;

/** How long a move back would take, going by the last comparison: one to bring it in step, one to prove it. */
export const returnSeconds = (comparisonMilliseconds: number): number =>
  Math.ceil((comparisonMilliseconds * 2) / 1000) + OVERHEAD_SECONDS;

/** What is promised of a move back to where the library came from; undefined where it has not moved. */
export function wayBack(world: SeenWorld): Note | undefined {
  const { library, cluster } = world;
  const left = generationsOf(library.status).findLast(
    (entry) =>
      entry.state === 'Retired' && entry.cluster !== cluster.metadata.name && entry.returnSeconds !== undefined,
  );
  if (left?.returnSeconds === undefined || library.status?.change !== undefined) return undefined;
  const place = world.places.find(({ name }) => name === left.cluster);
  const note = { type: 'QuickReturn', status: 'False' } as const;
  const there = `generation ${left.number} (${left.collection}) on ${left.cluster}`;
  if (place === undefined || collectionAt(world, left.cluster, left.collection) === undefined)
    return { ...note, reason: 'SourceAway', message: `${there} can't be looked at` };
  if (reusable(world, place)?.number !== left.number)
    return { ...note, reason: 'SourceDiffers', message: `${there} has not the shape that is wanted now` };
  const about = `a move back onto ${there} takes about ${left.returnSeconds} s`;
  return left.returnSeconds <= FIVE_MINUTES
    ? { ...note, status: 'True', reason: 'WithinFiveMinutes', message: about }
    : { ...note, reason: 'TakesLonger', message: `${about}, more than ${FIVE_MINUTES} s` };
}
