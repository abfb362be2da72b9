import { parseQuantity, type QdrantCluster } from '../api/index.ts';
import type { Capacity } from './load.ts';

type Told = { readonly [Part in keyof Capacity]: number | undefined };

const BILLIONTHS = 1e9;
const amount = (quantity: string | number | undefined): number | undefined =>
  quantity === undefined ? undefined : Number(parseQuantity(String(quantity))) / BILLIONTHS;

/** What the spec gives to each peer: limits, or else requests. Undefined where it says nothing. */
function promised({ spec }: QdrantCluster): Told {
  const { limits = {}, requests = {} } = spec.resources ?? {};
  return {
    cores: amount(limits['cpu'] ?? requests['cpu']),
    memoryBytes: amount(limits['memory'] ?? requests['memory']),
    diskBytes: amount(spec.persistence?.size),
  };
}

/**
 * What a cluster has over all its peers; undefined: nobody tells. The spec counts before what Qdrant says, which knows
 * the machine and not the container.
 *
 * @param peers what each peer says of its machine
 */
export function capacityOfCluster(
  cluster: QdrantCluster,
  peers: readonly (Capacity | undefined)[],
): Capacity | undefined {
  const spec = cluster.spec.external === undefined ? promised(cluster) : undefined;
  const sum = (part: keyof Capacity): number | undefined => {
    const each = peers.map((peer) => spec?.[part] ?? peer?.[part]);
    return each.length === 0 || each.some((value) => value === undefined || value <= 0)
      ? undefined
      : each.reduce<number>((total, value) => total + (value ?? 0), 0);
  };
  const [cores, memoryBytes, diskBytes] = [sum('cores'), sum('memoryBytes'), sum('diskBytes')];
  return cores === undefined || memoryBytes === undefined || diskBytes === undefined
    ? undefined
    : { cores, memoryBytes, diskBytes };
}
