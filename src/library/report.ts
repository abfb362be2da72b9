import { ANNOTATIONS, type Condition, type DomainLibrary, type DomainLibraryStatus } from '../api/index.ts';
import { type Finalized, finalizeConditions, type PassResult, removeCondition, setCondition } from '../kube/index.ts';
import { holderOf } from './decide/active.ts';
import type { Placed } from './decide/placement.ts';
import type { CollectionLook } from './look.ts';
import { bindingName, publicName } from './names.ts';
import { NOTE_TYPES, type Note, type Plan, timestamp } from './plan.ts';
import { snapshotStatus } from './snapshots/report.ts';
import type { World } from './world.ts';

export type Pass = {
  readonly world: World;
  readonly placed: Placed;
  readonly plan: Plan;
  /** Conditions of what is done beside the plan: the binding. */
  readonly notes: readonly Note[];
  /** What was thrown while acting; its message holds no secret. */
  readonly failure: { readonly reason: string; readonly message: string } | undefined;
  readonly invalid: readonly string[];
  readonly bound: boolean;
  /** Size of the vectors of the collection that serves; undefined: nobody has told it. */
  readonly vectorsBytes?: number | undefined;
};

const MOST = 1024;

/** The status that a pass comes to. Pure; a pass that changes nothing gives the status that there was. */
export function statusOf(pass: Pass): DomainLibraryStatus {
  const { world, plan, placed } = pass;
  const { library } = world;
  const { assignment: _assignment, change, vectorsBytes, discovery, ...before } = library.status ?? {};
  const now = timestamp(world.now);
  const serving = servingCollection(world);
  const { conditions, observedGeneration } = conditionsOf(pass, serving, now);
  // What a failed step was to bring about is not written down as done.
  const planned = pass.failure === undefined ? (plan.status ?? {}) : {};
  const nextChange = planned.change === undefined ? change : (planned.change ?? undefined);
  const nextDiscovery = planned.discovery === undefined ? discovery : (planned.discovery ?? undefined);
  const cluster = planned.cluster ?? placed.name ?? before.cluster;
  // Of a process that has just begun nobody has asked yet: what was told before stands.
  const bytes = (serving === undefined ? undefined : pass.vectorsBytes) ?? vectorsBytes;
  const handled = library.metadata.annotations?.[ANNOTATIONS.allowGap];
  const snapshots = snapshotStatus(world, planned.snapshots);
  return {
    ...before,
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    conditions,
    ...(cluster === undefined ? {} : { cluster }),
    ...(planned.generations === undefined ? {} : { generations: planned.generations }),
    ...(nextChange === undefined ? {} : { change: nextChange }),
    ...(serving === undefined ? {} : facts(serving)),
    ...(planned.collection === undefined ? {} : { collection: planned.collection }),
    ...(planned.generation === undefined ? {} : { generation: planned.generation }),
    ...(bytes === undefined ? {} : { vectorsBytes: bytes }),
    ...(pass.bound ? { binding: { name: bindingName(library.metadata.name) } } : {}),
    ...(planned.rollback === undefined ? {} : { rollback: planned.rollback }),
    ...(snapshots === undefined ? {} : { snapshots }),
    ...(nextDiscovery === undefined ? {} : { discovery: nextDiscovery }),
    ...handledVerbs(before, {
      ...planned.handled,
      ...(handled !== undefined && String(before.generation) === handled ? { 'allow-gap': handled } : {}),
    }),
  };
}

function handledVerbs(
  { lastHandled }: Pick<DomainLibraryStatus, 'lastHandled'>,
  now: Readonly<Record<string, string>>,
): Pick<DomainLibraryStatus, 'lastHandled'> {
  return Object.keys(now).length === 0 ? {} : { lastHandled: { ...lastHandled, ...now } };
}

/** The collection that answers to the public name and is ours. */
export function servingCollection({ library, sight }: World): CollectionLook | undefined {
  if (sight.kind === 'blind') return undefined;
  const holder = holderOf(library, sight.look);
  return holder.kind === 'ours' ? holder.collection : undefined;
}

const facts = ({ name, mark, points, status }: CollectionLook): Partial<DomainLibraryStatus> => ({
  collection: name,
  ...(mark === undefined ? {} : { generation: mark.generation }),
  points,
  status,
});

function conditionsOf(pass: Pass, serving: CollectionLook | undefined, now: string): Finalized {
  const { world, plan } = pass;
  const { metadata, status } = world.library;
  const generation = metadata.generation ?? 0;
  const notes: Note[] = [...(plan.notes ?? []), ...pass.notes];
  let list: Condition[] = [...(status?.conditions ?? [])];
  for (const type of NOTE_TYPES) {
    const note = notes.find((candidate) => candidate.type === type);
    if (note !== undefined)
      list = setCondition(
        list,
        { ...note, message: cut(note.message), observedGeneration: generation },
        now,
      ) as Condition[];
    // A binding outlives a pass that could not look at it.
    else if (type !== 'Bound' || plan.unready !== true) list = removeCondition(list, type) as Condition[];
  }
  // An invalid spec was not looked at any further: nobody knows whether what serves is what it means.
  const ready = pass.invalid.length > 0 ? undefined : readyOf(pass, serving);
  return finalizeConditions(list, {
    result: resultOf(pass),
    generation,
    now,
    observedGeneration: status?.observedGeneration ?? 0,
    ...(ready === undefined ? {} : { ready: { ...ready, message: cut(ready.message) } }),
  });
}

const cut = (message: string): string => (message.length <= MOST ? message : `${message.slice(0, MOST - 1)}…`);

function resultOf({ plan, failure, invalid }: Pass): PassResult {
  if (invalid.length > 0) return { kind: 'stalled', reason: 'InvalidSpec', message: cut(invalid.join('; ')) };
  if (failure !== undefined) return { kind: 'wait', seconds: 0, reason: failure.reason, message: cut(failure.message) };
  const { waiting, stalled } = plan;
  if (waiting === undefined && plan.steps.length > 0) {
    const message = `${plan.steps.map(({ kind }) => kind).join(', ')}: done; there may be more to do`;
    return { kind: 'wait', seconds: 0, reason: 'Changing', message };
  }
  if (waiting === undefined) return { kind: 'done' };
  if (stalled === true) return { kind: 'stalled', reason: waiting.reason, message: cut(waiting.message) };
  return { kind: 'wait', seconds: waiting.seconds, reason: waiting.reason, message: cut(waiting.message) };
}

type Ready = { readonly status: 'True' | 'False' | 'Unknown'; readonly reason: string; readonly message: string };

/** Whether clients can use the library, whatever else is being done. */
function readyOf({ world, plan }: Pass, serving: CollectionLook | undefined): Ready | undefined {
  const { waiting, unready } = plan;
  if (unready === true && waiting !== undefined) {
    return { status: 'False', reason: waiting.reason, message: waiting.message };
  }
  if (serving === undefined) {
    // Steps were taken, and nobody knows yet what they came to: finished they are not.
    if (waiting !== undefined) return undefined;
    return {
      status: 'False',
      reason: 'Creating',
      message: `no collection answers to ${publicName(world.library)} yet`,
    };
  }
  const { name, unreadable, status } = serving;
  if (unreadable.length > 0) {
    const message = `shards ${unreadable.join(', ')} of ${name} have no readable replica: answers leave their points out`;
    return { status: 'False', reason: 'WaitingForShards', message };
  }
  if (status === 'red') {
    return {
      status: 'False',
      reason: 'CollectionRed',
      message: `Qdrant calls ${name} red: an operation on it has failed`,
    };
  }
  return { status: 'True', reason: 'Ready', message: `${name} answers to ${publicName(world.library)}` };
}

/** The status without what only ticks: whether the rest has changed decides over events and immediate writes. */
export function withoutTicks(status: DomainLibraryStatus): DomainLibraryStatus {
  const { points: _points, vectorsBytes: _bytes, change, conditions, ...rest } = status;
  return {
    ...rest,
    ...(conditions === undefined
      ? {}
      : { conditions: conditions.map((condition) => ({ ...condition, message: withoutNumbers(condition.message) })) }),
    ...(change === undefined
      ? {}
      : {
          change: {
            step: change.step,
            from: change.from,
            to: change.to,
            reason: change.reason,
            startedAt: change.startedAt,
            ...(change.fromCluster === undefined ? {} : { fromCluster: change.fromCluster }),
            ...(change.toCluster === undefined ? {} : { toCluster: change.toCluster }),
          },
        }),
  };
}

const withoutNumbers = (message: string): string => message.replace(/\d+(?:\.\d+)?/g, '0');

export const isDeleting = ({ metadata }: DomainLibrary): boolean => metadata.deletionTimestamp !== undefined;
