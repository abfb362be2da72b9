/** What must hold before a library is said to have domains. The names are API: they stand in the report. */
export const RULES = {
  stable: 'other samples of the library give the same domains: mean adjusted Rand index over resamples, at least',
  apart: 'domains whose centres are farther from each other than points from their own centre, at least',
  routable: 'share of the true nearest neighbours that the two most promising domains hold, at least',
  'worth-routing': 'domains for each one that must be asked to find 95 % of the true neighbours, at least',
  'not-one-alone': 'share of the points in the domains that must be asked, at most',
} as const;

export type RuleName = keyof typeof RULES;

export type Ruling = {
  readonly rule: RuleName;
  readonly held: boolean;
  /** What was measured; null: could not be, because an earlier rule does not hold. */
  readonly value: number | null;
  readonly goal: number;
};

/** Source of the first four: capabilities of libraries of libraries, as measured on clear, overlapping and no domains. */
export const GOALS: Readonly<Record<RuleName, number>> = {
  stable: 0.8,
  apart: 2,
  routable: 0.95,
  'worth-routing': 2,
  'not-one-alone': 0.8,
};

/** At place m - 1: recall with the m most promising domains asked, and the share of all points that these hold, on average. */
export type Routing = { readonly recall: readonly number[]; readonly asked: readonly number[] };

export type Measured = {
  readonly domains: number;
  readonly stability: number;
  /** Undefined where there are no two domains to route between. */
  readonly routing: Routing | undefined;
};

export function judge({ domains, stability, routing }: Measured): Ruling[] {
  const needed = routing === undefined ? undefined : routing.recall.findIndex((share) => share >= GOALS.routable) + 1;
  const least = (rule: RuleName, value: number | undefined): Ruling => {
    const goal = GOALS[rule];
    return { rule, held: value !== undefined && value >= goal, value: value ?? null, goal };
  };
  const asked = needed === undefined ? undefined : routing?.asked[needed - 1];
  return [
    least('apart', domains),
    least('stable', domains < 2 ? undefined : stability),
    least('routable', routing?.recall[Math.min(2, domains) - 1]),
    least('worth-routing', needed === undefined ? undefined : domains / needed),
    {
      rule: 'not-one-alone',
      held: asked !== undefined && asked <= GOALS['not-one-alone'],
      value: asked ?? null,
      goal: GOALS['not-one-alone'],
    },
  ];
}
