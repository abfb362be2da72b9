import type { Mark } from '../../migration/index.ts';
import { createBody } from '../create-body.ts';
import { type CollectionLook, collectionExists, collectionLook } from '../look.ts';
import { generationName, publicName } from '../names.ts';
import { generationsOf, type Plan, timestamp, withGeneration } from '../plan.ts';
import { CREATE_PREDICATES, refusals } from '../predicates.ts';
import type { Reason } from '../reasons.ts';
import { type Shape, shapeDigest } from '../shape.ts';
import type { SeenWorld } from '../world.ts';
import { type Holder, isFormerSelf, isOurs } from './active.ts';
import { blocked } from './blocked.ts';
import { inPlace } from './in-place.ts';

export const markOf = ({ library }: Pick<SeenWorld, 'library'>, generation: number): Mark => ({
  uid: library.metadata.uid ?? '',
  namespace: library.metadata.namespace ?? '',
  name: library.metadata.name,
  generation,
});

/** A name that is in use: what to do about it, or why nothing is done. */
export function takeOver(world: SeenWorld, holder: Holder & { kind: 'foreign' }): Plan {
  const { library } = world;
  const { collection, byAlias } = holder;
  const { mark } = collection;
  const name = publicName(library);
  const what = byAlias ? `alias ${name} of collection ${collection.name}` : `collection ${name}`;
  if (mark !== undefined && !isFormerSelf(library, mark)) {
    return unready('CollectionClaimed', `${what} belongs to DomainLibrary ${mark.namespace}/${mark.name}`);
  }
  if (library.spec.adopt !== true) {
    const hint = 'set spec.adopt: true to take it over';
    return unready(
      byAlias ? 'AliasTaken' : 'CollectionExists',
      `${what} exists and this library did not make it; ${hint}`,
    );
  }
  const generation = mark?.generation ?? 0;
  return {
    steps: [{ kind: 'mark', collection: collection.name, mark: { ...mark, ...markOf(world, generation) } }],
    status: {
      generations: withGeneration(generationsOf(library.status), {
        number: generation,
        collection: collection.name,
        cluster: world.cluster.metadata.name,
        state: 'Active',
        specDigest: 'adopted',
        createdAt: timestamp(world.now),
      }),
    },
    events: [
      { type: 'Normal', reason: 'Adopted', action: 'Adopt', note: `took over ${what} as generation ${generation}` },
    ],
    waiting: { reason: 'Creating', message: `takes over ${what}`, seconds: 0.1 },
  };
}

export const unready = (reason: Reason, message: string, seconds = 30): Plan => ({
  steps: [],
  unready: true,
  waiting: { reason, message, seconds },
});

/** Nobody has the name: makes the first generation, waits until it can be read everywhere, then gives it the name. */
export function firstGeneration(world: SeenWorld, shape: Shape): Plan {
  const { library, look, settings } = world;
  const number =
    generationsOf(library.status).find(({ state }) => state === 'Building' || state === 'Active')?.number ?? 1;
  const name = generationName(publicName(library), number);
  const collection = collectionLook(look, name);
  if (collection === undefined) {
    if (collectionExists(look, name))
      return unready('PeersDisagree', `${name} is listed and can't be read`, settings.busySeconds);
    const before = generationsOf(library.status).find((entry) => entry.number === number);
    if (before?.state === 'Active')
      return unready('CollectionMissing', `collection ${name} is gone: its data can't be made again`);
    return create(world, shape, { number, name });
  }
  if (!isOurs(library, collection.mark)) return reclaim(world, collection);
  return (
    notReadable(world, collection) ??
    inPlace(collection, shape, { strictMode: true, memory: world.memory, now: world.now }) ??
    giveName(world, collection, number)
  );
}

function create(world: SeenWorld, shape: Shape, { number, name }: { number: number; name: string }): Plan {
  const { library, look, cluster, now, settings } = world;
  if (shape.vectors === undefined && shape.sparse === undefined) {
    return {
      ...unready('ShapeMissing', 'spec.vectors or spec.sparseVectors must be specified for a collection to be made'),
      stalled: true,
    };
  }
  const blockedBy = refusals(CREATE_PREDICATES, { look, cluster }, library);
  if (blockedBy.length > 0) return blocked(blockedBy, { what: `collection ${name} is not made`, unready: true });
  const indexes = Object.keys(shape.indexes).toSorted();
  const mark: Mark = { ...markOf(world, number), ...(indexes.length === 0 ? {} : { indexes }) };
  return {
    steps: [{ kind: 'createCollection', collection: name, body: createBody(shape, { mark, strictMode: true }) }],
    status: {
      generations: withGeneration(generationsOf(library.status), {
        number,
        collection: name,
        cluster: cluster.metadata.name,
        state: 'Building',
        specDigest: shapeDigest(shape),
        createdAt: timestamp(now),
      }),
    },
    unready: true,
    waiting: { reason: 'Creating', message: `collection ${name} is being made`, seconds: settings.busySeconds },
  };
}

/** A generation's name that bears no mark of ours: left behind by a library of this name, or somebody else's. */
function reclaim(world: SeenWorld, collection: CollectionLook): Plan {
  const { library } = world;
  const { mark, name } = collection;
  if (mark !== undefined && !isFormerSelf(library, mark)) {
    return unready('CollectionClaimed', `collection ${name} belongs to DomainLibrary ${mark.namespace}/${mark.name}`);
  }
  if (library.spec.adopt !== true || mark === undefined) {
    return unready('CollectionExists', `collection ${name} exists and this library did not make it`);
  }
  return {
    steps: [{ kind: 'mark', collection: name, mark: { ...mark, ...markOf(world, mark.generation) } }],
    waiting: { reason: 'Creating', message: `takes over ${name}`, seconds: 0.1 },
  };
}

/** Before a name is given, every peer must show every shard readable: else reads answer 200 and lack points (S2). */
export function notReadable({ settings, look }: SeenWorld, collection: CollectionLook): Plan | undefined {
  const { name, unreadable, unknownTo } = collection;
  const silent = look.silent.map((peer) => peer.name);
  if (unreadable.length + unknownTo.length + silent.length === 0) return undefined;
  const missing = [...unknownTo, ...silent];
  const why =
    missing.length > 0
      ? `${missing.join(', ')} ${missing.length === 1 ? "doesn't" : "don't"} show ${name} yet`
      : `shards ${unreadable.join(', ')} of ${name} have no readable replica yet`;
  return unready('WaitingForShards', why, settings.busySeconds);
}

function giveName(world: SeenWorld, { name }: CollectionLook, number: number): Plan {
  const { library, now, settings } = world;
  const alias = publicName(library);
  const generations = generationsOf(library.status).map((entry) =>
    entry.number === number ? { ...entry, state: 'Active' as const, switchedAt: timestamp(now) } : entry,
  );
  return {
    steps: [{ kind: 'pointAliases', collection: name, aliases: [alias] }],
    status: { generations },
    events: [{ type: 'Normal', reason: 'Created', action: 'Create', note: `collection ${name} answers to ${alias}` }],
    unready: true,
    waiting: { reason: 'Creating', message: `${name} gets the name ${alias}`, seconds: settings.busySeconds },
  };
}
