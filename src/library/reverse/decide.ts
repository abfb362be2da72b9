import type { Blocker, ComparingStatus, ComparisonStatus, GenerationStatus } from '../../api/index.ts';
import { disabledPredicates, isDisabled } from '../../api/index.ts';
import type { Occurrence } from '../../kube/index.ts';
import type { ReverseProgress, ReverseResult } from '../../migration/index.ts';
import type { Active } from '../decide/active.ts';
import { orderedMove } from '../decide/placement.ts';
import { carrying } from '../decide/projection.ts';
import { collectionAt } from '../decide/site.ts';
import { reusable } from '../decide/way-back.ts';
import { aliasesOf, deadPeers } from '../look.ts';
import { generationsOf, type Note, on, type Plan, timestamp, withGeneration } from '../plan.ts';
import { attemptsOf, jobsNamed } from '../snapshots/decide/attempts.ts';
import { rollbackNow } from '../snapshots/decide/under-way.ts';
import { placeNamed, type SeenWorld, seenPlace } from '../world.ts';
import { REVERSE_TASK, reverseJobPrefix } from './names.ts';
import { HOLDS_WHAT_WAS_LEFT, LACKING_PERCENT, lacksTooMuch } from './predicates.ts';

const AGAIN_SECONDS = 5;
/** At most a twentieth of the time both sides are read. */
const REST_FACTOR = 20;
/** What it came to stands in the status, and is told in conditions by the next pass. */
const TELL_SECONDS = 0.1;
const HOUR_SECONDS = 3600;
const DEFAULT_INTERVAL_SECONDS = 300;

export const intervalSeconds = ({ library }: Pick<SeenWorld, 'library'>): number =>
  library.spec.generations?.reverseSyncSeconds ?? DEFAULT_INTERVAL_SECONDS;

/** The generation that the last move has left: what a move back goes onto. */
export const leftBehind = ({ library, cluster }: SeenWorld): GenerationStatus | undefined =>
  generationsOf(library.status).findLast(
    (entry) => entry.state === 'Retired' && entry.cluster !== cluster.metadata.name,
  );

type Running = GenerationStatus & { readonly comparing: ComparingStatus };

const running = ({ library }: SeenWorld): Running | undefined =>
  generationsOf(library.status).find((entry): entry is Running => entry.comparing !== undefined);

const alive = ({ tasks }: SeenWorld): string[] =>
  tasks.filter((task) => task.task === REVERSE_TASK && task.alive).map(({ name }) => name);

/** A library that is about to change keeps nothing in step: two workers would write to what was left. */
export function haltReverse(world: SeenWorld): Plan | undefined {
  const { library, settings } = world;
  const busy =
    library.status?.change !== undefined || orderedMove(library) !== undefined || rollbackNow(world) !== undefined;
  if (!busy) return undefined;
  const jobs = alive(world);
  const waiting = {
    reason: 'Changing',
    message: 'a comparison ends before the change',
    seconds: settings.busySeconds,
  } as const;
  if (jobs.length > 0) return { steps: [{ kind: 'stopCopy', jobs }], waiting };
  const entry = running(world);
  return entry === undefined ? undefined : { steps: [], status: { generations: withoutRun(world, entry) }, waiting };
}

function withoutRun({ library }: SeenWorld, { comparing: _comparing, ...entry }: GenerationStatus): GenerationStatus[] {
  return withGeneration(generationsOf(library.status), entry);
}

/** Keeps what a move has left in step with what serves, run after run. */
export function afterMove(world: SeenWorld, active: Active): Plan | undefined {
  const entry = running(world);
  if (entry !== undefined) return goOn(world, active, entry);
  return putAway(world) ?? closeWhatIsOpen(world) ?? beginSync(world, active);
}

function putAway(world: SeenWorld): Plan | undefined {
  if (!world.reverse.objects || alive(world).length > 0) return undefined;
  return { steps: [{ kind: 'reverse', order: { do: 'putAway' } }] };
}

/** A worker that was killed while it wrote has left open what it had opened. */
function closeWhatIsOpen(world: SeenWorld): Plan | undefined {
  const entry = leftBehind(world);
  const left = entry === undefined ? undefined : collectionAt(world, entry.cluster, entry.collection);
  if (entry === undefined || left?.mark?.fence === undefined || left.observed.strictMode['enabled'] === true)
    return undefined;
  const body = { strict_mode_config: { enabled: true, write_rate_limit: 1 } };
  return on(entry.cluster, { steps: [{ kind: 'patch', collection: left.name, body, note: `${left.name} closed` }] });
}

/** Milliseconds since the epoch; undefined: never. */
function dueAt(world: SeenWorld, active: Active, { comparison }: GenerationStatus): number | undefined {
  const interval = intervalSeconds(world);
  const switchedAt = generationsOf(world.library.status).find(({ number }) => number === active.generation)?.switchedAt;
  const since = comparison?.at ?? switchedAt;
  if (interval === 0 || since === undefined) return undefined;
  // It was found as it had been left: what waited for that begins.
  if (comparison?.runs === 0) return Date.parse(since);
  const rest = (Number(comparison?.milliseconds ?? 0) * REST_FACTOR) / 1000;
  return Date.parse(since) + Math.max(interval, rest) * 1000;
}

function beginSync(world: SeenWorld, active: Active): Plan | undefined {
  const entry = leftBehind(world);
  if (entry === undefined) return undefined;
  const at = dueAt(world, active, entry);
  if (at === undefined || whyNot(world, entry) !== undefined) return undefined;
  if (world.now < at) return { steps: [], again: Math.max(0.1, (at - world.now) / 1000) };
  // Nothing is written to it before it was seen that nobody else has.
  return begin(world, entry, entry.comparison !== undefined || digestAtMove(world, active, entry) === undefined);
}

function begin({ library, now }: SeenWorld, entry: GenerationStatus, write: boolean): Plan {
  const startedAt = timestamp(now);
  const comparing = { run: `${write ? 'sync' : 'check'} ${startedAt}`, write, startedAt, attempt: 0 };
  return { steps: [], status: { generations: withGeneration(generationsOf(library.status), { ...entry, comparing }) } };
}

/** Compares before a drop, where nothing recent speaks for what serves; undefined: it was not long ago. */
export function compareBeforeDrop(world: SeenWorld, entry: GenerationStatus): Plan | undefined {
  if (running(world) !== undefined || alive(world).length > 0 || world.reverse.objects) return undefined;
  const { comparison } = entry;
  const rest = (Number(comparison?.milliseconds ?? 0) * REST_FACTOR) / 1000;
  const refused = Number(comparison?.lacking ?? 0) > 0;
  const least = comparison === undefined ? 0 : Math.max(refused ? HOUR_SECONDS : 0, rest);
  if (comparison !== undefined && world.now < Date.parse(comparison.at) + least * 1000) return undefined;
  return begin(world, entry, false);
}

/**
 * Digest of what was left as it was proved at the switch. Undefined: another one took over since, late writes have
 * changed it, points read differently on both, or shards were carried over as they are, of which the proof may rest on
 * the versions of points instead of their contents.
 */
export function digestAtMove(world: SeenWorld, active: Active, entry: GenerationStatus): string | undefined {
  const generations = generationsOf(world.library.status);
  const before = generations.findLast(({ number, state }) => number < active.generation && state === 'Retired');
  const left = collectionAt(world, entry.cluster, entry.collection);
  if (before?.number !== entry.number || entry.lateWrites !== 'None' || left === undefined) return undefined;
  const { projection } = carrying(left.observed, active.collection.observed);
  const asItIs =
    Object.keys(projection.vectors).length === 0 &&
    left.observed.customSharding === active.collection.observed.customSharding;
  const serving = generations.find(({ number }) => number === active.generation);
  return asItIs && serving?.engine !== 'ShardSnapshot' ? serving?.digest : undefined;
}

/** Why what was left can't be brought in step as things are. */
function whyNot(world: SeenWorld, entry: GenerationStatus): Omit<Note, 'type' | 'status'> | undefined {
  const what = `generation ${entry.number} (${entry.collection}) on ${entry.cluster}`;
  const place = placeNamed(world, entry.cluster);
  const seen = place === undefined ? undefined : seenPlace(place);
  if (place === undefined || seen === undefined || collectionAt(world, entry.cluster, entry.collection) === undefined)
    return { reason: 'SourceAway', message: `${what} can't be looked at` };
  const [dead] = deadPeers(seen.look);
  if (dead !== undefined) return { reason: 'SourceAway', message: `${what}: ${dead}` };
  if (entry.lateWrites !== 'None' && entry.lateWrites !== 'BroughtOver')
    return { reason: 'LateWrites', message: `${what} may hold writes that came after the proof: it stays as it is` };
  if (entry.comparison?.asLeft === false)
    return { reason: 'LateWrites', message: `${what} was written to after the library had left it: it stays as it is` };
  if (aliasesOf(seen.look, entry.collection).length > 0 || reusable(world, place)?.number !== entry.number)
    return { reason: 'SourceDiffers', message: `${what} has not the shape that is wanted now` };
  return undefined;
}

const order = (
  { library }: SeenWorld,
  { number, cluster, collection }: GenerationStatus,
  { run, write, attempt }: ComparingStatus,
): Plan['steps'] => {
  const accepted = isDisabled(disabledPredicates(library), HOLDS_WHAT_WAS_LEFT);
  const removalPercent = accepted ? 100 : LACKING_PERCENT;
  return [
    {
      kind: 'reverse',
      order: { do: 'run', generation: number, cluster, collection, run, attempt, write, removalPercent },
    },
  ];
};

function goOn(world: SeenWorld, active: Active, { comparing, ...entry }: Running): Plan {
  const { library, tasks, now } = world;
  const told = world.reverse.progress.find(({ change }) => change === `${library.metadata.uid}/${comparing.run}`);
  if (told?.phase === 'Done' && told.result !== undefined)
    return finish(world, active, { ...entry, comparing }, told.result);
  if (!stillWanted(world, entry, comparing)) {
    const jobs = alive(world);
    return jobs.length > 0
      ? { steps: [{ kind: 'stopCopy', jobs }], again: 1 }
      : { steps: [], status: { generations: withoutRun(world, entry) } };
  }
  const attempts = attemptsOf(jobsNamed(tasks, reverseJobPrefix(library.metadata.name, comparing.run)), now);
  if (attempts.kind === 'running') return { steps: [] };
  if (attempts.kind === 'later') return { steps: [], again: attempts.seconds, notes: [failing(entry, told)] };
  if (collectionAt(world, entry.cluster, entry.collection) === undefined) return { steps: [], again: AGAIN_SECONDS };
  const next = { ...comparing, attempt: attempts.attempt };
  return {
    steps: order(world, entry, next),
    status: { generations: withGeneration(generationsOf(library.status), { ...entry, comparing: next }) },
  };
}

/** What is no longer Retired is in use again, or on its way out. */
const stillWanted = (world: SeenWorld, entry: GenerationStatus, { write }: ComparingStatus): boolean =>
  entry.state === 'Retired' &&
  entry.cluster !== world.cluster.metadata.name &&
  (!write ||
    (intervalSeconds(world) > 0 &&
      leftBehind(world)?.number === entry.number &&
      ['SourceAway', undefined].includes(whyNot(world, entry)?.reason)));

const failing = (entry: GenerationStatus, told: ReverseProgress | undefined): Note => ({
  type: 'ReverseSync',
  status: 'False',
  reason: 'ReverseSyncFailing',
  message: `generation ${entry.number} (${entry.collection}) on ${entry.cluster} could not be compared with what serves, and it is tried again: ${
    told?.failure?.message ?? 'the worker ended before its work was done; see its log'
  }`,
});

function finish(world: SeenWorld, active: Active, entry: Running, result: ReverseResult): Plan {
  const { comparing, comparison: before, ...rest } = entry;
  const { write } = comparing;
  const wasLeft = digestAtMove(world, active, entry);
  const asLeft = before?.asLeft ?? (wasLeft === undefined ? undefined : result.left === wasLeft);
  const syncedAt = (write && result.lacking === 0) || result.equal ? timestamp(result.begunAt) : before?.syncedAt;
  const comparison: ComparisonStatus = {
    at: timestamp(result.begunAt),
    ...(syncedAt === undefined ? {} : { syncedAt }),
    ...(asLeft === undefined ? {} : { asLeft }),
    runs: (before?.runs ?? 0) + (write ? 1 : 0),
    points: result.points,
    written: Number(before?.written ?? 0) + (write ? result.written : 0),
    removed: Number(before?.removed ?? 0) + result.removed,
    lacking: result.lacking,
    left: result.left,
    milliseconds: result.milliseconds,
  };
  const held = write && result.lacking > 0 && !(before !== undefined && lacksTooMuch(before));
  return {
    steps: [],
    status: { generations: withGeneration(generationsOf(world.library.status), { ...rest, comparison }) },
    events: held ? [heldEvent(entry, result.lacking)] : [],
    again: TELL_SECONDS,
  };
}

const heldWords = ({ number, collection, cluster }: GenerationStatus, lacking: number): string =>
  `${lacking} points of generation ${number} (${collection}) on ${cluster} are gone from what serves: they stay there, for they may be lost; ` +
  `if clients have deleted them, switch ${HOLDS_WHAT_WAS_LEFT} off`;

const heldEvent = (entry: GenerationStatus, lacking: number): Occurrence => ({
  type: 'Warning',
  reason: 'ReverseSyncHeld',
  action: 'Compare',
  note: heldWords(entry, lacking).slice(0, 1000),
});

/** How far what was left is in step; nothing where nobody wants that. */
export function reverseNotes(world: SeenWorld, active: Active): Note[] {
  const entry = leftBehind(world);
  const interval = intervalSeconds(world);
  if (entry === undefined || interval === 0 || world.library.status?.change !== undefined) return [];
  const type = 'ReverseSync' as const;
  const against = whyNot(world, entry);
  if (against !== undefined) return [{ type, status: 'False', ...against }];
  const what = `generation ${entry.number} (${entry.collection}) on ${entry.cluster}`;
  const { comparison } = entry;
  if (comparison !== undefined && lacksTooMuch(comparison))
    return [
      { type, status: 'False', reason: 'ReverseSyncHeld', message: heldWords(entry, Number(comparison.lacking)) },
    ];
  if (comparison?.syncedAt === undefined) {
    const at = dueAt(world, active, entry);
    const when = at === undefined ? '' : ` before ${timestamp(at)}`;
    return [{ type, status: 'False', reason: 'NotYet', message: `${what} is not brought in step${when}` }];
  }
  const message = `${what} has every write that was acknowledged before ${comparison.syncedAt}`;
  return [{ type, status: 'True', reason: 'InStep', message }];
}

/** What keeps a generation that a move has left from being dropped, though its time has come. */
export const dropNote = ({ number, collection, cluster }: GenerationStatus, blockedBy: readonly Blocker[]): Note => ({
  type: 'DropBlocked',
  status: 'True',
  reason: 'PredicatesRefuse',
  message: `generation ${number} (${collection}) on ${cluster} is kept: ${blockedBy.map(({ name, reason }) => `${name}: ${reason}`).join('; ')}`,
});
