import { type Blocker, disabledPredicates, isDisabled, type VectorizationJob } from '../api/index.ts';
import type { Reference, TargetVector, World } from './world.ts';

type Predicate = { readonly name: string; readonly refuse: (world: World) => string | undefined };

/**
 * What must hold before a run begins, in the order in which it is asked. The names are API: they stand in a condition,
 * in a metric and in docs/predicates.md, and each can be switched off by the annotation
 * `qdrant-librarian.io/disable-predicates`.
 */
export const RUN_PREDICATES: readonly Predicate[] = [
  {
    name: 'source-exists',
    refuse: ({ references }) => problems(references.filter(({ kind }) => kind !== 'Secret')),
  },
  {
    // A pod that mounts a Secret that isn't there waits without a word.
    name: 'secrets-complete',
    refuse: ({ references }) => problems(references.filter(({ kind }) => kind === 'Secret')),
  },
  {
    name: 'library-ready',
    refuse: ({ library }) => {
      if (library === undefined || library.ready?.status === 'True') return undefined;
      const why = library.ready === undefined ? '' : `: ${library.ready.reason}: ${library.ready.message}`;
      return `DomainLibrary ${library.name} is not Ready${why}`;
    },
  },
  {
    name: 'target-answers',
    refuse: ({ target }) => (target.kind === 'blind' ? target.message : undefined),
  },
  {
    name: 'vector-fits',
    refuse: ({ job, library, target }) =>
      target.kind === 'seen' ? misfit(job, library?.collection ?? '', target.vectors) : undefined,
  },
];

/** The names and reasons of the predicates that refuse, in order; empty: the run may begin. */
export function refusals(world: World): Blocker[] {
  const disabled = disabledPredicates(world.job);
  return RUN_PREDICATES.flatMap(({ name, refuse }) => {
    if (isDisabled(disabled, name)) return [];
    const reason = refuse(world);
    return reason === undefined ? [] : [{ name, reason }];
  });
}

function problems(references: readonly Reference[]): string | undefined {
  const found = references.flatMap(({ field, kind, name, problem }) =>
    problem === undefined ? [] : [`${field}: ${kind} ${name} ${problem}`],
  );
  return found.length === 0 ? undefined : found.join('; ');
}

/** Why the vectors of this embedder can't go into the collection. */
function misfit({ spec }: VectorizationJob, collection: string, vectors: readonly TargetVector[]): string | undefined {
  const wanted = spec.target.vector;
  const names = vectors.map(({ name }) => JSON.stringify(name)).join(', ') || 'none';
  const only = vectors.length === 1 ? vectors[0] : undefined;
  const vector = vectors.find(({ name }) => name === (wanted ?? '')) ?? (wanted === undefined ? only : undefined);
  if (vector === undefined) {
    return wanted === undefined
      ? `spec.target.vector: is needed, as ${collection} has several vectors: ${names}`
      : `spec.target.vector: ${JSON.stringify(wanted)}: ${collection} has no such vector; it has ${names}`;
  }
  const named = `vector ${JSON.stringify(vector.name)} of ${collection}`;
  if (vector.multi) return `spec.target.vector: ${named} holds many vectors a point, and an embedder gives one`;
  const { dimensions } = spec.embedder;
  if (dimensions === undefined || dimensions === vector.size) return undefined;
  return `spec.embedder.dimensions: ${dimensions}: ${named} has ${vector.size}`;
}
