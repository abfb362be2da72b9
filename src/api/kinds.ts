import { DOMAIN_LIBRARY, type DomainLibrary } from './domain-library/index.ts';
import { QDRANT_CLUSTER, type QdrantCluster } from './qdrant-cluster/index.ts';
import { REBALANCE_POLICY, type RebalancePolicy } from './rebalance-policy/index.ts';
import { VECTORIZATION_JOB, type VectorizationJob } from './vectorization-job/index.ts';

export type AnyLibrarianObject = QdrantCluster | DomainLibrary | RebalancePolicy | VectorizationJob;
export type Kind = AnyLibrarianObject['kind'];

/** All kinds, in the order in which they are documented. */
export const KINDS = [QDRANT_CLUSTER, DOMAIN_LIBRARY, REBALANCE_POLICY, VECTORIZATION_JOB] as const;

export const kindNamed = (name: string): (typeof KINDS)[number] | undefined => KINDS.find(({ kind }) => kind === name);
