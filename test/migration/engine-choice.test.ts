import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseEngine, type EngineSubject } from '../../src/migration/engine-choice.ts';
import { type ConfigSource, segmentConfig } from '../../src/migration/segment-config.ts';

const params = {
  vectors: { text: { size: 384, distance: 'Cosine' }, title: { size: 64, distance: 'Dot', datatype: 'float16' } },
  sparse_vectors: { words: { index: { on_disk: false } } },
  shard_number: 2,
  on_disk_payload: true,
};
const config: ConfigSource = {
  params,
  hnsw: { m: 16, ef_construct: 100, max_indexing_threads: 0 },
  quantization: { scalar: { type: 'int8' } },
  optimizers: { indexing_threshold: 10_000, memmap_threshold: null, flush_interval_sec: 5 },
  indexes: { city: { data_type: 'keyword', points: 7 } },
};
const shards = [{ shard: 0 }, { shard: 1 }];
const end = (
  change: Partial<ConfigSource> = {},
  versions = ['1.18.3'],
  ids: EngineSubject['source']['shards'] = shards,
) => ({
  config: segmentConfig({ ...config, ...change }),
  versions,
  shards: ids,
});
const subject: EngineSubject = { source: end(), target: end(), used: undefined, room: undefined, wish: 'Auto' };
const choose = (change: Partial<EngineSubject>) => chooseEngine({ ...subject, ...change });
const against = (target: EngineSubject['target'], source = end()): string => {
  const asked = choose({ source, target, wish: 'ShardSnapshot' });
  const auto = choose({ source, target });
  assert.equal(asked.kind, 'refused', JSON.stringify(asked));
  assert.deepEqual(auto, { kind: 'chosen', engine: 'Scroll', reason: asked.reason });
  return asked.reason;
};

test('equal ends travel as shard snapshots', () => {
  const choice = choose({});
  assert.equal(choice.kind === 'chosen' && choice.engine, 'ShardSnapshot');
  // What does not live in segments, or is a default that is sometimes shown, does not count.
  const target = end({
    params: {
      ...params,
      vectors: { ...params.vectors, text: { ...params.vectors.text, datatype: 'float32', on_disk: null } },
    },
    hnsw: { m: 16, ef_construct: 100, max_indexing_threads: 4 },
    optimizers: { indexing_threshold: 10_000, flush_interval_sec: 60, default_segment_number: 4 },
    indexes: { city: { data_type: 'keyword', points: 0 }, year: { data_type: 'integer' } },
  });
  const other = choose({ target });
  assert.equal(other.kind === 'chosen' && other.engine, 'ShardSnapshot', other.reason);
});

test('each difference that lives in segments is named (S6)', () => {
  const vectors = (change: object) =>
    end({ params: { ...params, vectors: { ...params.vectors, text: { ...params.vectors.text, ...change } } } });
  assert.equal(against(vectors({ size: 385 })), 'vectors.text.size: 384 -> 385');
  assert.equal(against(vectors({ distance: 'Dot' })), 'vectors.text.distance: "Cosine" -> "Dot"');
  assert.equal(against(vectors({ datatype: 'float16' })), 'vectors.text.datatype: none -> "float16"');
  assert.equal(against(vectors({ on_disk: true })), 'vectors.text.on_disk: none -> true');
  assert.equal(
    against(vectors({ multivector_config: { comparator: 'max_sim' } })),
    'vectors.text.multivector_config: none -> {"comparator":"max_sim"}',
  );
  assert.match(
    against(end({ params: { ...params, vectors: { text: params.vectors.text } } })),
    /^vectors\.title: .* -> none$/,
  );
  assert.equal(
    against(end({ params: { ...params, sparse_vectors: { words: { index: { on_disk: true } } } } })),
    'sparse.words.index.on_disk: false -> true',
  );
  assert.equal(against(end({ params: { ...params, on_disk_payload: false } })), 'onDiskPayload: true -> false');
  assert.equal(against(end({ params: { ...params, sharding_method: 'custom' } })), 'customSharding: false -> true');
  assert.equal(against(end({ hnsw: { m: 32, ef_construct: 100 } })), 'hnsw.m: 16 -> 32');
  assert.equal(against(end({ quantization: null })), 'quantization.scalar: {"type":"int8"} -> none');
  assert.equal(against(end({ optimizers: { indexing_threshold: 1 } })), 'optimizers.indexing_threshold: 10000 -> 1');
  assert.equal(
    against(end({ indexes: { city: { data_type: 'integer' } } })),
    'payload index city.data_type: "keyword" -> "integer"',
  );
  assert.match(against(end({ optimizers: { ...(config.optimizers as object), prevent_unoptimized: true } })), /hidden/);
});

test('shards must have the same ids and keys', () => {
  assert.match(
    against(end({ params: { ...params, shard_number: 3 } }, ['1.18.3'], [...shards, { shard: 2 }])),
    /shardNumber: 2 -> 3; shards: 0, 1 -> 0, 1, 2/,
  );
  const keyed = (first: string, second: string) =>
    end(
      {},
      ['1.18.3'],
      [
        { shard: 1, key: first },
        { shard: 2, key: second },
      ],
    );
  assert.equal(
    against(keyed('b', 'a'), keyed('a', 'b')),
    'shards: 1 of key "a", 2 of key "b" -> 1 of key "b", 2 of key "a"',
  );
  const choice = choose({ source: keyed('a', 'b'), target: keyed('a', 'b') });
  assert.equal(choice.kind === 'chosen' && choice.engine, 'ShardSnapshot');
});

test('the target is not older than the source, and not far ahead', () => {
  const with_ = (from: string[], to: string[]) => choose({ source: end({}, from), target: end({}, to) });
  for (const [from, to] of [
    [['1.18.3'], ['1.18.4']],
    [['1.18.3', '1.18.2'], ['1.19.0']],
    [['1.18.3-dev'], ['1.18.3']],
  ] as const) {
    const choice = with_([...from], [...to]);
    assert.equal(choice.kind === 'chosen' && choice.engine, 'ShardSnapshot', choice.reason);
  }
  assert.match(against(end({}, ['1.18.2'])), /the target runs Qdrant 1\.18\.2, the source 1\.18\.3/);
  assert.match(against(end({}, ['1.19.0', '1.18.2'])), /the target runs Qdrant 1\.18\.2/);
  assert.match(against(end({}, ['1.20.0'])), /more than one minor version/);
  assert.match(against(end({}, ['2.0.0'])), /more than one minor version/);
  assert.match(against(end({}, [])), /not every peer tells/);
  assert.match(against(end({}, ['nightly'])), /no version/);
});

test('a target that is in use, and unknown room, speak against it; who asks by name answers for the room', () => {
  assert.equal(choose({ used: 'docs--g2 holds 3 points', wish: 'ShardSnapshot' }).kind, 'refused');
  assert.deepEqual(choose({ room: 'nobody knows the room' }), {
    kind: 'chosen',
    engine: 'Scroll',
    reason: 'nobody knows the room',
  });
  const asked = choose({ room: 'nobody knows the room', wish: 'ShardSnapshot' });
  assert.equal(asked.kind === 'chosen' && asked.engine, 'ShardSnapshot');
});

test('other wishes are obeyed or refused by name', () => {
  assert.deepEqual(choose({ wish: 'Scroll' }), { kind: 'chosen', engine: 'Scroll', reason: 'it is asked for' });
  assert.deepEqual(choose({ wish: 'DualWrite' }), {
    kind: 'refused',
    reason: 'writing to both sides (DualWrite) is not built',
  });
});
