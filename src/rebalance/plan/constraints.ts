import type { PlanCluster, PlanLibrary } from './problem.ts';

/** Why something may not be done; `undefined` = nothing against it. */
type Refusal = string | undefined;
export type Refused = { readonly name: string; readonly reason: string };

/** A library rests so long after a move, or three times as long as the move took. */
const COOLDOWN_SECONDS = 3600;
const COOLDOWN_MOVES = 3;
/** A move is judged by what it brings in a day: going back within it proves that it was not worth it. */
const NO_RETURN_SECONDS = 24 * 3600;

export type LibrarySubject = {
  readonly library: PlanLibrary;
  readonly source: PlanCluster | undefined;
  readonly now: number;
};

/** What must hold before a library is moved at all. The names stand in the plan. */
export const LIBRARY_PREDICATES: readonly {
  readonly name: string;
  readonly refuse: (subject: LibrarySubject) => Refusal;
}[] = [
  {
    name: 'placement-is-free',
    refuse: ({ library }) =>
      library.pinned ? `spec.placement of ${library.name} names ${library.cluster}` : undefined,
  },
  {
    name: 'source-is-ready',
    refuse: ({ library, source }) => {
      if (source === undefined) return `${library.cluster} takes no part`;
      return source.ready ? undefined : `${library.cluster} is not Ready`;
    },
  },
  {
    // While an index is built, a search takes up to 180 times as long (Qdrant's own measurement), and a copy adds to it.
    name: 'library-is-settled',
    refuse: ({ library }) => (library.busy ? `${library.name} is being optimised or changed` : undefined),
  },
  {
    name: 'cooled-down',
    refuse: ({ library: { name, lastMove }, now }) => {
      if (lastMove === undefined) return undefined;
      const least = Math.max(COOLDOWN_SECONDS, COOLDOWN_MOVES * lastMove.seconds);
      const rested = (now - lastMove.endedAt) / 1000;
      return rested >= least
        ? undefined
        : `${name} was moved ${rested.toFixed(0)} s ago and rests for ${least.toFixed(0)} s`;
    },
  },
];

export type PairSubject = LibrarySubject & { readonly target: PlanCluster };

/** What must hold, besides, of the cluster that a library moves to. */
export const TARGET_PREDICATES: readonly {
  readonly name: string;
  readonly refuse: (subject: PairSubject) => Refusal;
}[] = [
  {
    name: 'target-is-ready',
    refuse: ({ target }) => (target.ready ? undefined : `${target.name} is not Ready`),
  },
  {
    name: 'capacity-is-known',
    refuse: ({ target: { name, capacity } }) =>
      Object.values(capacity).every((value) => value > 0) ? undefined : `nobody tells how large ${name} is`,
  },
  {
    name: 'target-matches-selector',
    refuse: ({ library, target }) =>
      library.targets === undefined || library.targets.includes(target.name)
        ? undefined
        : `spec.placement.clusterSelector of ${library.name} doesn't match ${target.name}`,
  },
  {
    // A snapshot of a newer Qdrant may hold what an older one can't read.
    name: 'target-is-not-older',
    refuse: ({ source, target }) =>
      source === undefined || !isOlder(target.version, source.version)
        ? undefined
        : `${target.name} runs ${target.version}, older than ${source.version} of ${source.name}`,
  },
  {
    name: 'no-way-back',
    refuse: ({ library: { name, lastMove }, target, now }) => {
      if (lastMove === undefined || lastMove.from !== target.name) return undefined;
      const hours = (now - lastMove.endedAt) / 3_600_000;
      return hours * 3600 >= NO_RETURN_SECONDS
        ? undefined
        : `${name} came from ${target.name} ${hours.toFixed(1)} h ago`;
    },
  },
];

/** The first predicate that refuses, of the library itself; undefined: it may be moved. */
export const refusedLibrary = (subject: LibrarySubject): Refused | undefined => first(LIBRARY_PREDICATES, subject);

/** The first predicate that refuses this target. */
export const refusedTarget = (subject: PairSubject): Refused | undefined => first(TARGET_PREDICATES, subject);

function first<Subject>(
  predicates: readonly { readonly name: string; readonly refuse: (subject: Subject) => Refusal }[],
  subject: Subject,
): Refused | undefined {
  for (const { name, refuse } of predicates) {
    const reason = refuse(subject);
    if (reason !== undefined) return { name, reason };
  }
  return undefined;
}

/** Whether a version is older than another; one that can't be read is older than any. */
function isOlder(version: string, than: string): boolean {
  const [a, b] = [parts(version), parts(than)];
  if (a === undefined || b === undefined) return true;
  const differing = a.findIndex((part, index) => part !== b[index]);
  return differing >= 0 && (a[differing] ?? 0) < (b[differing] ?? 0);
}

const parts = (version: string): number[] | undefined => /^v?(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number);
