import { ANNOTATIONS, type DomainLibrary } from '../../api/index.ts';
import type { Occurrence } from '../../kube/index.ts';
import type { Active } from '../decide/active.ts';
import { type Note, type Plan, timestamp } from '../plan.ts';
import { attemptsOf, jobsNamed } from '../snapshots/decide/attempts.ts';
import type { SeenWorld } from '../world.ts';
import { LEAST_POINTS } from './discover.ts';
import { DISCOVER_TASK, discoveryJobPrefix, discoveryNames } from './objects.ts';
import type { DiscoveryOrder } from './orders.ts';
import type { DiscoveryResult } from './progress.ts';
import {
  ASKED,
  askedFor,
  changeOfSpec,
  type DiscoveryStatus,
  discoveryProblem,
  nextDiscovery,
  settingsOf,
  wanted,
} from './wanted.ts';

const AGAIN_SECONDS = 5;

/** Runs one discovery at a time: by schedule, on demand, or once for each change of its settings. */
export function discoverDomains(world: SeenWorld, active: Active): Plan | undefined {
  const { library, now } = world;
  const { running } = library.status?.discovery ?? {};
  if (running !== undefined) return goOn(world, active, running);
  return named(library, putAway(world) ?? begin(world, active) ?? waitForNext(library, now));
}

/** A schedule that nobody can read is told, whatever else is to be done: on demand it goes on working. */
function named(library: DomainLibrary, plan: Plan | undefined): Plan | undefined {
  const problem = discoveryProblem(library);
  if (problem === undefined || plan?.notes?.some(({ type }) => type === 'DiscoveryFailing') === true) return plan;
  const note: Note = { type: 'DiscoveryFailing', status: 'True', reason: 'InvalidSpec', message: problem };
  return { steps: [], ...plan, notes: [...(plan?.notes ?? []), note] };
}

const order = (what: DiscoveryOrder): Plan['steps'] => [{ kind: 'discover', order: what }];

/** What stands in the status of discovery, without the one that runs. */
function idle({ library }: SeenWorld): DiscoveryStatus {
  const { running: _, ...rest } = library.status?.discovery ?? {};
  return rest;
}

function begin(world: SeenWorld, active: Active): Plan | undefined {
  const { library, now } = world;
  const { discovery } = library.spec;
  if (discovery?.schedule !== undefined && library.status?.discovery?.scheduledAt === undefined) {
    // From the moment at which a schedule is seen first.
    return { steps: [], status: { discovery: { ...idle(world), scheduledAt: timestamp(now) } } };
  }
  const refused = discovery === undefined && askedFor(library) === undefined ? undefined : refusal(world, active);
  if (refused !== undefined)
    return { ...waitForNext(library, now), steps: [], notes: [refused], ...again(refused, library) };
  const change = wanted(library, now);
  if (change === undefined) return undefined;
  const running = { change, startedAt: timestamp(now), attempt: 0 };
  return { steps: [], status: { discovery: { ...idle(world), running } } };
}

/** Nobody tells when shards can be read again. */
const again = ({ reason }: Note, library: DomainLibrary): Pick<Plan, 'again'> =>
  reason === 'WaitingForShards' && wanted(library, Number.POSITIVE_INFINITY) !== undefined
    ? { again: AGAIN_SECONDS }
    : {};

const refuse = (reason: string, message: string): Note => ({ type: 'Discovered', status: 'False', reason, message });

/** Why none can be run as things are. */
function refusal({ library }: SeenWorld, { collection }: Active): Note | undefined {
  if (settingsOf(library).action === 'Split') {
    return refuse(
      'NotBuilt',
      'spec.discovery.action: "Split": nothing splits libraries yet; "Recommend" reports domains',
    );
  }
  if (vectorOf(collection) === undefined) {
    return refuse(
      'NoDenseVector',
      `${collection.name} has no dense vector with one row a point: only such are compared`,
    );
  }
  if (collection.points < LEAST_POINTS) {
    const message = `${collection.name} has ${collection.points} points; domains are looked for from ${LEAST_POINTS} on`;
    return refuse('LibraryTooSmall', message);
  }
  if (collection.unreadable.length > 0) {
    return refuse(
      'WaitingForShards',
      `shards ${collection.unreadable.join(', ')} can't be read: domains may lie in them`,
    );
  }
  return undefined;
}

/** The unnamed vector, else the first by name; no multivectors. */
export function vectorOf({ observed }: Pick<Active['collection'], 'observed'>): string | undefined {
  return Object.entries(observed.vectors)
    .filter(([, config]) => config['multivector_config'] === undefined)
    .map(([name]) => name)
    .toSorted()[0];
}

type Running = NonNullable<DiscoveryStatus['running']>;

function goOn(world: SeenWorld, active: Active, running: Running): Plan {
  const { library, discovery, tasks, now } = world;
  const { progress } = discovery;
  const { change } = running;
  const jobs = jobsNamed(tasks, discoveryJobPrefix(library.metadata.name, change));
  if (!stillWanted(library, running)) return giveUp(world);
  if (progress?.change === changeId(library, change) && progress.phase === 'Done' && progress.result !== undefined) {
    return finish(world, running, progress.result);
  }
  const attempts = attemptsOf(jobs, now);
  const told = progress?.change === changeId(library, change) ? progress.failure : undefined;
  const failed = told ?? { reason: 'TaskFailed', message: 'the worker ended before its work was done; see its log' };
  const notes = told !== undefined || (jobs.length > 0 && attempts.kind !== 'running') ? [failing(failed)] : [];
  if (attempts.kind === 'running') return { steps: [], notes };
  if (attempts.kind === 'later') return { steps: [], notes, again: attempts.seconds };
  const refused = refusal(world, active);
  if (refused !== undefined) return { steps: [], notes: [refused, ...notes], again: AGAIN_SECONDS };
  const { attempt } = attempts;
  return {
    steps: order({ do: 'run', change, attempt, vector: vectorOf(active.collection) ?? '' }),
    status: { discovery: { ...idle(world), running: { ...running, attempt } } },
    notes,
    events: attempt === 1 ? [] : [announce('Warning', 'DiscoveryFailed', failing(failed).message)],
  };
}

/** Progress of another object of this name is no progress of this one. */
export const changeId = ({ metadata }: DomainLibrary, change: string): string => `${metadata.uid}/${change}`;

/** What was ordered by the spec ends with it; what was asked for by annotation goes on. */
function stillWanted(library: DomainLibrary, { change }: Running): boolean {
  if (change.startsWith(ASKED)) return library.metadata.annotations?.[ANNOTATIONS.discover] !== undefined;
  if (library.spec.discovery === undefined) return false;
  return change.startsWith('schedule ') || change === changeOfSpec(library);
}

function giveUp(world: SeenWorld): Plan {
  const jobs = world.tasks.filter(({ task, alive }) => task === DISCOVER_TASK && alive).map(({ name }) => name);
  if (jobs.length > 0) return { steps: [{ kind: 'stopCopy', jobs }], again: 1 };
  const before = idle(world);
  return { steps: [], status: { discovery: Object.keys(before).length === 0 ? null : before } };
}

function finish(world: SeenWorld, { change }: Running, result: DiscoveryResult): Plan {
  const { library, now } = world;
  const { scheduledAt } = library.status?.discovery ?? {};
  const { outcome, message, points, sampled, domains } = result;
  const scheduled = change.startsWith('schedule ');
  const obeyed = scheduled ? timestamp(now) : scheduledAt;
  const status: DiscoveryStatus = {
    ranAt: timestamp(now),
    change,
    ...(library.spec.discovery === undefined ? {} : { spec: changeOfSpec(library) }),
    outcome,
    message: message.slice(0, 1024),
    points,
    sampled,
    domains: domains.map(({ name, sharePercent, points: count }) => ({
      name,
      sharePercent: Math.round(sharePercent),
      points: count,
    })),
    report: discoveryNames(library.metadata.name).progress,
    ...(obeyed === undefined ? {} : { scheduledAt: obeyed }),
  };
  const reason = outcome === 'Domains' ? 'DomainsFound' : outcome === 'NoDomains' ? 'NoDomains' : 'LibraryTooSmall';
  return {
    steps: [],
    status: {
      discovery: status,
      ...(change.startsWith(ASKED) ? { handled: { discover: change.slice(ASKED.length) } } : {}),
    },
    events: [announce('Normal', reason, message)],
  };
}

const announce = (type: Occurrence['type'], reason: string, note: string): Occurrence => ({
  type,
  reason,
  action: 'Discover',
  note: note.slice(0, 1000),
});

const failing = ({ reason, message }: { readonly reason: string; readonly message: string }): Note => ({
  type: 'DiscoveryFailing',
  status: 'True',
  reason,
  message: `domains are not looked for yet, and it is tried again: ${message}`,
});

function putAway({ discovery, tasks }: SeenWorld): Plan | undefined {
  if (!discovery.objects || tasks.some(({ task, alive }) => task === DISCOVER_TASK && alive)) return undefined;
  return { steps: order({ do: 'putAway' }) };
}

function waitForNext(library: DomainLibrary, now: number): Plan | undefined {
  const next = nextDiscovery(library);
  return next === undefined ? undefined : { steps: [], again: Math.max(0.1, (next - now) / 1000) };
}

/** What the last discovery came to stays to be read, whatever else a pass does. */
export function discoveryNotes({ status, spec, metadata }: DomainLibrary): Note[] {
  const { outcome, message = '' } = status?.discovery ?? {};
  const concerned = spec.discovery !== undefined || metadata.annotations?.[ANNOTATIONS.discover] !== undefined;
  if (outcome === undefined || !concerned) return [];
  const reasons = { Domains: 'DomainsFound', NoDomains: 'NoDomains', TooSmall: 'LibraryTooSmall' } as const;
  const found = outcome === 'Domains' ? 'True' : 'False';
  return [{ type: 'Discovered', status: found, reason: reasons[outcome], message }];
}
