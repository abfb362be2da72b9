import type { DomainLibrary, QdrantCluster, RebalancePolicy } from '../api/index.ts';
import { matchesSelector } from '../kube/index.ts';

/** Who takes part, of one namespace. */
export type Selection = {
  readonly clusters: readonly QdrantCluster[];
  /** Libraries that the policy chooses; pinned ones among them are constraints. */
  readonly libraries: readonly DomainLibrary[];
  /** Libraries that an older policy chooses, too. */
  readonly claimed: readonly Claim[];
};

export type Claim = { readonly library: string; readonly policy: string };

type Candidates = {
  readonly clusters: readonly QdrantCluster[];
  readonly libraries: readonly DomainLibrary[];
  readonly policies: readonly RebalancePolicy[];
};

const lives = ({ metadata }: { metadata: { deletionTimestamp?: string } }): boolean =>
  metadata.deletionTimestamp === undefined;
const byName = (a: { metadata: { name: string } }, b: { metadata: { name: string } }): number =>
  a.metadata.name < b.metadata.name ? -1 : 1;

/** @param candidates everything of the policy's namespace */
export function select(policy: RebalancePolicy, { clusters, libraries, policies }: Candidates): Selection {
  const { clusterSelector = {} } = policy.spec;
  const chosen = libraries.filter((library) => lives(library) && chooses(policy, library)).toSorted(byName);
  const elders = policies.filter((other) => acts(other) && isOlder(other, policy)).toSorted(byName);
  return {
    clusters: clusters
      .filter((cluster) => lives(cluster) && matchesSelector(clusterSelector, cluster.metadata.labels))
      .toSorted(byName),
    libraries: chosen,
    claimed: !acts(policy)
      ? []
      : chosen.flatMap((library) => {
          const elder = elders.find((other) => chooses(other, library));
          return elder === undefined ? [] : [{ library: library.metadata.name, policy: elder.metadata.name }];
        }),
  };
}

const chooses = ({ spec }: RebalancePolicy, { metadata }: DomainLibrary): boolean =>
  matchesSelector(spec.librarySelector ?? {}, metadata.labels);

/** A policy that only observes gets in nobody's way. */
const acts = (policy: RebalancePolicy): boolean =>
  lives(policy) && policy.spec.suspend !== true && policy.spec.mode !== 'Observe';

/** By creation, then by name. */
function isOlder(a: RebalancePolicy, b: RebalancePolicy): boolean {
  if (a.metadata.name === b.metadata.name) return false;
  const [left, right] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  return left === right ? a.metadata.name < b.metadata.name : left < right;
}
