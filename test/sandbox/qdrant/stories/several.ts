import { asArray, isObject, type Json, type JsonObject, textOf } from '../../../../sandbox/kube/json.ts';
import { settled } from '../peers.ts';
import type { Story, Teller } from './story.ts';

const BODY = { vectors: { size: 2, distance: 'Dot' }, shard_number: 1, replication_factor: 1 };

/** Lists of peers and shards stand in no order. */
const inOrder = (value: Json | undefined): Json => {
  if (Array.isArray(value))
    return value.map(inOrder).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (!isObject(value)) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, inOrder(child)]));
};
const sorted = ({ result, status }: JsonObject): Json => ({ result: inOrder(result), status: status ?? null });

/** Index of the peer that has shard 0 of a collection, and of two that have not. */
async function holder(teller: Teller, collection: string): Promise<readonly [number, number, number]> {
  const views = await Promise.all(teller.peers.map((peer) => peer.view(collection)));
  const has = views.findIndex((view) => asArray(view.local_shards as unknown as Json).length > 0);
  const [first = 0, second = 0] = [0, 1, 2].filter((index) => index !== has);
  return [has, first, second];
}

/** Replicas, transfers, shard keys and peers of a cluster of three. */
export const cluster: Story = {
  name: 'a cluster of three',
  peers: 3,
  tell: async (teller) => {
    const { ids } = teller;
    await teller.send('GET /cluster', {
      look: ({ result }) =>
        isObject(result)
          ? {
              peers: result['peers'] ?? null,
              status: result['status'] ?? null,
              consensus: result['consensus_thread_status'] === undefined ? 'none' : 'there',
              fields: Object.keys(result).sort(),
            }
          : null,
    });
    await teller.send('PUT /collections/c', { body: BODY });
    await settled(teller.peers, 'c');
    const [has, target, other] = await holder(teller, 'c');
    const place: { readonly [index: number]: string } = { [has]: '<holder>', [target]: '<target>', [other]: '<other>' };
    const placed = (value: Json): Json =>
      JSON.parse(
        JSON.stringify(value).replaceAll(/<peer (\d)>/g, (_, index: string) => place[Number(index)] ?? '?'),
      ) as Json;
    const idOf = (index: number): number => ids[index] ?? 0;
    const operate = async (title: string, body: JsonObject): Promise<void> => {
      await teller.send(`POST /collections/c/cluster?title=${title}`, { body });
    };
    const view = (collection = 'c') =>
      teller.send(`GET /collections/${collection}/cluster`, { look: sorted, peer: has });
    await teller.send('PUT /collections/c/points?wait=true', { body: { points: [{ id: 1, vector: [1, 2] }] } });
    await view();
    const from = idOf(has);
    const to = idOf(target);
    await operate('replicate', { replicate_shard: { shard_id: 0, from_peer_id: from, to_peer_id: to } });
    await settled(teller.peers, 'c');
    await view();
    await operate('again', { replicate_shard: { shard_id: 0, from_peer_id: from, to_peer_id: to } });
    await operate('to-itself', { replicate_shard: { shard_id: 0, from_peer_id: from, to_peer_id: from } });
    await operate('to-nobody', { replicate_shard: { shard_id: 0, from_peer_id: from, to_peer_id: 17 } });
    await operate('no-shard', { replicate_shard: { shard_id: 9, from_peer_id: from, to_peer_id: to } });
    await operate('odd-method', {
      replicate_shard: { shard_id: 0, from_peer_id: from, to_peer_id: idOf(other), method: 'odd' },
    });
    await operate('from-without', { move_shard: { shard_id: 0, from_peer_id: idOf(other), to_peer_id: to } });
    await operate('abort-none', { abort_transfer: { shard_id: 0, from_peer_id: from, to_peer_id: to } });
    await operate('restart-none', {
      restart_transfer: { shard_id: 0, from_peer_id: from, to_peer_id: to, method: 'snapshot' },
    });
    await operate('drop', { drop_replica: { shard_id: 0, peer_id: to } });
    await operate('drop-last', { drop_replica: { shard_id: 0, peer_id: from } });
    await operate('drop-none', { drop_replica: { shard_id: 0, peer_id: to } });
    await operate('move', {
      move_shard: { shard_id: 0, from_peer_id: from, to_peer_id: to, method: 'stream_records' },
    });
    await settled(teller.peers, 'c');
    await view();
    await operate('unknown', { dance: {} });
    await operate('nothing', {});
    await teller.send('POST /collections/nobody/cluster', { body: { drop_replica: { shard_id: 0, peer_id: to } } });
    await teller.send(`DELETE /cluster/peer/${to}`);
    await teller.send('DELETE /cluster/peer/17');

    await teller.send('PUT /collections/k', { body: { ...BODY, sharding_method: 'custom' } });
    const keys = 'PUT /collections/k/shards';
    await teller.send(keys, { body: { shard_key: 'a', placement: [from], replication_factor: 1 } });
    await teller.send(keys, { body: { shard_key: 'a' } });
    await teller.send(keys, { body: { shard_key: 7, shards_number: 2, placement: [to] } });
    await teller.send(keys, { body: { shard_key: 'c', placement: [17] } });
    await teller.send(keys, { body: { shard_key: 'c', placement: [] } });
    await teller.send(keys, { body: {} });
    await settled(teller.peers, 'k');
    await view('k');
    await teller.send('PUT /collections/k/points?wait=true', { body: { points: [{ id: 1, vector: [1, 2] }] } });
    await teller.send('PUT /collections/k/points?wait=true', {
      body: { points: [{ id: 1, vector: [1, 2] }], shard_key: 'a' },
    });
    await teller.send('PUT /collections/k/points?wait=true', {
      body: { points: [{ id: 1, vector: [1, 2] }], shard_key: 'z' },
    });
    await teller.send('POST /collections/k/points/count', { body: { exact: true, shard_key: 'a' } });
    await teller.send('POST /collections/k/points/count', { body: { exact: true, shard_key: 'z' } });
    await teller.send('POST /collections/k/points/scroll', { body: { limit: 5 } });
    await teller.send('POST /collections/k/shards/delete', { body: { shard_key: 'z' } });
    await teller.send('POST /collections/k/shards/delete', { body: { shard_key: 'a' } });
    await teller.send('PUT /collections/c/shards', { body: { shard_key: 'a' } });
    await teller.send('POST /collections/c/shards/delete', { body: { shard_key: 'a' } });
    for (const [index, line] of teller.lines.entries()) {
      teller.lines[index] = { ...line, step: textOf(placed(line.step)), body: inOrder(placed(line.body)) };
    }
  },
};
