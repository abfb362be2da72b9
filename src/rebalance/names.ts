import { createHash } from 'node:crypto';
import { PREFIX } from '../api/index.ts';

export const POLICY_LABEL = `${PREFIX}rebalance-policy`;

/** Who writes `status.assignment` of libraries, and nothing else. */
export const ASSIGNMENT_MANAGER = 'qdrant-librarian-rebalance';

export const planName = (policy: string): string => `${policy}-plan`;

/** Names of clusters may be long: the ConfigMap says inside whose load it is. */
export const loadName = (policy: string, cluster: string): string =>
  `${policy}-load-${createHash('sha256').update(cluster).digest('hex').slice(0, 10)}`;

export const policyLabels = (policy: string): Record<string, string> => ({
  'app.kubernetes.io/managed-by': 'qdrant-librarian',
  'app.kubernetes.io/name': 'qdrant-rebalance',
  'app.kubernetes.io/instance': policy,
  [POLICY_LABEL]: policy,
});
