import { randomBytes } from 'node:crypto';
import type { QdrantCluster } from '../api/index.ts';
import {
  CONFIG_MAPS,
  type Expectations,
  type Informer,
  isControlledBy,
  KubeError,
  type KubeObject,
  keyOf,
  NETWORK_POLICIES,
  type ObjectKey,
  PERSISTENT_VOLUME_CLAIMS,
  POD_DISRUPTION_BUDGETS,
  PODS,
  type ReconcileContext,
  type ResourceType,
  removeFinalizer,
  SECRETS,
  SERVICES,
  STATEFUL_SETS,
} from '../kube/index.ts';
import type { PeerClient } from '../qdrant/index.ts';
import type { Mark } from './decide/marks.ts';
import type { ServingChange } from './decide/serving.ts';
import type { ShardTransfer, Step } from './decide/step.ts';
import type { Decision } from './decide.ts';
import { type ClusterDeps, QDRANT_CLUSTERS } from './deps.ts';
import type { Gathered } from './gather.ts';
import type { Memory } from './memory.ts';
import { annotations, FINALIZER, namespaceOf, OBJECT_MANAGER, SERVING_LABEL } from './names.ts';
import { generatesKeys, keysSecret } from './objects/secret.ts';
import { type Owned, wantedObjects } from './objects.ts';
import type { Reason } from './reasons.ts';
import { isExternal } from './world.ts';

export type Acting = {
  readonly deps: ClusterDeps;
  readonly context: ReconcileContext;
  readonly memory: Memory;
  readonly expectations: Expectations;
  /** As it is stored, without defaults. */
  readonly cluster: QdrantCluster;
  readonly gathered: Gathered;
};

type Stored = { readonly type: ResourceType<Owned>; readonly informer: Informer<Owned> };

/** Carries a decision out: objects, marks and Service membership first, then the one step. */
export async function act(acting: Acting, decision: Decision): Promise<void> {
  const { cluster } = acting;
  if (!isExternal(cluster) && cluster.metadata.deletionTimestamp === undefined) {
    await ensureObjects(acting, decision);
    for (const mark of decision.marks) await markClaim(acting, mark);
    for (const change of decision.serving) await changeServing(acting, change);
  }
  if (decision.step !== undefined) await perform(acting, decision.step);
}

/** Whether carrying the decision out would change anything; asked when the cluster is suspended. */
export function pendingChanges(acting: Acting, decision: Decision): boolean {
  if (decision.step !== undefined) return true;
  if (isExternal(acting.cluster)) return false;
  return decision.marks.length + decision.serving.length > 0 || toApply(acting, decision).length > 0;
}

function toApply({ deps, memory, gathered: { world } }: Acting, decision: Decision): Owned[] {
  const { cluster, taken } = world;
  // Keys first: a pod that finds none, or an empty one, must not start.
  const holdPods = world.statefulSet === undefined && (world.problem !== undefined || taken.length > 0);
  return wantedObjects(cluster, { ...decision, live: world.statefulSet })
    .filter((object) => !taken.includes(`${object.kind}/${object.metadata.name}`))
    .filter((object) => !(holdPods && object.kind === 'StatefulSet'))
    .filter((object) => memory.drift.mustApply(object, liveOf(deps, object)));
}

async function ensureObjects(acting: Acting, decision: Decision): Promise<void> {
  await ensureKeys(acting);
  for (const object of toApply(acting, decision)) await applyObject(acting, object);
  await deleteUnwanted(acting, decision);
}

async function applyObject({ deps, context, memory, expectations, cluster }: Acting, object: Owned): Promise<void> {
  const { type, informer } = storedAs(deps, object.kind);
  const answer = await deps.kube.apply(type, object, { fieldManager: OBJECT_MANAGER, signal: context.signal });
  memory.drift.applied(object, answer);
  expectations.wrote(keyFor(cluster), informer, answer);
  context.log.info({ kind: object.kind, object: object.metadata.name }, 'object applied');
}

/** A budget or a policy that the spec doesn't want any more. */
async function deleteUnwanted({ deps, context, cluster, gathered }: Acting, decision: Decision): Promise<void> {
  const wanted = new Set(
    wantedObjects(gathered.world.cluster, { ...decision, live: gathered.world.statefulSet }).map(({ kind }) => kind),
  );
  for (const kind of ['PodDisruptionBudget', 'NetworkPolicy'] as const) {
    const { type, informer } = storedAs(deps, kind);
    const live = wanted.has(kind) ? undefined : informer.store.get(keyFor(cluster));
    if (live?.metadata.uid === undefined || !isControlledBy(live, cluster)) continue;
    await deps.kube.delete(type, keyFor(cluster), { uid: live.metadata.uid, signal: context.signal });
  }
}

/** Made once. A Secret of that name that is there stays as it is, whoever made it. */
async function ensureKeys({ deps, context, expectations, cluster, gathered: { world } }: Acting): Promise<void> {
  if (!generatesKeys(world.cluster)) return;
  const secret = keysSecret(world.cluster, () => randomKey());
  if (deps.informers.secrets.store.get({ namespace: namespaceOf(cluster), name: secret.metadata.name }) !== undefined)
    return;
  try {
    const created = await deps.kube.create(SECRETS, secret, { fieldManager: OBJECT_MANAGER, signal: context.signal });
    expectations.wrote(keyFor(cluster), deps.informers.secrets, created);
    record(deps, cluster, { reason: 'KeysGenerated', action: 'Create', note: `Secret ${secret.metadata.name}` });
  } catch (error) {
    // The cache may lag behind: then it exists, and is used as it is.
    if (!(error instanceof KubeError && error.alreadyExists)) throw error;
  }
}

async function markClaim({ deps, context, expectations, cluster }: Acting, mark: Mark): Promise<void> {
  const key = { namespace: namespaceOf(cluster), name: mark.claim };
  const note = mark.removed
    ? { [annotations.removedPeer]: mark.peer }
    : { [annotations.peer]: mark.peer, [annotations.removedPeer]: null };
  const body = { metadata: { uid: mark.uid, annotations: note } };
  const options = { type: 'merge', fieldManager: OBJECT_MANAGER, signal: context.signal } as const;
  const answer = await deps.kube.patch(PERSISTENT_VOLUME_CLAIMS, key, body, options);
  expectations.wrote(keyFor(cluster), deps.informers.claims, answer);
}

async function changeServing(
  { deps, context, expectations, cluster }: Acting,
  { pod, serving }: ServingChange,
): Promise<void> {
  const at = serving ? null : new Date(deps.now()).toISOString();
  const body = {
    metadata: { labels: { [SERVING_LABEL]: String(serving) }, annotations: { [annotations.withdrawnAt]: at } },
  };
  const options = { type: 'merge', fieldManager: OBJECT_MANAGER, signal: context.signal } as const;
  const answer = await deps.kube.patch(PODS, { namespace: namespaceOf(cluster), name: pod }, body, options);
  expectations.wrote(keyFor(cluster), deps.informers.pods, answer);
  context.log.info({ pod, serving }, 'pod changes its place in the client service');
}

async function perform(acting: Acting, step: Step): Promise<void> {
  const { deps, context, cluster, gathered } = acting;
  const namespace = namespaceOf(cluster);
  const { signal } = context;
  context.log.info({ step }, 'step begins');
  context.assertLeading();
  switch (step.kind) {
    case 'startTransfers':
      for (const transfer of step.transfers) await startTransfer(acting, transfer);
      return;
    case 'dropReplica': {
      const { collection, shard, peer } = step;
      await surest(gathered).updateCollectionCluster(
        collection,
        { drop_replica: { shard_id: shard, peer_id: peer } },
        { signal },
      );
      return done(acting, 'ReplicaDropped', `shard ${shard} of ${collection} on peer ${peer}`);
    }
    case 'removePeer':
      // Never by force: that drops last replicas without a word (S3).
      await surest(gathered, step.peer).removePeer(step.peer, { force: false, signal });
      return done(acting, 'PeerRemoved', `${step.name} (peer ${step.peer})`);
    case 'deletePod':
      await deps.kube.delete(PODS, { namespace, name: step.name }, { uid: step.uid, signal });
      acting.memory.settling = undefined;
      return done(acting, 'PodRestarted', step.name);
    case 'lowerReplicas': {
      const { world } = gathered;
      const announced = world.announced ?? { founder: undefined, members: [] };
      const objects = { replicas: step.to, announced, evictable: false, live: world.statefulSet };
      const set = wantedObjects(world.cluster, objects).find(({ kind }) => kind === 'StatefulSet');
      if (set !== undefined) await applyObject(acting, set);
      return done(acting, 'PodsLowered', `to ${step.to}`);
    }
    case 'deleteClaims':
      for (const { name, uid } of step.claims) {
        await deps.kube.delete(PERSISTENT_VOLUME_CLAIMS, { namespace, name }, { uid, signal });
      }
      return done(acting, 'VolumesDeleted', step.claims.map(({ name }) => name).join(', '));
    case 'deleteStatefulSet': {
      const live = deps.informers.statefulSets.store.get(keyFor(cluster));
      if (live?.metadata.uid === undefined || !isControlledBy(live, cluster)) return;
      await deps.kube.delete(STATEFUL_SETS, keyFor(cluster), {
        uid: live.metadata.uid,
        propagationPolicy: 'Background',
        signal,
      });
      return;
    }
    case 'removeFinalizer':
      if (!isExternal(cluster) && gathered.world.claims.length > 0) {
        const names = gathered.world.claims.map(({ name }) => name).join(', ');
        record(deps, cluster, { reason: 'VolumesKept', action: 'Delete', note: names });
      }
      await removeFinalizer(deps.kube, { type: QDRANT_CLUSTERS, object: cluster }, FINALIZER);
      return;
  }
}

async function startTransfer(acting: Acting, transfer: ShardTransfer): Promise<void> {
  const { collection, shard, from, to, keepSource } = transfer;
  const way = { shard_id: shard, from_peer_id: from, to_peer_id: to };
  const operation = keepSource ? { replicate_shard: way } : { move_shard: way };
  await surest(acting.gathered).updateCollectionCluster(collection, operation, { signal: acting.context.signal });
  acting.context.log.info({ ...transfer }, 'shard transfer started');
}

/** The leader, if it isn't the one to go; else any peer of the cluster. Asked alone: the others wait for it anyway. */
function surest({ topology, reach }: Gathered, except?: number): PeerClient {
  const candidates = topology.views.filter(({ peerId }) => peerId !== except);
  const chosen = candidates.find(({ peerId, raft }) => raft.leader === peerId) ?? candidates[0];
  if (chosen === undefined || reach === undefined) throw new Error('no peer of the cluster answers');
  return reach.peer(chosen.name);
}

function done({ deps, cluster, context }: Acting, reason: Reason, note: string): void {
  context.log.info({ reason, note }, 'step done');
  record(deps, cluster, { reason, action: 'Step', note });
}

function record(
  { recorder }: ClusterDeps,
  cluster: QdrantCluster,
  event: { reason: Reason; action: string; note: string },
): void {
  recorder.record(cluster, { type: 'Normal', ...event });
}

const keyFor = (cluster: QdrantCluster): ObjectKey => ({
  namespace: namespaceOf(cluster),
  name: cluster.metadata.name,
});
const randomKey = (): string => randomBytes(32).toString('base64url');

function liveOf(deps: ClusterDeps, object: Owned): KubeObject | undefined {
  return storedAs(deps, object.kind).informer.store.get(keyOf(object));
}

function storedAs({ informers }: ClusterDeps, kind: Owned['kind']): Stored {
  const stored = {
    ConfigMap: { type: CONFIG_MAPS, informer: informers.configMaps },
    Service: { type: SERVICES, informer: informers.services },
    PodDisruptionBudget: { type: POD_DISRUPTION_BUDGETS, informer: informers.podDisruptionBudgets },
    NetworkPolicy: { type: NETWORK_POLICIES, informer: informers.networkPolicies },
    StatefulSet: { type: STATEFUL_SETS, informer: informers.statefulSets },
  }[kind];
  return stored as unknown as Stored;
}
