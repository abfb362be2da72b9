import { type Member, majorityAnswers, replicasOn, type Topology } from '../topology.ts';
import { isExternal, sizeOf, type World } from '../world.ts';

/** Whether the spec wants this peer to stay. */
export const stays = ({ cluster }: Pick<World, 'cluster'>, { ordinal }: Member): boolean =>
  isExternal(cluster) || (ordinal !== undefined && ordinal < Math.max(1, sizeOf(cluster)));

/** Peers that may get shards: they stay, answer, vote, and every view lists them. */
export function keepers(world: Pick<World, 'cluster'>, topology: Topology): number[] {
  return topology.members
    .filter(
      (member) => stays(world, member) && member.view?.raft.isVoter === true && member.view.consensus === 'working',
    )
    .filter(({ id }) => topology.views.every(({ members }) => members.some(({ peerId }) => peerId === id)))
    .map(({ id }) => id);
}

/** Whether the spec doesn't want a member, and by what a majority says no replica is on it: it need not run. */
export const nothingToKeep = (world: Pick<World, 'cluster'>, topology: Topology, member: Member): boolean =>
  !stays(world, member) && replicasOn(topology, member.id).length === 0 && majorityAnswers(topology);

/** Whether a member that doesn't answer hasn't done so yet: the others know a joiner before it opens its ports. */
export function stillJoining({ cluster }: Pick<World, 'cluster'>, { ordinal, view }: Member): boolean {
  const known = (cluster.status?.peers ?? []).find((peer) => peer.ordinal === ordinal);
  return view === undefined && (known?.state === 'Starting' || known?.state === 'Joining');
}
