import { type Static, Type } from 'typebox';
import { checkedConfig, configValue, sideSchema } from '../../migration/index.ts';

/** What the operator tells a discovery's worker. No secret stands in it: keys come from mounted files. */
const text = Type.String({ minLength: 1, maxLength: 2048 });

const config = Type.Object({
  version: Type.Literal(1),
  task: Type.Literal('discover'),
  /** What the discovery is for; progress of another one is no progress of this one. */
  change: text,
  progress: Type.Object({ namespace: text, name: text }),
  leaseSeconds: Type.Integer({ minimum: 1, maximum: 3600 }),
  /** Most points that Qdrant is asked for at once. */
  pageSize: Type.Integer({ minimum: 1, maximum: 10_000 }),
  /** The cluster, and the physical collection. */
  side: sideSchema,
  /** Name of a dense vector; empty: the unnamed one. */
  vector: Type.String({ maxLength: 255 }),
  /** What is to be said of the choice of the vector. */
  notes: Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 16 }),
  sampleSize: Type.Integer({ minimum: 100, maximum: 10_000_000 }),
  maxDomains: Type.Integer({ minimum: 2, maximum: 256 }),
  minSharePercent: Type.Integer({ minimum: 1, maximum: 50 }),
  seed: Type.Integer({ minimum: 0, maximum: 4_294_967_295 }),
});
export type DiscoveryConfig = Static<typeof config>;

/** @throws ConfigError naming the field and its rule */
export const parseDiscoveryConfig = (json: string): DiscoveryConfig => checkedConfig(config, configValue(json));
