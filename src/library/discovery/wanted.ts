import { createHash } from 'node:crypto';
import { ANNOTATIONS, type DomainLibrary, type DomainLibraryStatus } from '../../api/index.ts';
import { nextFire, scheduleProblem } from '../snapshots/schedule.ts';

export type DiscoveryStatus = NonNullable<DomainLibraryStatus['discovery']>;
type Spec = NonNullable<DomainLibrary['spec']['discovery']>;

/** As the API server fills them in. */
const DEFAULTS = { sampleSize: 20_000, maxDomains: 32, minSharePercent: 2, action: 'Recommend' } as const;

export const settingsOf = ({ spec }: DomainLibrary): Required<Omit<Spec, 'schedule'>> => {
  const { schedule: _, ...given } = spec.discovery ?? {};
  return { ...DEFAULTS, ...given };
};

/** What a discovery with these settings answers. */
export const changeOfSpec = (library: DomainLibrary): string =>
  `spec ${createHash('sha256')
    .update(JSON.stringify(settingsOf(library)))
    .digest('hex')
    .slice(0, 12)}`;

/** What begins the name of a discovery that an annotation asked for. */
export const ASKED = 'asked ';
const MOST_CHARACTERS = 120;

/** Value of the annotation that asks for one and has not been obeyed; of a long one its beginning counts. */
export function askedFor(library: DomainLibrary): string | undefined {
  const nonce = library.metadata.annotations?.[ANNOTATIONS.discover]?.slice(0, MOST_CHARACTERS);
  return nonce === undefined || nonce === library.status?.lastHandled?.['discover'] ? undefined : nonce;
}

/** Why the schedule can't be read. */
export function discoveryProblem({ spec }: DomainLibrary): string | undefined {
  const schedule = spec.discovery?.schedule;
  return schedule === undefined ? undefined : scheduleProblem({ schedule }, 'spec.discovery');
}

/** When the schedule fires next, from the moment up to which it has been obeyed; one that can't be read never does. */
export function nextDiscovery(library: DomainLibrary): number | undefined {
  const schedule = library.spec.discovery?.schedule;
  const obeyed = library.status?.discovery?.scheduledAt;
  if (schedule === undefined || obeyed === undefined || discoveryProblem(library) !== undefined) return undefined;
  return nextFire({ schedule }, Date.parse(obeyed));
}

/** What is to be answered now; undefined: nothing. */
export function wanted(library: DomainLibrary, now: number): string | undefined {
  const nonce = askedFor(library);
  if (nonce !== undefined) return `${ASKED}${nonce}`;
  const { discovery } = library.spec;
  if (discovery === undefined) return undefined;
  const next = nextDiscovery(library);
  if (next !== undefined && next <= now) return `schedule ${new Date(next).toISOString()}`;
  const change = changeOfSpec(library);
  return discovery.schedule === undefined && library.status?.discovery?.spec !== change ? change : undefined;
}
