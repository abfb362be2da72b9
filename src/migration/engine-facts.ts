import { type ClusterClient, isQdrantError, type PeerClient } from '../qdrant/index.ts';
import type { EngineEnd, EngineSubject } from './engine-choice.ts';
import { parseMark } from './fence.ts';
import { layoutOf } from './placed-shards.ts';
import { configSource, segmentConfig } from './segment-config.ts';

export type EngineSide = { readonly client: ClusterClient; readonly collection: string };

/**
 * What the choice of an engine goes by, as both ends are now.
 *
 * @param change `<uid>/<generation>` that the target's mark must name
 * @throws QdrantError when an end doesn't answer
 */
export async function engineFacts(
  { source, target, change }: { readonly source: EngineSide; readonly target: EngineSide; readonly change: string },
  signal: AbortSignal,
): Promise<Pick<EngineSubject, 'source' | 'target' | 'used'> & { readonly targetIndexes: readonly string[] }> {
  const [from, to] = await Promise.all([endOf(source, signal), endOf(target, signal)]);
  const points = await target.client.count(target.collection, { exact: true, signal });
  const mark = parseMark(to.info.config.metadata);
  const ours = mark !== undefined && `${mark.uid}/${mark.generation}` === change;
  const used = [
    ...(ours ? [] : [`${target.collection} was not made for this change`]),
    ...(points === 0 ? [] : [`${target.collection} holds ${points} points`]),
    ...(from.problem === undefined ? [] : [from.problem]),
    ...[from, to].flatMap(({ hidden }) => (hidden === undefined ? [] : [hidden])),
    ...(to.settled ? [] : [`not every replica of ${target.collection} is Active in every view`]),
    // A shard that was just loaded obeys these even where strict mode is off (measured).
    ...(to.limited ? [`${target.collection} limits the rate of writes or reads`] : []),
  ];
  return {
    source: from.end,
    target: to.end,
    used: used.length === 0 ? undefined : used.join('; '),
    targetIndexes: Object.keys(to.info.payload_schema),
  };
}

async function endOf({ client, collection }: EngineSide, signal: AbortSignal) {
  const [info, layout, versions, status] = await Promise.all([
    client.collection(collection, { signal }),
    layoutOf(client, collection),
    Promise.all(client.peers.map((peer) => versionOf(peer, signal))),
    client.cluster({ signal }),
  ]);
  signal.throwIfAborted();
  const { write_rate_limit: writes, read_rate_limit: reads } = info.config.strict_mode_config ?? {};
  const end: EngineEnd = {
    config: segmentConfig(configSource(info)),
    versions,
    shards: layout.shards.map(({ shard, key }) => (key === undefined ? { shard } : { shard, key })),
  };
  const limited = typeof writes === 'number' || typeof reads === 'number';
  // Behind one address for several peers each request is answered by another one.
  const members = status.status === 'enabled' ? Object.keys(status.peers).length : 1;
  const hidden =
    members === client.peers.length
      ? undefined
      : `${members} peers hold ${collection}, ${client.peers.length} have an address of their own`;
  return { info, end, limited, hidden, problem: layout.problem, settled: layout.settled };
}

/** One that doesn't answer now may do so soon: that is no reason to choose another engine. */
async function versionOf(peer: PeerClient, signal: AbortSignal): Promise<string> {
  try {
    return await peer.version({ signal });
  } catch (error) {
    if (isQdrantError(error) && error.status >= 400 && error.status < 500) return 'unknown';
    throw error;
  }
}
