import { addsVectors } from '../../qdrant/index.ts';
import { type AddedVector, type Difference, difference, reshaping } from '../diff.ts';
import { type CollectionLook, type Look, versionsTold } from '../look.ts';
import type { Plan } from '../plan.ts';
import { refusals, VECTOR_PREDICATES } from '../predicates.ts';
import type { Shape } from '../shape.ts';
import type { SeenWorld } from '../world.ts';
import type { Attempt } from './attempt.ts';
import { blocked } from './blocked.ts';
import { firstUnsent } from './in-place.ts';

export const vectorNote = (collection: string, vector: string): string => `${collection} vector ${vector}`;

/** Peers that can't add a vector to a collection that exists, in words; one is enough to stop the cluster's consensus. */
const tooOld = (look: Look): string[] =>
  versionsTold(look)
    .filter(({ version }) => !addsVectors(version))
    .map(({ peer, version }) => `${peer} runs ${version}`);

/** Why a generation must be built, in words; undefined where none must: vectors alone are added in place. */
export function whyNewGeneration(changes: Difference, look: Look): string | undefined {
  if (reshaping(changes).length === 0) return undefined;
  const old = changes.newVectors.length === 0 ? [] : tooOld(look);
  if (changes.newGeneration.length === 0 && old.length === 0) return undefined;
  const note = old.length === 0 ? '' : ` (in place only where every peer runs Qdrant 1.18 or later: ${old.join(', ')})`;
  return `${reshaping(changes).join('; ')}${note}`.slice(0, 1024);
}

/**
 * Adds the vectors that the spec has and the collection hasn't, one at a time, and waits until every peer shows them.
 * Only for a collection that needs no new generation. Points keep what they have and lack the new vector.
 */
export function addVectors(
  { library, look, memory, now }: SeenWorld,
  shape: Shape,
  collection: CollectionLook,
): Plan | undefined {
  const { name } = collection;
  const added = unshown(shape, collection);
  const nowhere = added.filter((vector) => shownBy(collection, vector) === 0);
  if (nowhere.length === 0) return added.length === 0 ? undefined : spreading(collection, added);
  const what = nowhere.map((vector) => vector.what).join('; ');
  const blockedBy = refusals(VECTOR_PREDICATES, { look, collection }, library);
  if (blockedBy.length > 0) return blocked(blockedBy, { what: `not in place yet: ${what}` });
  const attempts = nowhere.map(
    (vector): Attempt => ({
      note: vectorNote(name, vector.name),
      step: { kind: 'addVector', collection: name, vector: vector.name, config: vector.config },
      what: vector.what,
      content: vector.config,
    }),
  );
  const plan = firstUnsent(attempts, { memory, now });
  const [step] = plan?.steps ?? [];
  if (plan === undefined || step?.kind !== 'addVector') return plan;
  const note = `vector ${step.vector} is added to ${name}, whose points are kept and lack it until they are written`;
  return { ...plan, events: [{ type: 'Normal', reason: 'VectorAdded', action: 'Change', note }] };
}

/** Vectors of the spec that some peer doesn't show. */
export function unshown(shape: Shape, { observed, vectorsShown }: CollectionLook): AddedVector[] {
  const behind = vectorsShown.filter(({ names }) => wantedNames(shape).some((name) => !names.has(name)));
  if (behind.length === 0) return [];
  const without = { ...observed, vectors: {}, sparse: {} };
  return difference(shape, without).newVectors.filter(({ name }) => behind.some(({ names }) => !names.has(name)));
}

const wantedNames = ({ vectors, sparse }: Shape): string[] => [
  ...Object.keys(vectors ?? {}),
  ...Object.keys(sparse ?? {}),
];

const shownBy = ({ vectorsShown }: CollectionLook, { name }: AddedVector): number =>
  vectorsShown.filter(({ names }) => names.has(name)).length;

function spreading({ vectorsShown }: CollectionLook, added: readonly AddedVector[]): Plan {
  const behind = vectorsShown.filter(({ names }) => added.some(({ name }) => !names.has(name)));
  const peers = behind.map(({ peer }) => peer).join(', ');
  const message = `${added.map(({ what }) => what).join('; ')}; not shown yet by ${peers}`;
  return { steps: [], waiting: { reason: 'Changing', message, seconds: 1 } };
}
