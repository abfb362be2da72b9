import type { Schemas } from '../qdrant/index.ts';
import type { Section } from './shape.ts';

/** A collection's configuration as Qdrant shows it, in the form of `Shape`: nulls are left out. */
export type Observed = {
  readonly vectors: Readonly<Record<string, Section>>;
  readonly sparse: Readonly<Record<string, Section>>;
  readonly shardNumber: number;
  readonly customSharding: boolean;
  readonly params: Section;
  readonly hnsw: Section;
  readonly optimizers: Section;
  readonly quantization: Section | undefined;
  readonly strictMode: Section;
  /** Payload indexes by field: `type` and the parameters that Qdrant shows. */
  readonly indexes: Readonly<Record<string, Section>>;
};

const UNNAMED = '';

export function observedShape({ config, payload_schema: schema }: Schemas['CollectionInfo']): Observed {
  const { params } = config;
  const vectors = section(params.vectors);
  return {
    vectors: typeof vectors['size'] === 'number' ? { [UNNAMED]: vectors } : sections(vectors),
    sparse: sections(section(params.sparse_vectors)),
    shardNumber: params.shard_number ?? 1,
    customSharding: params.sharding_method === 'custom',
    params: section(params),
    hnsw: section(config.hnsw_config),
    optimizers: section(config.optimizer_config),
    quantization: config.quantization_config == null ? undefined : section(config.quantization_config),
    strictMode: section(config.strict_mode_config),
    indexes: Object.fromEntries(
      Object.entries(schema ?? {}).map(([field, index]) => [
        field,
        { ...section(index?.params), type: String(index?.data_type) },
      ]),
    ),
  };
}

/** An object without its nulls, at every level; anything else is an empty section. */
function section(value: unknown): Section {
  return isRecord(value) ? withoutNulls(value) : {};
}

function withoutNulls(record: Record<string, unknown>): Section {
  const entries = Object.entries(record).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, isRecord(value) ? withoutNulls(value) : value]));
}

const sections = (value: Section): Record<string, Section> =>
  Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, section(inner)]));

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
