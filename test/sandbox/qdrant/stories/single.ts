import { at, isObject, type Json, textOf } from '../../../../sandbox/kube/json.ts';
import type { DomainLibrarySpec } from '../../../../src/api/index.ts';
import { createBody } from '../../../../src/library/create-body.ts';
import { shapeOf } from '../../../../src/library/shape.ts';
import type { Story, Teller } from './story.ts';

const VECTORS = { vectors: { size: 2, distance: 'Dot' } };

/** Names of fields, down to a depth: what a program may rely on where values come and go. */
const shapeOfAnswer = (value: Json | undefined, depth: number): Json => {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOfAnswer(value[0], depth)];
  if (!isObject(value) || depth === 0) return typeof value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((name) => [name, shapeOfAnswer(value[name], depth - 1)]),
  );
};

export const service: Story = {
  name: 'the service',
  peers: 1,
  tell: async (teller) => {
    await teller.send('GET /', { look: ({ title, version }) => ({ title: title ?? null, version: version ?? null }) });
    for (const path of ['/healthz', '/livez', '/readyz', '/nowhere', '/collections', '/aliases', '/cluster']) {
      await teller.send(`GET ${path}`);
    }
    await teller.send('POST /collections');
    await teller.send('PUT /collections/a', { body: 'no json' });
    await teller.send('PUT /collections/a', { body: '{"vectors": {"size": 2}}' });
    await teller.send('GET /telemetry?details_level=1', { look: ({ result }) => shapeOfAnswer(result, 2) });
    await teller.send('GET /telemetry?details_level=3', { look: ({ result }) => shapeOfAnswer(result, 2) });
    await teller.send('GET /cluster/telemetry?details_level=3', { look: ({ result }) => shapeOfAnswer(result, 3) });
    await teller.send('POST /cluster/recover');
    await teller.send('DELETE /cluster/peer/17');
    await teller.send('DELETE /cluster/peer/x');
  },
};

/** What the library makes of its profiles, as the server gives it back. */
export const profiles: Story = {
  name: 'collections of the profiles',
  peers: 1,
  tell: async (teller) => {
    const specs: { readonly [name: string]: Partial<DomainLibrarySpec> } = {
      documentation: { profile: 'Documentation' },
      code: { profile: 'Code' },
      analytics: { profile: 'Analytics' },
      research: { profile: 'AiMl' },
      named: {
        profile: 'Custom',
        vectors: [
          { name: 'dense', size: 8, distance: 'Euclid', onDisk: true, datatype: 'float16' },
          { name: 'multi', size: 4, multivector: { comparator: 'max_sim' }, quantization: { binary: {} } },
        ],
        sparseVectors: [{ name: 'words', modifier: 'idf' }],
        shards: { number: 2, replicationFactor: 1, writeConsistencyFactor: 1 },
        quantization: { product: { compression: 'x16' } },
        strictMode: { enabled: true, maxQueryLimit: 10 },
      },
    };
    const mark = { uid: 'u', namespace: 'team-a', name: 'guides', generation: 1 };
    for (const [name, spec] of Object.entries(specs)) {
      const shape = shapeOf({ domain: 'd', placement: {}, ...spec } as DomainLibrarySpec);
      await teller.send(`PUT /collections/${name}`, { body: createBody(shape, { mark, strictMode: true }) });
      for (const [field, schema] of Object.entries(shape.indexes)) {
        await teller.send(`PUT /collections/${name}/index?wait=true`, {
          body: { field_name: field, field_schema: schema },
        });
      }
      await teller.send(`GET /collections/${name}`);
      await teller.send(`GET /collections/${name}/cluster`);
    }
    await teller.send('GET /collections/code/optimizations');
    await teller.send('GET /collections/code/exists');
  },
};

export const collections: Story = {
  name: 'collections',
  peers: 1,
  tell: async (teller) => {
    await teller.send('PUT /collections/a', { body: VECTORS });
    await teller.send('PUT /collections/a', { body: VECTORS });
    await teller.send('GET /collections/nobody');
    await teller.send('GET /collections/nobody/exists');
    await teller.send('GET /collections/nobody/cluster');
    await teller.send('GET /collections/nobody/aliases');
    await teller.send('GET /collections/nobody/optimizations');
    await teller.send('DELETE /collections/nobody');
    await teller.send('PATCH /collections/nobody', { body: { metadata: { a: 1 } } });
    const bad: { readonly [name: string]: unknown } = {
      none: {},
      zero: { vectors: { size: 0, distance: 'Dot' } },
      large: { vectors: { size: 70_000, distance: 'Dot' } },
      distance: { vectors: { size: 2, distance: 'Far' } },
      unknown: { ...VECTORS, colour: 'red' },
      shards: { ...VECTORS, shard_number: 0 },
      replicas: { ...VECTORS, replication_factor: 0 },
      hnsw: { ...VECTORS, hnsw_config: { m: 16, ef_construct: 1 } },
      quantile: { ...VECTORS, quantization_config: { scalar: { type: 'int8', quantile: 0.2 } } },
      sparse: { sparse_vectors: { words: { modifier: 'odd' } } },
      sharding: { ...VECTORS, sharding_method: 'odd' },
    };
    for (const [name, body] of Object.entries(bad)) await teller.send(`PUT /collections/bad-${name}`, { body });
    await teller.send(`PUT /collections/${'x'.repeat(256)}`, { body: VECTORS });
    await teller.send('PUT /collections/a%2Fb', { body: VECTORS });
    await teller.send('PATCH /collections/a', {
      body: {
        hnsw_config: { m: 24 },
        optimizers_config: { indexing_threshold: 5000 },
        params: { write_consistency_factor: 1, on_disk_payload: true },
        quantization_config: { scalar: { type: 'int8' } },
        strict_mode_config: { enabled: true, max_query_limit: 5 },
        metadata: { owner: { name: 'x' } },
      },
    });
    await teller.send('GET /collections/a', { look: ({ result }) => (isObject(result) ? result['config'] : null) });
    await teller.send('PATCH /collections/a', { body: { quantization_config: 'Disabled', metadata: { more: 1 } } });
    await teller.send('GET /collections/a', { look: ({ result }) => (isObject(result) ? result['config'] : null) });
    await teller.send('PATCH /collections/a', { body: { strict_mode_config: { write_rate_limit: 'x' } } });
    await teller.send('PATCH /collections/a', { body: {} });
    await teller.send('POST /collections/aliases', {
      body: { actions: [{ create_alias: { collection_name: 'a', alias_name: 'public' } }] },
    });
    await teller.send('GET /aliases');
    await teller.send('GET /collections/a/aliases');
    await teller.send('GET /collections/public/exists');
    await teller.send('PUT /collections/public', { body: VECTORS });
    await teller.send('DELETE /collections/public');
    await teller.send('POST /collections/aliases', {
      body: { actions: [{ create_alias: { collection_name: 'nobody', alias_name: 'public' } }] },
    });
    await teller.send('POST /collections/aliases', {
      body: { actions: [{ create_alias: { collection_name: 'a', alias_name: 'a' } }] },
    });
    await teller.send('POST /collections/aliases', {
      body: { actions: [{ rename_alias: { old_alias_name: 'none', new_alias_name: 'other' } }] },
    });
    await teller.send('POST /collections/aliases', {
      body: { actions: [{ rename_alias: { old_alias_name: 'public', new_alias_name: 'other' } }] },
    });
    await teller.send('POST /collections/aliases', { body: { actions: [{ delete_alias: { alias_name: 'none' } }] } });
    await teller.send('POST /collections/aliases', { body: { actions: [{ odd: {} }] } });
    await teller.send('GET /aliases');
    await teller.send('DELETE /collections/a?timeout=5');
    await teller.send('GET /aliases');
    await teller.send('GET /collections');
  },
};

const INDEXES: { readonly [field: string]: unknown } = {
  keyword: 'keyword',
  tenant: { type: 'keyword', is_tenant: true, on_disk: true },
  integer: { type: 'integer', lookup: true, range: false },
  principal: { type: 'integer', is_principal: true, lookup: true, range: true },
  float: { type: 'float', on_disk: true },
  datetime: { type: 'datetime', is_principal: true },
  flag: 'bool',
  place: 'geo',
  uuid: { type: 'uuid', is_tenant: true },
  text: {
    type: 'text',
    tokenizer: 'word',
    min_token_len: 2,
    max_token_len: 20,
    lowercase: true,
    phrase_matching: true,
  },
  odd: 'odd',
  wrong: { type: 'integer', lookup: false, range: false },
};

export const points: Story = {
  name: 'points',
  peers: 1,
  tell: async (teller) => {
    await teller.send('PUT /collections/p', { body: VECTORS });
    const write = (step: string, body: unknown): Promise<Json> => teller.send(step, { body });
    const all = 'PUT /collections/p/points?wait=true';
    await write(all, {
      points: [
        { id: 1, vector: [1, 0], payload: { word: 'a', n: 1, whole: 1.0, nested: { list: [1, 'x', null] } } },
        { id: '00000000-0000-4000-8000-000000000001', vector: [0, 1], payload: { word: 'b', n: 2 } },
        { id: 9007199254740991, vector: [1, 1] },
      ],
    });
    const wrong: readonly unknown[] = [
      { points: [] },
      {},
      { points: [{ id: 1 }] },
      { points: [{ id: 1, vector: [1, 2, 3] }] },
      { points: [{ id: 1, vector: { other: [1, 2] } }] },
      { points: [{ id: 1, vector: ['x', 2] }] },
      { points: [{ id: -1, vector: [1, 2] }] },
      { points: [{ id: 'no uuid', vector: [1, 2] }] },
      { points: [{ id: 1.5, vector: [1, 2] }] },
      { points: [{ id: 1, vector: [1, 2], payload: 'text' }] },
      { points: [{ id: 1, vector: [1, 2] }], shard_key: 'none' },
    ];
    for (const body of wrong) await write(all, body);
    await write('PUT /collections/nobody/points?wait=true', { points: [{ id: 1, vector: [1, 2] }] });
    await write('PUT /collections/p/points?wait=maybe', { points: [{ id: 1, vector: [1, 2] }] });
    await write('PUT /collections/p/points?wait=true&ordering=odd', { points: [{ id: 1, vector: [1, 2] }] });
    await write('PUT /collections/p/points?wait=true&ordering=strong', { points: [{ id: 5, vector: [2, 2] }] });
    await write('POST /collections/p/points', { ids: [1, 77], with_vector: true, with_payload: true });
    await write('POST /collections/p/points', { ids: ['x'] });
    await write('POST /collections/p/points/scroll', { limit: 2, with_vector: true });
    await write('POST /collections/p/points/scroll', { offset: 5, limit: 2, with_payload: ['word'] });
    await write('POST /collections/p/points/scroll', { limit: 0 });
    await write('POST /collections/p/points/scroll', { filter: { must: [{ key: 'n', range: { gte: 2 } }] } });
    await write('POST /collections/p/points/scroll', { filter: { must: [{ key: 'n', odd: 1 }] } });
    await write('POST /collections/p/points/count', { exact: true });
    await write('POST /collections/p/points/count', {
      exact: true,
      filter: { must: [{ key: 'word', match: { value: 'a' } }] },
    });
    await write('POST /collections/p/points/query', { query: [1, 0.5], limit: 2 });
    await write('POST /collections/p/points/query', { query: [1, 0, 0], limit: 2 });
    await write('POST /collections/p/points/query', { query: 77, limit: 2 });
    await write('POST /collections/p/points/query', { query: [1, 0], using: 'other' });
    await write('POST /collections/p/points/payload?wait=true', { payload: { extra: true }, points: [1] });
    await write('POST /collections/p/points/payload?wait=true', { payload: { extra: true } });
    await write('POST /collections/p/points/payload?wait=true', { payload: { deep: 1 }, key: 'nested', points: [1] });
    await write('POST /collections/p/points', { ids: [1] });
    await write('POST /collections/p/points/delete?wait=true', { points: [5] });
    await write('POST /collections/p/points/delete?wait=true', {
      filter: { must: [{ key: 'n', match: { value: 2 } }] },
    });
    await write('POST /collections/p/points/delete?wait=true', {});
    await write('POST /collections/p/points/delete?wait=false', { points: [404] });
    await write('POST /collections/p/points/count', { exact: true });
    for (const [field, schema] of Object.entries(INDEXES)) {
      await write('PUT /collections/p/index?wait=true', { field_name: field, field_schema: schema });
    }
    await teller.send('GET /collections/p', {
      look: ({ result }) => (isObject(result) ? result['payload_schema'] : null),
    });
    await teller.send('DELETE /collections/p/index/keyword?wait=true');
    await teller.send('DELETE /collections/p/index/none?wait=true');
    await write('PUT /collections/nobody/index?wait=true', { field_name: 'a', field_schema: 'keyword' });
    await strictMode(teller);
  },
};

async function strictMode(teller: Teller): Promise<void> {
  await teller.send('PUT /collections/s', {
    body: {
      ...VECTORS,
      strict_mode_config: {
        enabled: true,
        max_query_limit: 2,
        max_timeout: 5,
        unindexed_filtering_retrieve: false,
        unindexed_filtering_update: false,
        upsert_max_batchsize: 1,
        filter_max_conditions: 1,
      },
    },
  });
  const filter = { must: [{ key: 'n', match: { value: 1 } }] };
  const two = {
    must: [
      { key: 'n', match: { value: 1 } },
      { key: 'm', match: { value: 1 } },
    ],
  };
  await teller.send('PUT /collections/s/points?wait=true', {
    body: {
      points: [
        { id: 1, vector: [1, 2] },
        { id: 2, vector: [1, 2] },
      ],
    },
  });
  await teller.send('PUT /collections/s/points?wait=true', { body: { points: [{ id: 1, vector: [1, 2] }] } });
  await teller.send('POST /collections/s/points/query', { body: { query: [1, 0], limit: 3 } });
  await teller.send('POST /collections/s/points/query?timeout=60', { body: { query: [1, 0], limit: 1 } });
  await teller.send('POST /collections/s/points/scroll', { body: { limit: 3 } });
  await teller.send('POST /collections/s/points/query', { body: { query: [1, 0], limit: 1, filter } });
  await teller.send('POST /collections/s/points/scroll', { body: { limit: 1, filter } });
  await teller.send('POST /collections/s/points/delete?wait=true', { body: { filter } });
  await teller.send('PUT /collections/s/index?wait=true', { body: { field_name: 'n', field_schema: 'integer' } });
  await teller.send('POST /collections/s/points/scroll', { body: { limit: 1, filter } });
  await teller.send('POST /collections/s/points/scroll', { body: { limit: 1, filter: two } });
}

export const snapshots: Story = {
  name: 'snapshots',
  peers: 1,
  tell: async (teller) => {
    await teller.send('PUT /collections/s', { body: { ...VECTORS, shard_number: 2 } });
    await teller.send('PUT /collections/s/points?wait=true', {
      body: {
        points: [
          { id: 1, vector: [1, 2] },
          { id: 2, vector: [1, 2] },
          { id: 3, vector: [1, 2] },
        ],
      },
    });
    for (const scope of ['/collections/s', '/collections/s/shards/0']) {
      const made = await teller.send(`POST ${scope}/snapshots?wait=true`);
      const name = textOf(at(made, 'name'));
      await teller.send(`GET ${scope}/snapshots`);
      const location = `file://${teller.peers[0]?.directory}/snapshots/s/${scope.includes('shards') ? 'shards/0/' : ''}${name}`;
      await teller.send(`PUT ${scope}/snapshots/recover?wait=true`, {
        body: { location, priority: 'snapshot' },
        look: ({ result, status }) => ({ result: result ?? null, status: status ?? null }),
      });
      await teller.send('POST /collections/s/points/count', { body: { exact: true } });
      await teller.send(`DELETE ${scope}/snapshots/${name}?wait=true`);
      await teller.send(`DELETE ${scope}/snapshots/none.snapshot?wait=true`);
      await teller.send(`GET ${scope}/snapshots/none.snapshot`);
      await teller.send(`PUT ${scope}/snapshots/recover?wait=true`, { body: { location: 'nonsense' } });
      await teller.send(`PUT ${scope}/snapshots/recover?wait=true`, { body: {} });
    }
    await teller.send('POST /collections/nobody/snapshots?wait=true');
    await teller.send('GET /collections/nobody/snapshots');
    await teller.send('POST /collections/s/shards/9/snapshots?wait=true');
    await teller.send('GET /collections/s/shards/9/snapshots');
    await teller.send('GET /collections/s/shards/x/snapshots');
  },
};
