import { applyDefaults, disabledPredicates, type QdrantCluster } from '../api/index.ts';
import {
  isControlledBy,
  type KubeObject,
  type PersistentVolumeClaim,
  type Pod,
  type PodDisruptionBudget,
} from '../kube/index.ts';
import type { ClusterDeps } from './deps.ts';
import { claimsOf, librariesOn, podsOf } from './indexes.ts';
import type { Memory } from './memory.ts';
import {
  annotations,
  configName,
  headlessName,
  namespaceOf,
  ordinalOf,
  peersName,
  SERVING_LABEL,
  SNAPSHOTS_VOLUME,
  STORAGE_VOLUME,
} from './names.ts';
import { announcementOf } from './objects/config.ts';
import { templateDigest } from './objects/pod-template.ts';
import { statefulSetFacts } from './objects/stateful-set.ts';
import { wantedStatefulSet } from './objects.ts';
import { observe, type Reach } from './observe.ts';
import { settling, unsettled } from './settled.ts';
import { type Topology, topologyOf, transferKey } from './topology.ts';
import { type ClaimFacts, type Exit, isExternal, type PodFacts, type World } from './world.ts';

/** What a pass needs of the live objects beside the world: the objects themselves, to apply and to patch. */
export type Gathered = { readonly world: World; readonly topology: Topology; readonly reach: Reach | undefined };

/** Reads the world: caches of Kubernetes objects, and every peer's view of the cluster. */
export async function gather(
  deps: ClusterDeps,
  { cluster: stored, memory, signal }: { cluster: QdrantCluster; memory: Memory; signal: AbortSignal },
): Promise<Gathered> {
  const cluster = applyDefaults(stored);
  const { informers, settings } = deps;
  const namespace = namespaceOf(cluster);
  const key = { namespace, name: cluster.metadata.name };
  const owned = informers.statefulSets.store.get(key);
  const ours = owned !== undefined && isControlledBy(owned, cluster) ? owned : undefined;
  const live = ours === undefined ? undefined : statefulSetFacts(ours);
  const peers = informers.configMaps.store.get({ namespace, name: peersName(cluster) });
  const pods = isExternal(cluster) ? [] : podsOf(informers.pods, cluster).flatMap((pod) => podFacts(cluster, pod));

  const { reach, problem } = await observe(deps, { cluster, memory, signal });
  const now = deps.now();
  const base = { cluster, view: reach?.view };
  const topology = topologyOf(base);
  const sample = { now, settled: unsettled(topology).length === 0, pods };
  memory.settling = settling(memory.settling, sample, settings.settleSeconds * 1000);
  memory.transfersSince = new Map(
    topology.transfers.map(transferKey).map((transfer) => [transfer, memory.transfersSince.get(transfer) ?? now]),
  );

  const world: World = {
    ...base,
    now,
    settleSeconds: settings.settleSeconds,
    disabled: disabledPredicates(cluster),
    statefulSet: live,
    pods,
    claims: isExternal(cluster)
      ? []
      : claimsOf(informers.claims, cluster).flatMap((claim) => claimFacts(cluster, claim)),
    announced: peers !== undefined && isControlledBy(peers, cluster) ? announcementOf(peers) : undefined,
    template: isExternal(cluster) ? '' : templateOf(cluster, live),
    replicationFactors: new Map([...memory.factors].map(([collection, { factor }]) => [collection, factor])),
    settledSince: memory.settling?.since,
    budgetOpen: budgetOpen(informers.podDisruptionBudgets.store.get(key)),
    transfersSince: memory.transfersSince,
    problem,
    libraries: librariesOn(informers.libraries, cluster).map(({ metadata }) => metadata.name),
    taken: takenNames(deps, cluster),
  };
  return { world, topology, reach };
}

const budgetOpen = (budget: PodDisruptionBudget | undefined): boolean | undefined =>
  budget === undefined ? undefined : budget.spec?.maxUnavailable !== 0;

function templateOf(cluster: QdrantCluster, live: World['statefulSet']): string {
  const template = wantedStatefulSet(cluster, 0, live).spec?.template;
  return template === undefined ? '' : templateDigest(template);
}

export function podFacts(cluster: QdrantCluster, pod: Pod): PodFacts[] {
  const { metadata, status } = pod;
  const ordinal = ordinalOf(cluster, metadata.name);
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  if (ordinal === undefined || owner?.kind !== 'StatefulSet' || owner.name !== cluster.metadata.name) return [];
  const container = status?.containerStatuses?.find(({ name }) => name === 'qdrant');
  const ended = container?.state?.terminated ?? container?.lastState?.terminated;
  const withdrawnAt = Date.parse(metadata.annotations?.[annotations.withdrawnAt] ?? '');
  return [
    {
      name: metadata.name,
      ordinal,
      uid: metadata.uid ?? '',
      template: metadata.annotations?.[annotations.template],
      ready: status?.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True') ?? false,
      terminating: metadata.deletionTimestamp !== undefined,
      running: container?.state?.running !== undefined,
      restarts: container?.restartCount ?? 0,
      lastExit: ended === undefined ? undefined : exitOf(ended),
      serving: metadata.labels?.[SERVING_LABEL] === 'true',
      withdrawnAt: Number.isNaN(withdrawnAt) ? undefined : withdrawnAt,
    },
  ];
}

function exitOf(ended: { exitCode: number; message?: string; startedAt?: string; finishedAt?: string }): Exit {
  const seconds = (Date.parse(ended.finishedAt ?? '') - Date.parse(ended.startedAt ?? '')) / 1000;
  return { code: ended.exitCode, message: ended.message ?? '', seconds: Number.isNaN(seconds) ? 0 : seconds };
}

export function claimFacts(cluster: QdrantCluster, { metadata }: PersistentVolumeClaim): ClaimFacts[] {
  const volume = [STORAGE_VOLUME, SNAPSHOTS_VOLUME].find((name) => metadata.name.startsWith(`${name}-`));
  const ordinal = volume === undefined ? undefined : ordinalOf(cluster, metadata.name.slice(volume.length + 1));
  if (volume === undefined || ordinal === undefined) return [];
  return [
    {
      name: metadata.name,
      ordinal,
      volume,
      uid: metadata.uid ?? '',
      createdAt: Date.parse(metadata.creationTimestamp ?? '') || 0,
      terminating: metadata.deletionTimestamp !== undefined,
      peer: metadata.annotations?.[annotations.peer],
      removedPeer: metadata.annotations?.[annotations.removedPeer],
    },
  ];
}

/** Objects of our names that somebody else made. The Secret of the keys isn't among them: a given one is used. */
function takenNames({ informers }: ClusterDeps, cluster: QdrantCluster): string[] {
  if (isExternal(cluster)) return [];
  const { name } = cluster.metadata;
  const find = (
    informer: { store: { get(key: { namespace: string; name: string }): KubeObject | undefined } },
    object: string,
  ) => informer.store.get({ namespace: namespaceOf(cluster), name: object });
  const all = [
    find(informers.statefulSets, name),
    find(informers.services, name),
    find(informers.services, headlessName(cluster)),
    find(informers.configMaps, configName(cluster)),
    find(informers.configMaps, peersName(cluster)),
    find(informers.podDisruptionBudgets, name),
    find(informers.networkPolicies, name),
  ];
  return all
    .filter((object) => object !== undefined && !isControlledBy(object, cluster))
    .map((object) => `${object?.kind}/${object?.metadata.name}`);
}
