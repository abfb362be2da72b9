import type { QdrantCluster } from '../api/index.ts';
import type { ConfigMap, NetworkPolicy, PodDisruptionBudget, Service, StatefulSet } from '../kube/index.ts';
import { imageOf } from './decide/not-acted-on.ts';
import { digestOf } from './digest.ts';
import { annotations } from './names.ts';
import { configMap, peersMap } from './objects/config.ts';
import { disruptionBudget, networkPolicy } from './objects/policies.ts';
import { clientService, headlessService } from './objects/services.ts';
import { claimsWanted, statefulSet } from './objects/stateful-set.ts';
import type { Announcement, StatefulSetFacts } from './world.ts';

export type Owned = ConfigMap | Service | PodDisruptionBudget | NetworkPolicy | StatefulSet;

export type ObjectOptions = {
  readonly replicas: number;
  readonly announced: Announcement;
  /** Whether pods may be evicted now. */
  readonly evictable: boolean;
  /** The live StatefulSet: its image and claims stay. */
  readonly live: StatefulSetFacts | undefined;
};

/** The pods' image: the running one, once the cluster is founded. An upgrade is a procedure of its own. */
const runningImage = (cluster: QdrantCluster, live: StatefulSetFacts | undefined): string =>
  (cluster.status?.founded === undefined ? undefined : live?.image) ?? imageOf(cluster);

export function wantedStatefulSet(
  cluster: QdrantCluster,
  replicas: number,
  live: StatefulSetFacts | undefined,
): StatefulSet {
  return statefulSet(cluster, {
    replicas,
    image: runningImage(cluster, live),
    claims: live?.claims ?? claimsWanted(cluster),
  });
}

/**
 * All objects of a managed cluster but the Secret of its keys, in the order in which they are applied: a pod must not
 * start before what it reads is there.
 */
export function wantedObjects(cluster: QdrantCluster, options: ObjectOptions): Owned[] {
  const { replicas, announced, evictable, live } = options;
  const all = [
    configMap(cluster),
    peersMap(cluster, announced),
    headlessService(cluster),
    clientService(cluster),
    disruptionBudget(cluster, evictable),
    networkPolicy(cluster),
    wantedStatefulSet(cluster, replicas, live),
  ];
  return all.filter((object) => object !== undefined).map(withDigest);
}

/** The digest on the object says what was wanted when it was applied last. */
function withDigest<T extends Owned>(object: T): T {
  const digest = digestOf(object);
  const { metadata } = object;
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [annotations.digest]: digest } },
  };
}
