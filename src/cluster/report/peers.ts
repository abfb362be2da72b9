import type { PeerStatus } from '../../api/index.ts';
import { keepers, stays, stillJoining } from '../decide/keepers.ts';
import { peerUri } from '../names.ts';
import { type AnsweringPeer, isActive, type Member, replicasOn, type Topology } from '../topology.ts';
import { isExternal, type PodFacts, type World } from '../world.ts';

/** The peers as `status.peers` lists them: members first, then pods that are none. */
export function peersStatus(world: World, topology: Topology): PeerStatus[] {
  if (topology.members.length === 0) return silentPeers(world);
  const members = topology.members.map((member) => memberStatus(world, topology, member));
  const named = new Set(members.map(({ name }) => name));
  const others = world.pods
    .filter(({ name }) => !named.has(name))
    .map((pod) =>
      otherStatus(
        world,
        pod,
        topology.outsiders.find(({ name }) => name === pod.name),
      ),
    );
  return [...members, ...others];
}

function memberStatus(world: World, topology: Topology, member: Member): PeerStatus {
  const { id, name, ordinal, uri } = member;
  const version = versionOf(world, topology, member);
  return {
    name,
    ...(ordinal === undefined ? {} : { ordinal }),
    peerId: id,
    uri,
    ...(version === undefined ? {} : { version }),
    state: memberState(world, topology, member),
    shards: replicasOn(topology, id).length,
  };
}

/** Behind one address two requests may reach two peers: then only what is told by peer is known of a peer. */
function versionOf({ cluster }: World, { members }: Topology, { view, report }: Member): string | undefined {
  return isExternal(cluster) && members.length > 1 ? report?.version : view?.version;
}

function memberState(world: World, topology: Topology, member: Member): PeerStatus['state'] {
  if (member.standing === 'silent') return stillJoining(world, member) ? 'Joining' : 'Unreachable';
  if (!stays(world, member)) return 'Draining';
  const asked = member.view !== undefined;
  const joins = asked ? !keepers(world, topology).includes(member.id) : member.report?.isVoter === false;
  if (joins) return 'Joining';
  const own = replicasOn(topology, member.id).flatMap(({ replicas }) =>
    replicas.filter(({ peer }) => peer === member.id),
  );
  return own.every(isActive) ? 'Ready' : 'Recovering';
}

function otherStatus(world: World, pod: PodFacts, view: AnsweringPeer | undefined): PeerStatus {
  const removed = world.claims.find(({ ordinal, removedPeer }) => ordinal === pod.ordinal && removedPeer !== undefined);
  const peerId = view?.peerId ?? (/^\d+$/.test(removed?.removedPeer ?? '') ? Number(removed?.removedPeer) : undefined);
  return {
    name: pod.name,
    ordinal: pod.ordinal,
    ...(peerId === undefined ? {} : { peerId }),
    ...(view === undefined ? {} : { uri: view.uri, version: view.version }),
    state: removed === undefined ? (view === undefined ? 'Starting' : 'Joining') : 'Removed',
  };
}

/** Nobody answers: what was known stays known, but as unreachable. */
function silentPeers(world: World): PeerStatus[] {
  const known = world.cluster.status?.peers ?? [];
  const unreachable = known.map((peer): PeerStatus => {
    const waiting = peer.state === 'Starting' || peer.state === 'Removed';
    return waiting ? peer : { ...peer, state: 'Unreachable' };
  });
  if (isExternal(world.cluster)) return unreachable;
  const starting = world.pods
    .filter(({ name }) => !known.some((peer) => peer.name === name))
    .map(
      ({ name, ordinal }): PeerStatus => ({ name, ordinal, uri: peerUri(world.cluster, ordinal), state: 'Starting' }),
    );
  return [...unreachable, ...starting].toSorted((a, b) => (a.ordinal ?? 0) - (b.ordinal ?? 0));
}
