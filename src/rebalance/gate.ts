import type { PlanLibrary } from './plan/problem.ts';

type Refusal = string | undefined;

/** Below this share of the looks that there should be, nothing is planned. Source: Cruise Control `min.valid.partition.ratio`. */
const LEAST_SAMPLES = 0.95;

export type GateSubject = {
  /** Clusters that the policy selects and whose load and size are known. */
  readonly clusters: readonly string[];
  /** Libraries that it selects. */
  readonly libraries: readonly Pick<PlanLibrary, 'name' | 'cluster'>[];
  /** How much of the window is known, by cluster, 0 to 1. */
  readonly completeness: ReadonlyMap<string, number>;
  /** When the last move ended, in milliseconds since the epoch. */
  readonly lastMoveEndedAt?: number | undefined;
  readonly windowSeconds: number;
  readonly now: number;
};

/** What must hold before anything is planned, in the order in which it is asked. */
export const GATE_PREDICATES: readonly { readonly name: string; readonly refuse: (subject: GateSubject) => Refusal }[] =
  [
    {
      name: 'two-clusters-take-part',
      refuse: ({ clusters }) => {
        if (clusters.length >= 2) return undefined;
        return clusters.length === 0
          ? 'no cluster takes part'
          : `only ${clusters[0]} takes part: there is nowhere to go`;
      },
    },
    {
      name: 'libraries-take-part',
      refuse: ({ libraries, clusters }) =>
        libraries.some(({ cluster }) => clusters.includes(cluster))
          ? undefined
          : 'no library lives on a cluster that takes part',
    },
    {
      name: 'enough-is-known',
      refuse: ({ clusters, completeness }) => {
        const [worst] = clusters
          .map((name) => ({ name, known: completeness.get(name) ?? 0 }))
          .filter(({ known }) => known < LEAST_SAMPLES)
          .toSorted((a, b) => a.known - b.known || a.name.localeCompare(b.name));
        return (
          worst &&
          `of the load of ${worst.name}, ${Math.round(worst.known * 100)} % of the window is known; it takes ${LEAST_SAMPLES * 100} %`
        );
      },
    },
    {
      // Until then load is counted where it no longer is. Source: TiKV PD's pending influence.
      name: 'last-move-shows',
      refuse: ({ lastMoveEndedAt, windowSeconds, now }) => {
        if (lastMoveEndedAt === undefined) return undefined;
        const passed = (now - lastMoveEndedAt) / 1000;
        return passed >= windowSeconds
          ? undefined
          : `the last move ended ${passed.toFixed(0)} s ago; the window is ${windowSeconds} s`;
      },
    },
  ];

/** The names and reasons of those that refuse; empty: a plan may be made. */
export const refusedByGate = (subject: GateSubject): { name: string; reason: string }[] =>
  GATE_PREDICATES.flatMap(({ name, refuse }) => {
    const reason = refuse(subject);
    return reason === undefined ? [] : [{ name, reason }];
  });
