import { setTimeout as sleep } from 'node:timers/promises';
import type {
  Condition,
  DomainLibrary,
  QdrantCluster,
  RebalancePolicy,
  VectorizationJob,
} from '../../src/api/index.ts';
import { DOMAIN_LIBRARY, QDRANT_CLUSTER, REBALANCE_POLICY, VECTORIZATION_JOB } from '../../src/api/index.ts';
import {
  findCondition,
  type KubeClient,
  type KubeObject,
  type ResourceType,
  resourceType,
} from '../../src/kube/index.ts';

export const CLUSTERS: ResourceType<QdrantCluster> = resourceType<QdrantCluster>(QDRANT_CLUSTER);
export const LIBRARIES: ResourceType<DomainLibrary> = resourceType<DomainLibrary>(DOMAIN_LIBRARY);
export const VECTORIZATION_JOBS: ResourceType<VectorizationJob> = resourceType<VectorizationJob>(VECTORIZATION_JOB);
export const REBALANCE_POLICIES: ResourceType<RebalancePolicy> = resourceType<RebalancePolicy>(REBALANCE_POLICY);

type WithConditions = KubeObject & {
  readonly status?: { readonly conditions?: readonly Condition[]; readonly observedGeneration?: number };
};

export type WaitOptions<T> = {
  readonly client: KubeClient;
  readonly type: ResourceType<T & KubeObject>;
  readonly namespace: string;
  readonly name: string;
  readonly timeoutSeconds: number;
  readonly signal?: AbortSignal;
};

/**
 * Polls an object until `holds`, and gives it back.
 *
 * @throws Error with the object's conditions when the time is over
 */
export async function until<T extends WithConditions>(
  options: WaitOptions<T>,
  holds: (object: T) => boolean,
  what: string,
): Promise<T> {
  const { client, type, namespace, name, timeoutSeconds, signal } = options;
  const deadline = performance.now() + timeoutSeconds * 1000;
  let last: T | undefined;
  while (performance.now() < deadline) {
    signal?.throwIfAborted();
    last = await client.find<T>(type, { namespace, name });
    if (last !== undefined && holds(last)) return last;
    await sleep(100);
  }
  const conditions = (last?.status?.conditions ?? []).map(
    ({ type: kind, status, reason, message }) => `${kind}=${status} ${reason}: ${message}`,
  );
  throw new Error(
    `${type.kind} ${name} was not ${what} after ${timeoutSeconds} s: ${conditions.join('; ') || 'no condition'}`,
  );
}

/** Whether the object is Ready in its present generation. */
export function isReady(object: WithConditions): boolean {
  const ready = findCondition(object.status?.conditions ?? [], 'Ready');
  return (
    ready?.status === 'True' &&
    ready.observedGeneration === object.metadata.generation &&
    object.status?.observedGeneration === object.metadata.generation
  );
}
