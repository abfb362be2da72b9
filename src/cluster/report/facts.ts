import { supportedVersion } from '../../qdrant/index.ts';
import { fieldsNotActedOn } from '../decide/not-acted-on.ts';
import type { Operation } from '../decide/step.ts';
import type { Decision } from '../decide.ts';
import type { Reason } from '../reasons.ts';
import { firstFew } from '../settled.ts';
import { type Shard, shardName, type Topology, transferKey, versionsOf } from '../topology.ts';
import { isExternal, type World } from '../world.ts';
import type { Fact } from './conditions.ts';
import { type Trouble, troubles, unavailable } from './health.ts';

/** After this time a transfer is called stuck. */
const STUCK_SECONDS = 1800;

/** How the pass ended, beside what it saw. */
export type Ending = {
  /** Terminal: the spec must change. */
  readonly invalid: readonly string[];
  /** The pass failed with this error, which holds no secret. */
  readonly failure: string | undefined;
  /** Something would be done if it weren't for `spec.suspend`. */
  readonly pending: boolean;
};

const PROGRESS: Record<Operation['name'], Reason> = {
  Create: 'Creating',
  ScaleOut: 'ScalingOut',
  ScaleIn: 'ScalingIn',
  RollingRestart: 'Restarting',
  Heal: 'Healing',
  Delete: 'Deleting',
};

/** Troubles that are no sign of damage by themselves: they come with every change and pass. */
const HARMLESS = new Set<Reason>(['TransfersRunning', 'ViewsDisagree']);

type Seen = {
  readonly world: World;
  readonly topology: Topology;
  readonly decision: Decision | undefined;
  readonly ending: Ending;
};

/** Everything that stands in the conditions. */
export function factsOf(seen: Seen): Fact[] {
  const { world, topology, decision, ending } = seen;
  const all = [
    ready(seen),
    available(world, topology),
    degraded(world, topology),
    scalingBlocked(decision),
    progressing(seen),
    stalled(ending),
    suspended(world, ending),
    taken(world),
    notActedOn(world),
    keyChanged(world),
    standalone(topology),
    untested(topology),
    stuck(world, topology),
  ];
  return all.filter((fact) => fact !== undefined);
}

const is = (type: string, { reason, message }: Trouble): Fact => ({ type, status: 'True', reason, message });
const isNot = (type: string, { reason, message }: Trouble): Fact => ({ type, status: 'False', reason, message });

function ready(seen: Seen): Fact {
  const { world, topology, decision, ending } = seen;
  const why =
    invalid(ending) ??
    failure(ending) ??
    blocking(world) ??
    nameTaken(world) ??
    troubles(world, topology)[0] ??
    underWay(decision?.operation);
  const message = `${topology.members.length} peers, all replicas Active${hearsay(topology)}`;
  const healthy = { reason: 'Ready', message } as const;
  return why === undefined ? is('Ready', healthy) : isNot('Ready', why);
}

/** What the word rests on where members stand behind one address. */
function hearsay({ members }: Topology): string {
  const unasked = members.filter(({ standing }) => standing === 'unasked').length;
  const told = members.filter(({ view, standing }) => view === undefined && standing === 'answers').length;
  if (unasked > 0) return `, by the peer that answers; ${unasked} can't be asked one by one and nobody tells of them`;
  return told > 0 ? `, by the peer that answers; ${told} can't be asked one by one, Qdrant calls them responsive` : '';
}

/** A problem that is more than a note. */
const blocking = ({ problem }: World): Trouble | undefined => (problem?.reason === 'KeyChanged' ? undefined : problem);

const invalid = ({ invalid: rules }: Ending): Trouble | undefined =>
  rules.length === 0 ? undefined : { reason: 'InvalidSpec', message: rules.join('; ') };
const failure = ({ failure: message }: Ending): Trouble | undefined =>
  message === undefined ? undefined : { reason: 'ReconcileFailed', message };

function underWay(operation: Operation | undefined): Trouble | undefined {
  if (operation === undefined) return undefined;
  const { name, step, target, blockedBy } = operation;
  const about = target === undefined ? step : `${step} ${target}`;
  const waits = blockedBy.map((blocker) => `${blocker.name}: ${blocker.reason}`).join('; ');
  return { reason: PROGRESS[name], message: waits === '' ? about : `${about} waits for ${waits}` };
}

function available(world: World, topology: Topology): Fact {
  const why = unavailable(world, topology);
  const serving = { reason: 'Serving', message: 'every shard has a readable replica' } as const;
  return why === undefined ? is('Available', serving) : isNot('Available', why);
}

function degraded(world: World, topology: Topology): Fact {
  const healthy = { reason: 'Healthy', message: 'nothing is degraded' } as const;
  if (world.cluster.status?.founded === undefined && topology.members.length === 0 && !isExternal(world.cluster)) {
    return isNot('Degraded', healthy);
  }
  // A replica on its way, to which a shard is moved or copied, isn't damaged.
  const [worst] = troubles(world, withoutArrivals(topology)).filter(
    ({ reason, message }) =>
      !HARMLESS.has(reason) && !(reason === 'PeersNotReady' && !message.endsWith("don't answer")),
  );
  return worst === undefined ? isNot('Degraded', healthy) : is('Degraded', worst);
}

function withoutArrivals(topology: Topology): Topology {
  const arrives = ({ collection, id }: Shard, peer: number) =>
    topology.transfers.some(({ to, ...one }) => one.collection === collection && one.shard === id && to === peer);
  const shards = topology.shards.map((shard) => ({
    ...shard,
    replicas: shard.replicas.filter(({ peer }) => !arrives(shard, peer)),
  }));
  return { ...topology, shards };
}

function scalingBlocked(decision: Decision | undefined): Fact {
  const scaling = (decision?.proposals ?? []).filter(
    ({ operation }) => operation.name === 'ScaleIn' || operation.name === 'ScaleOut',
  );
  const lasting = scaling.flatMap(({ operation }) => operation.blockedBy).filter(({ passing }) => !passing);
  if (lasting.length === 0)
    return isNot('ScalingBlocked', { reason: 'NothingBlocked', message: 'nothing stands against scaling' });
  return is('ScalingBlocked', {
    reason: 'PredicateRefuses',
    message: lasting.map(({ name, reason }) => `${name}: ${reason}`).join('; '),
  });
}

function progressing({ world, decision, ending }: Seen): Fact | undefined {
  if (ending.invalid.length > 0 || world.cluster.spec.suspend === true) return undefined;
  const why = failure(ending) ?? underWay(decision?.operation) ?? blocking(world);
  return why === undefined ? undefined : is('Reconciling', why);
}

const stalled = (ending: Ending): Fact | undefined => {
  const why = invalid(ending);
  return why === undefined ? undefined : is('Stalled', why);
};

function suspended({ cluster }: World, { pending }: Ending): Fact | undefined {
  if (cluster.spec.suspend !== true) return undefined;
  const message = pending ? 'suspended: changes are pending' : 'suspended: no changes are pending';
  return is('Suspended', { reason: 'Suspended', message });
}

const nameTaken = ({ taken: names }: World): Trouble | undefined =>
  names.length === 0
    ? undefined
    : { reason: 'NameTaken', message: `belong to someone else and aren't touched: ${firstFew(names)}` };

function taken(world: World): Fact | undefined {
  const why = nameTaken(world);
  return why === undefined ? undefined : is('NameTaken', why);
}

function notActedOn(world: World): Fact | undefined {
  const fields = fieldsNotActedOn(world);
  if (fields.length === 0) return undefined;
  return is('FieldsNotActedOn', { reason: 'NotBuilt', message: `nothing acts on these yet: ${fields.join(', ')}` });
}

const keyChanged = ({ problem }: World): Fact | undefined =>
  problem?.reason === 'KeyChanged' ? is('KeyChanged', problem) : undefined;

function standalone({ views }: Topology): Fact | undefined {
  const alone = views.filter(({ distributed }) => !distributed).map(({ name }) => name);
  if (alone.length === 0) return undefined;
  return isNot('Distributed', { reason: 'Standalone', message: `${firstFew(alone)} run without distributed mode` });
}

function untested(topology: Topology): Fact | undefined {
  const [newer] = versionsOf(topology).flatMap((version) => {
    const support = supportedVersion(version);
    return support.kind === 'newer' ? [support.message] : [];
  });
  return newer === undefined ? undefined : is('VersionUntested', { reason: 'VersionUntested', message: newer });
}

function stuck({ now, transfersSince }: World, { transfers }: Topology): Fact | undefined {
  const old = transfers.filter((transfer) => {
    const since = transfersSince.get(transferKey(transfer));
    return since !== undefined && now - since > STUCK_SECONDS * 1000;
  });
  if (old.length === 0) return undefined;
  const names = firstFew(old.map(({ collection, shard }) => shardName({ collection, id: shard })));
  return is('TransferStuck', { reason: 'TransferStuck', message: `for more than ${STUCK_SECONDS} s: ${names}` });
}
