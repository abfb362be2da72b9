/**
 * A client of Qdrant for programs that run it: every call has a time limit, is repeated where (and only where) that
 * is safe, and fails with one kind of error; large numbers and `1.0` survive; snapshots are streams; and what a
 * cluster looks like is told peer by peer, because peers differ.
 *
 * ```ts
 * import { ClusterClient, isQdrantError, observeCluster, unsettled } from 'qdrant-librarian/qdrant';
 *
 * const client = new ClusterClient({
 *   peers: [{ name: 'docs-0', rest: 'http://127.0.0.1:6333', grpc: 'http://127.0.0.1:6334' }],
 *   apiKey: process.env.QDRANT_API_KEY,
 * });
 * try {
 *   await client.createCollection('docs', { vectors: { size: 3, distance: 'Cosine' } });
 *   await client.upsert('docs', [{ id: 1n, vector: [1, 0, 0], payload: { title: 'one' } }]);
 *   for await (const point of client.scrollAll('docs', { withVectors: true })) process.stdout.write(`${point.id}\n`);
 *   const view = await observeCluster(client, { now: Date.now });
 *   process.stdout.write(`${unsettled(view).join('\n') || 'settled'}\n`);
 * } catch (error) {
 *   // May have been applied: read the state before trying again.
 *   if (isQdrantError(error) && error.ambiguous) process.exitCode = 75;
 *   else throw error;
 * } finally {
 *   await client.close();
 * }
 * ```
 */
export { type BatchLimits, batches, DEFAULT_BATCH, OversizedItem } from './batches.ts';
export { ClusterClient, PeerClient, type PeerClientOptions } from './client.ts';
export type { Readiness } from './cluster-operations.ts';
export * from './cluster-report.ts';
export type {
  Alias,
  AliasAction,
  CollectionClusterOperation,
  ConsensusOptions,
  CreateShardKeyOptions,
  NewVector,
  PayloadFieldSchema,
} from './collection-operations.ts';
export {
  type ConnectionOptions,
  type ConnectionRefusal,
  type ConnectionResult,
  type ConnectionSource,
  connectionOf,
  peerAddresses,
  type SecretLookup,
} from './connection.ts';
export { isQdrantError, QdrantError, type QdrantErrorCode } from './errors.ts';
export {
  type ForwardAnswer,
  Forwarder,
  type ForwarderOptions,
  type ForwardMethod,
  type ForwardRequest,
} from './forwarder.ts';
export { Double, type Json, type JsonObject, parseJson, stringifyJson } from './json.ts';
export { mountedSecrets, secretLookup, secretNames } from './mounted-secrets.ts';
export type {
  CountOptions,
  Ordering,
  PointSelector,
  ReadOptions,
  ScrollOptions,
  ScrollPage,
  UpsertOptions,
  WriteOptions,
} from './point-operations.ts';
export { ClientPool, type ClientPoolOptions } from './pool.ts';
export { disagreements, settled, staleMembers, strangers, unsettled } from './settled.ts';
export {
  collectionNames,
  collectionViews,
  everyShardReadable,
  inactiveReplicas,
  type LostShard,
  type MergedReplica,
  type MergedShard,
  mergedShards,
  missingShards,
  onlyReadableOn,
  peerById,
  placement,
  READABLE,
  reachablePeers,
  shardsOn,
  transfers,
  unreachablePeers,
  unreadableShards,
} from './shards.ts';
export type {
  DownloadOptions,
  RecoverFromOptions,
  RecoverOptions,
  Snapshot,
  SnapshotPriority,
  SnapshotScope,
} from './snapshot-operations.ts';
export type { Download, Upload } from './snapshot-stream.ts';
export type * from './types.ts';
export { type VectorBytes, vectorBytes } from './vector-bytes.ts';
export { addsVectors, supportedVersion, type VersionSupport } from './version.ts';
export * from './view.ts';
