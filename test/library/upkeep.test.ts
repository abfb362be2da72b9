import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANNOTATIONS, type DomainLibrarySpec, FINALIZER, type QdrantCluster } from '../../src/api/index.ts';
import { decide } from '../../src/library/decide.ts';
import { deadPeers, type Look } from '../../src/library/look.ts';
import { LIBRARY_PREDICATES } from '../../src/library/predicates.ts';
import { MARK_KEY, parseMark } from '../../src/migration/fence.ts';
import { cluster, library, ready, Sim } from './sim.ts';

const settled = (spec: Partial<DomainLibrarySpec> = {}): Sim => {
  const sim = new Sim(library(spec));
  sim.settle(12);
  return sim;
};

/** A collection that somebody else made. */
function foreign(sim: Sim, name: string, mark?: object): void {
  const donor = new Sim(library());
  donor.settle(8);
  const made = donor.collections.get('docs--g1');
  if (made === undefined) throw new Error('no collection');
  const config = { ...made.info.config, metadata: mark === undefined ? {} : { [MARK_KEY]: mark } };
  sim.collections.set(name, { ...made, info: { ...made.info, config } });
}

test('the finalizer comes before anything that would have to be put away', () => {
  const object = library();
  const sim = new Sim({ ...object, metadata: { ...object.metadata, finalizers: [] } });
  assert.deepEqual(sim.pass().steps, [{ kind: 'addFinalizer' }]);
  assert.equal(sim.collections.size, 0);
});

test('no collection is made while a peer is dead: shards would be placed on it', () => {
  const sim = new Sim(library());
  sim.silent = [{ name: 'main-1', error: 'connection refused' }];
  const plan = sim.settle(3);
  assert.deepEqual(
    plan.blockedBy?.map(({ name }) => name),
    ['every-peer-answers'],
  );
  assert.equal(sim.condition('Ready')?.status, 'False');
  sim.silent = [];
  sim.settle(8);
  assert.equal(sim.condition('Ready')?.status, 'True');
});

test('no collection is made while the cluster is not ready or full', () => {
  const sim = new Sim(library());
  sim.cluster = cluster({ status: { conditions: [ready('False')] } });
  assert.deepEqual(
    sim.settle(3).blockedBy?.map(({ name }) => name),
    ['cluster-is-ready'],
  );
  foreign(sim, 'other');
  sim.cluster = cluster({ spec: { limits: { maxCollections: 1 } } });
  assert.deepEqual(
    sim.settle(3).blockedBy?.map(({ name }) => name),
    ['within-collection-limit'],
  );
});

test('a shape is asked for where nothing says one', () => {
  const { vectors: _vectors, ...spec } = library({ adopt: true }).spec;
  const sim = new Sim({ ...library(), spec });
  sim.settle(3);
  assert.equal(sim.condition('Stalled')?.reason, 'ShapeMissing');
});

test('what Qdrant can change is patched once, and read back', () => {
  const sim = settled();
  sim.edit({ hnsw: { m: 32 }, quantization: { scalar: {} }, strictMode: { maxQueryLimit: 7 } });
  const before = sim.steps.length;
  sim.settle(5);
  assert.deepEqual(
    sim.steps.slice(before).map(({ kind }) => kind),
    ['patch'],
  );
  const { config } = sim.active?.info ?? {};
  assert.equal(config?.hnsw_config.m, 32);
  assert.equal(sim.library.status?.generations?.length, 1);
});

test('a change that does not read back is not sent again and again, but named', () => {
  const sim = settled();
  sim.deaf = true;
  sim.edit({ hnsw: { m: 32 } });
  const before = sim.steps.length;
  sim.settle(30);
  assert.equal(sim.steps.length - before, 1);
  assert.match(sim.condition('ConfigNotReflected')?.message ?? '', /hnsw_config/);
  assert.equal(sim.condition('Ready')?.status, 'True');
  sim.now += 600_000;
  sim.settle(1);
  assert.equal(sim.steps.length - before, 2);
  sim.deaf = false;
  sim.now += 600_000;
  sim.settle(3);
  assert.equal(sim.condition('ConfigNotReflected'), undefined);
});

test('drift is put right each time it is seen', () => {
  const sim = settled({ hnsw: { m: 32 } });
  for (let time = 0; time < 3; time += 1) {
    const { active } = sim;
    if (active !== undefined) {
      active.info = {
        ...active.info,
        config: { ...active.info.config, hnsw_config: { ...active.info.config.hnsw_config, m: 4 } },
      };
    }
    sim.settle(4);
    assert.equal(sim.active?.info.config.hnsw_config.m, 32);
  }
});

test('indexes of ours are dropped when they leave the spec, those of others stay', () => {
  const sim = settled({ payloadIndexes: [{ field: 'ours', type: 'keyword' }] });
  const { active } = sim;
  if (active !== undefined) {
    active.info = {
      ...active.info,
      payload_schema: { ...active.info.payload_schema, theirs: { data_type: 'keyword', points: 0 } },
    };
  }
  sim.edit({ payloadIndexes: [{ field: 'next', type: 'integer' }] });
  sim.settle(10);
  assert.deepEqual(Object.keys(sim.active?.info.payload_schema ?? {}).toSorted(), ['next', 'theirs']);
  assert.deepEqual(parseMark(sim.active?.info.config.metadata)?.indexes, ['next']);
});

test('further names come and go; one that is taken is left alone and named', () => {
  const sim = settled({ aliases: ['manual', 'guide'] });
  assert.equal(sim.aliases.get('manual'), 'docs--g1');
  foreign(sim, 'elsewhere');
  sim.aliases.set('taken', 'elsewhere');
  sim.aliases.set('byHand', 'docs--g1');
  sim.edit({ aliases: ['guide', 'taken', 'elsewhere'] });
  sim.settle(10);
  assert.equal(sim.aliases.has('manual'), false);
  assert.equal(sim.aliases.get('taken'), 'elsewhere');
  assert.equal(sim.aliases.get('byHand'), 'docs--g1');
  assert.match(
    sim.condition('AliasTaken')?.message ?? '',
    /taken is an alias of elsewhere; elsewhere is collection elsewhere/,
  );
  assert.equal(sim.condition('Ready')?.status, 'True');
});

test('further names follow the switch to a new generation', () => {
  const sim = settled({ aliases: ['manual'] });
  sim.edit({ shards: { number: 2 } });
  sim.settle(40);
  assert.equal(sim.aliases.get('manual'), 'docs--g2');
  assert.deepEqual(parseMark(sim.active?.info.config.metadata)?.aliases, ['manual']);
});

test('a public name that was lost is given again', () => {
  const sim = settled();
  sim.aliases.delete('docs');
  sim.settle(4);
  assert.equal(sim.aliases.get('docs'), 'docs--g1');
});

test('a collection that is gone is not made anew: its data would silently be missing', () => {
  const sim = settled();
  sim.collections.clear();
  sim.aliases.clear();
  sim.settle(4);
  assert.equal(sim.condition('Ready')?.reason, 'CollectionMissing');
  assert.equal(sim.collections.size, 0);
});

test('a collection or alias of the name that is not ours is left alone', () => {
  const sim = new Sim(library());
  foreign(sim, 'docs');
  sim.settle(4);
  assert.equal(sim.condition('Ready')?.reason, 'CollectionExists');
  const other = new Sim(library({ adopt: true }));
  foreign(other, 'theirs', { uid: 'x', namespace: 'team', name: 'rival', generation: 3 });
  other.aliases.set('docs', 'theirs');
  other.settle(4);
  assert.equal(other.condition('Ready')?.reason, 'CollectionClaimed');
  assert.match(other.condition('Ready')?.message ?? '', /team\/rival/);
  const third = new Sim(library());
  foreign(third, 'docs--g1');
  third.settle(4);
  assert.equal(third.condition('Ready')?.reason, 'CollectionExists');
  assert.deepEqual([...sim.steps, ...other.steps, ...third.steps], []);
});

test('adopted through its alias it is switched without a gap', () => {
  const sim = new Sim(library({ adopt: true }));
  foreign(sim, 'old');
  sim.aliases.set('docs', 'old');
  sim.settle(4);
  assert.equal(sim.library.status?.generation, 0);
  sim.edit({ shards: { number: 2 } });
  sim.settle(40);
  assert.equal(sim.aliases.get('docs'), 'docs--g1');
  assert.ok(sim.collections.has('old'), 'the way back stays open');
});

test('adopted under its own name it is dropped for the switch only with leave, and only once', () => {
  const sim = new Sim(library({ adopt: true }));
  foreign(sim, 'docs');
  sim.settle(4);
  sim.write(1, 'kept');
  sim.edit({ shards: { number: 2 } });
  sim.settle(40);
  assert.deepEqual(
    sim.library.status?.change?.blockedBy?.map(({ name }) => name),
    ['gap-is-allowed'],
  );
  assert.equal(sim.active?.points.get(1), 'kept');
  sim.annotate(ANNOTATIONS.allowGap, '1');
  sim.settle(40);
  assert.equal(sim.aliases.get('docs'), 'docs--g1');
  assert.equal(sim.active?.points.get(1), 'kept');
  assert.deepEqual(sim.dropped, [{ name: 'docs', wasActive: true, marked: true }]);
  assert.equal(sim.library.status?.lastHandled?.['allow-gap'], '1');
});

test('the library that is older has the collection', () => {
  const sim = new Sim(library());
  sim.rivals = [{ name: 'elder', uid: 'a', createdAt: '2025-01-01T00:00:00Z' }];
  sim.settle(3);
  assert.equal(sim.condition('Ready')?.reason, 'CollectionClaimed');
  assert.match(sim.condition('Ready')?.message ?? '', /elder/);
});

test('peers that show different things are waited for', () => {
  const sim = settled();
  const world = sim.world();
  if (world.sight.kind !== 'seen') throw new Error('blind');
  const [first, second] = world.sight.look.peers;
  if (first === undefined || second === undefined) throw new Error('no peers');
  const look: Look = { ...world.sight.look, peers: [first, { ...second, aliases: {} }] };
  const plan = decide({ ...world, sight: { kind: 'seen', look } });
  assert.deepEqual([plan.steps, plan.waiting?.reason], [[], 'PeersDisagree']);
});

test('what nothing acts on yet is named', () => {
  const sim = settled({
    snapshots: { schedule: '@daily' },
    tuning: { mode: 'Recommend' },
    discovery: {},
    rollback: { toGeneration: 1 },
  });
  assert.equal(sim.condition('FieldsNotActedOn')?.reason, 'NotBuilt');
  assert.match(sim.condition('FieldsNotActedOn')?.message ?? '', /^spec.tuning: set/);
  assert.equal(settled({ tuning: { mode: 'Off' } }).condition('FieldsNotActedOn'), undefined);
});

function deleted(sim: Sim): void {
  const { metadata } = sim.library;
  sim.library = { ...sim.library, metadata: { ...metadata, deletionTimestamp: '2026-02-01T00:00:00Z' } };
}

test('deleted with Retain: what serves stays, what was being built goes, writes go on', () => {
  const sim = settled();
  sim.write(1, 'kept');
  sim.edit({ shards: { number: 2 } });
  sim.settle(40, () => {
    if (sim.library.status?.change?.step === 'Fenced' && sim.library.metadata.deletionTimestamp === undefined)
      deleted(sim);
  });
  assert.ok(sim.deleted);
  assert.deepEqual([...sim.collections.keys()], ['docs--g1']);
  assert.equal(sim.jobs.length, 0);
  assert.ok(sim.write(1, 'again'));
});

test('deleted with Delete: aliases first, then every generation of ours, one at a time, nothing else', () => {
  const sim = settled({ deletionPolicy: 'Delete', aliases: ['manual'] });
  sim.edit({ shards: { number: 2 } });
  sim.settle(40);
  foreign(sim, 'theirs');
  deleted(sim);
  sim.settle(12);
  assert.ok(sim.deleted);
  assert.deepEqual([...sim.collections.keys()], ['theirs']);
  assert.deepEqual([...sim.aliases.keys()], []);
  assert.equal(sim.dropped.length, 2);
});

test('deleted with Delete while a peer is silent: waits, and says for whom', () => {
  const sim = settled({ deletionPolicy: 'Delete' });
  deleted(sim);
  sim.silent = [{ name: 'main-1', error: 'refused' }];
  sim.settle(5);
  assert.ok(!sim.deleted);
  assert.match(sim.condition('Ready')?.message ?? '', /every-peer-answers: .*main-1/);
});

test('deleted while its cluster can not be looked at: let go when there is nothing to do, else waited for by name', () => {
  const sim = settled({ deletionPolicy: 'Delete' });
  deleted(sim);
  const blind = {
    ...sim.world(),
    sight: { kind: 'blind', reason: 'Unreachable', message: 'no peer answers' } as const,
  };
  const waiting = decide(blind);
  assert.deepEqual([waiting.steps, waiting.waiting?.reason], [[], 'WaitingForCluster']);
  assert.match(waiting.waiting?.message ?? '', /Retain to let it go/);
  const retained = {
    ...blind,
    library: { ...blind.library, spec: { ...blind.library.spec, deletionPolicy: 'Retain' as const } },
  };
  assert.deepEqual(decide(retained).steps, [{ kind: 'removeFinalizer' }]);
  const object = library();
  const gone = { ...object, metadata: { ...object.metadata, finalizers: [], deletionTimestamp: 'x' } };
  assert.deepEqual(decide({ ...blind, library: gone }).steps, []);
  assert.ok(blind.library.metadata.finalizers?.includes(FINALIZER));
});

test('deleted with its cluster, whose key is gone for good: let go, for the cluster waits for it', () => {
  const sim = settled({ deletionPolicy: 'Delete' });
  deleted(sim);
  const sight = { kind: 'blind', reason: 'SecretNotFound', message: 'there is no Secret main-apikey' } as const;
  const stepsOf = (change: Partial<QdrantCluster>) => {
    return decide({ ...sim.world(), sight, cluster: cluster(change) }).steps;
  };
  const metadata = { ...cluster().metadata, deletionTimestamp: '2026-02-01T00:00:00Z' };
  assert.deepEqual(stepsOf({}), []);
  assert.deepEqual(stepsOf({ metadata, spec: { external: { url: 'http://q.example:6333' } } }), []);
  assert.deepEqual(stepsOf({ metadata }), [{ kind: 'removeFinalizer' }]);
});

test('a fence that no change needs is lifted', () => {
  const sim = settled();
  sim.edit({ shards: { number: 2 } });
  sim.settle(40, () => {
    if (sim.library.status?.change?.step !== 'Fenced') return;
    const { change: _change, ...status } = sim.library.status;
    sim.library = { ...sim.library, status };
    sim.edit({ shards: { number: 1 } });
  });
  assert.ok(sim.write(1, 'goes on'));
});

test('dead are peers that are members and silent, and those whose consensus stopped; not one that never joined', () => {
  const look = settled().look();
  assert.deepEqual(deadPeers(look), []);
  const [first] = look.peers;
  if (first === undefined) throw new Error('no peer');
  assert.deepEqual(deadPeers({ ...look, silent: [{ name: 'main-2', error: 'starting' }] }), []);
  assert.deepEqual(deadPeers({ ...look, peers: [{ ...first, consensus: 'stopped' }], everyPeerListed: false }), [
    'main-0: consensus stopped',
  ]);
  assert.deepEqual(deadPeers({ ...look, peers: [first] }), ["members 2 don't answer"]);
});

test('every predicate has one name', () => {
  assert.equal(new Set(LIBRARY_PREDICATES).size, LIBRARY_PREDICATES.length);
  assert.ok(LIBRARY_PREDICATES.every((name) => /^[a-z-]+$/.test(name)));
});
