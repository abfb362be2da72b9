import { supportedVersion } from '../../qdrant/index.ts';
import { founderWithheld } from '../decide/found.ts';
import { keepers, stillJoining } from '../decide/keepers.ts';
import { lastPeer } from '../decide/marks.ts';
import type { Reason } from '../reasons.ts';
import { firstFew } from '../settled.ts';
import { isActive, isReadable, majorityAnswers, shardName, strangers, type Topology, versionsOf } from '../topology.ts';
import { isExternal, sizeOf, type World } from '../world.ts';

export type Trouble = { readonly reason: Reason; readonly message: string };

type Check = (world: World, topology: Topology) => string | undefined;

/** What can be wrong, worst first. Judged from `/cluster`, replica states and transfers of every view, never by /readyz (S9). */
const CHECKS: readonly (readonly [Reason, Check])[] = [
  [
    'KeyRefused',
    (_, { views, silent }) => {
      const refused = silent.filter(({ status }) => status === 401 || status === 403);
      return views.length === 0 && refused.length > 0
        ? `${firstFew(refused.map(({ name }) => name))} refuse the API key`
        : undefined;
    },
  ],
  ['FounderWithheld', (world) => (world.cluster.status?.founded === undefined ? founderWithheld(world) : undefined)],
  [
    'Unreachable',
    (world, { views, silent }) => {
      if (views.length > 0 || (world.cluster.status?.founded === undefined && !isExternal(world.cluster)))
        return undefined;
      return `no peer answers: ${
        firstFew(
          silent.map(({ error }) => error),
          1,
        ) || 'none was asked'
      }`;
    },
  ],
  [
    'UnsupportedVersion',
    (_, topology) => {
      const old = versionsOf(topology).flatMap((version) => {
        const support = supportedVersion(version);
        return support.kind === 'older' || support.kind === 'unreadable' ? [support.message] : [];
      });
      return old.length === 0 ? undefined : firstFew([...new Set(old)]);
    },
  ],
  [
    'ConsensusStopped',
    (_, { views, members }) => {
      const told = members.flatMap(({ name, view, report }) =>
        view !== undefined || report?.consensus === undefined ? [] : [{ ...report, name }],
      );
      const stopped = [...views, ...told].filter(({ consensus }) => consensus !== 'working');
      return stopped.length === 0
        ? undefined
        : firstFew(stopped.map(({ name, consensus, consensusError }) => `${name}: ${consensusError ?? consensus}`));
    },
  ],
  ['ShardsLost', (_, { lostShards }) => (lostShards.length === 0 ? undefined : firstFew(lostShards))],
  [
    'PeerOutsideCluster',
    (world, topology) => {
      const names = foreign(world, topology);
      return names.length === 0 ? undefined : `${firstFew(names)} answer but belong to another cluster or to none`;
    },
  ],
  ['ViewsDisagree', (_, { disagreements }) => (disagreements.length === 0 ? undefined : firstFew(disagreements))],
  ['PeersNotReady', peersNotReady],
  [
    'ReplicasNotActive',
    (_, { shards }) => {
      const inactive = shards.filter(({ replicas }) => !replicas.every(isActive)).map(shardName);
      return inactive.length === 0 ? undefined : `not Active in every view: ${firstFew(inactive)}`;
    },
  ],
  [
    'TransfersRunning',
    (_, { transfers }) => (transfers.length === 0 ? undefined : `${transfers.length} shard transfers run`),
  ],
];

/**
 * Peers that don't know the members. One that was just removed is on its way out, and a joiner isn't ready before it
 * knows them; a founder of a cluster of its own is ready at once (S10).
 */
function foreign(world: World, topology: Topology): string[] {
  const leaving =
    lastPeer(world, topology) === 'removed'
      ? `${world.cluster.metadata.name}-${(world.statefulSet?.replicas ?? 0) - 1}`
      : undefined;
  const starting = world.pods.filter(({ ready }) => !ready).map(({ name }) => name);
  return strangers(topology).filter((name) => name !== leaving && !starting.includes(name));
}

function peersNotReady(world: World, topology: Topology): string | undefined {
  const silent = topology.members
    .filter((member) => member.standing === 'silent' && !stillJoining(world, member))
    .map(({ name }) => name);
  if (silent.length > 0) return `${firstFew(silent)} don't answer`;
  const mute = topology.members.filter(({ report }) => report?.isVoter === false).map(({ name }) => name);
  if (mute.length > 0) return `${firstFew(mute)} don't vote yet`;
  const unborn = world.cluster.status?.founded === undefined && topology.members.length === 0;
  if (isExternal(world.cluster) || unborn) return undefined;
  const size = sizeOf(world.cluster);
  const joined = keepers(world, topology).length;
  if (joined < size) return `${joined} of ${size} peers answer and vote`;
  const ready = world.pods.filter((pod) => pod.ready && !pod.terminating).length;
  return ready < size ? `${ready} of ${size} pods are ready` : undefined;
}

/** Everything that is wrong, worst first; empty = as it should be. */
export const troubles = (world: World, topology: Topology): Trouble[] =>
  CHECKS.flatMap(([reason, check]) => {
    const message = check(world, topology);
    return message === undefined ? [] : [{ reason, message }];
  });

/** Why clients can't use all of the cluster; undefined = they can. */
export function unavailable(world: World, topology: Topology): Trouble | undefined {
  if (!isExternal(world.cluster) && world.cluster.status?.founded === undefined && topology.views.length === 0) {
    return { reason: 'NotFounded', message: 'no peer has answered yet' };
  }
  const [first] = troubles(world, topology).filter(({ reason }) => reason === 'KeyRefused' || reason === 'Unreachable');
  if (first !== undefined) return first;
  const answering = topology.members.filter(({ standing }) => standing !== 'silent').length;
  if (!majorityAnswers(topology)) {
    return { reason: 'NoMajority', message: `${answering} of ${topology.members.length} peers answer` };
  }
  const owners = new Set(topology.members.filter(({ standing }) => standing !== 'silent').map(({ id }) => id));
  const unreadable = topology.shards
    .filter(({ replicas }) => !replicas.some((replica) => isReadable(replica) && owners.has(replica.peer)))
    .map(shardName);
  const gone = [...topology.lostShards, ...unreadable];
  if (gone.length > 0) return { reason: 'ShardsUnreadable', message: `no readable replica: ${firstFew(gone)}` };
  const serving = world.pods.some((pod) => pod.ready && pod.serving && !pod.terminating);
  if (!isExternal(world.cluster) && !serving)
    return { reason: 'PeersNotReady', message: 'no pod is ready and in the Service' };
  return undefined;
}
