import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ANNOTATIONS, type DomainLibrarySpec } from '../../src/api/index.ts';
import { decide } from '../../src/library/decide.ts';
import { difference, reshaping } from '../../src/library/diff.ts';
import type { Look, PeerLook } from '../../src/library/look.ts';
import { observedShape } from '../../src/library/observed.ts';
import type { Plan } from '../../src/library/plan.ts';
import { shapeOf } from '../../src/library/shape.ts';
import type { World } from '../../src/library/world.ts';
import { addsVectors } from '../../src/qdrant/index.ts';
import { library, Sim } from './sim.ts';

const title = { name: 'title', size: 4, distance: 'Dot' } as const;
const rows = { name: 'rows', size: 2, datatype: 'float16', multivector: {}, hnsw: { m: 4 }, onDisk: true } as const;
const base = { name: 'text', size: 3, distance: 'Cosine' } as const;
const words = { name: 'words', modifier: 'idf', index: { datatype: 'float16', onDisk: true } } as const;

/** A library with one named vector that is ready and holds ten points. */
function filled(spec: Partial<DomainLibrarySpec> = {}): Sim {
  const sim = new Sim(library({ vectors: [base], ...spec }));
  sim.settle(10);
  for (let id = 0; id < 10; id += 1) assert.ok(sim.write(id, `first ${id}`));
  return sim;
}

const kinds = (sim: Sim, from: number): string[] => sim.steps.slice(from).map(({ kind }) => kind);

/** The world of a sim with another look at it. */
function seeing(sim: Sim, change: (look: Look) => Look): World & { readonly sight: { readonly look: Look } } {
  const world = sim.world();
  if (world.sight.kind !== 'seen') throw new Error('blind');
  return { ...world, sight: { kind: 'seen', look: change(world.sight.look) } };
}

/** The second peer as it was before. */
function behind(sim: Sim, before: PeerLook | undefined): World {
  return seeing(sim, (look) => {
    const [first] = look.peers;
    if (first === undefined || before === undefined) throw new Error('no peers');
    return { ...look, peers: [first, before] };
  });
}

test('dense, sparse and multivectors are added to the generation that serves, and its points stay', () => {
  const sim = filled();
  const before = sim.steps.length;
  sim.edit({ vectors: [base, title, rows], sparseVectors: [words] });
  sim.settle(12);
  assert.deepEqual(kinds(sim, before), ['addVector', 'addVector', 'addVector', 'patch']);
  assert.equal(sim.library.status?.generation, 1);
  assert.equal(sim.library.status?.generations?.length, 1);
  assert.equal(sim.active?.points.size, 10);
  const { params } = sim.active?.info.config ?? {};
  assert.deepEqual(params?.vectors, {
    text: { size: 3, distance: 'Cosine' },
    title: { size: 4, distance: 'Dot' },
    rows: {
      size: 2,
      distance: 'Cosine',
      datatype: 'float16',
      multivector_config: { comparator: 'max_sim' },
      on_disk: true,
      hnsw_config: { m: 4 },
    },
  });
  assert.deepEqual(params?.sparse_vectors, {
    words: { modifier: 'idf', index: { datatype: 'float16', on_disk: true } },
  });
  assert.equal(sim.condition('Ready')?.status, 'True');
  assert.equal(sim.condition('Reconciling'), undefined);
  assert.equal(sim.events.filter((reason) => reason === 'VectorAdded').length, 3);
});

test('where a peer is older than 1.18 a new generation is built, and the condition says why', () => {
  const sim = filled();
  sim.versions = ['1.18.3', '1.17.1'];
  sim.edit({ vectors: [base, title] });
  sim.pass();
  const why =
    /vector title is added \(in place only where every peer runs Qdrant 1\.18 or later: main-1 runs 1\.17\.1\)/;
  assert.match(sim.condition('Reconciling')?.message ?? '', why);
  assert.match(sim.library.status?.change?.reason ?? '', why);
  sim.settle(40);
  assert.equal(sim.library.status?.generation, 2);
  assert.equal(sim.active?.points.size, 10);
  assert.ok(!sim.steps.some(({ kind }) => kind === 'addVector'));
});

test('what is half built because a peer was old is finished although the cluster is upgraded meanwhile', () => {
  const sim = filled();
  sim.versions = ['1.17.1', '1.17.1'];
  sim.edit({ vectors: [base, title] });
  sim.settle(4);
  sim.versions = ['1.18.3', '1.18.3'];
  sim.settle(40);
  assert.equal(sim.library.status?.generation, 2);
  assert.ok(!sim.events.includes('GenerationAbandoned'));
});

test('beside a change that needs a new generation the vector comes with that', () => {
  const sim = filled();
  sim.edit({ vectors: [base, title], shards: { number: 2 } });
  sim.settle(40);
  assert.equal(sim.library.status?.generation, 2);
  assert.ok(!sim.steps.some(({ kind }) => kind === 'addVector'));
  assert.equal(sim.active?.points.size, 10);
});

test('a vector that leaves the spec is not dropped from a collection: that needs a new generation', () => {
  const sim = filled({ vectors: [base, title] });
  const active = sim.active;
  if (active !== undefined) active.info = { ...active.info, points_count: 10 };
  sim.edit({ vectors: [base] });
  const plan = sim.settle(3);
  assert.deepEqual(
    plan.blockedBy?.map(({ name }) => name),
    ['vectors-can-be-copied'],
  );
  assert.ok('title' in (sim.active?.info.config.params.vectors ?? {}));
});

test('nothing is added while a peer is silent, and no new generation is begun for it either', () => {
  const sim = filled();
  sim.silent = [{ name: 'main-1', error: 'connection refused' }];
  sim.edit({ vectors: [base, title] });
  const before = sim.steps.length;
  sim.settle(3);
  assert.deepEqual(kinds(sim, before), []);
  assert.equal(sim.library.status?.change, undefined);
  assert.match(sim.condition('ChangeBlocked')?.message ?? '', /vector title is added: every-peer-answers/);
  assert.equal(sim.condition('Ready')?.status, 'True');
  sim.silent = [];
  sim.settle(5);
  assert.deepEqual(kinds(sim, before), ['addVector']);
  assert.equal(sim.condition('ChangeBlocked'), undefined);
});

test('a transfer is waited for: what travels was packed without the vector', () => {
  const sim = filled();
  sim.edit({ vectors: [base, title] });
  const transfers = [{ shardId: 0, from: 1, to: 2, sync: true }];
  const world = seeing(sim, (look) => ({
    ...look,
    peers: look.peers.map((peer) => ({
      ...peer,
      own: Object.fromEntries(
        Object.entries(peer.own).map(([name, own]) => [name, { ...own, view: { ...own.view, transfers } }]),
      ),
    })),
  }));
  const plan = decide(world);
  assert.deepEqual([plan.steps, plan.blockedBy?.map(({ name }) => name)], [[], ['no-transfer-runs']]);
});

test('it is done only when every peer shows the vector', () => {
  const sim = filled();
  const [, before] = sim.look().peers;
  sim.edit({ vectors: [base, title] });
  sim.pass();
  const plan = decide(behind(sim, before));
  assert.deepEqual(plan.steps, []);
  assert.equal(plan.waiting?.message, 'vector title is added; not shown yet by main-1');
  assert.equal(decide(sim.world()).waiting, undefined);
});

test('one that Qdrant took and does not show is not sent again and again, but named', () => {
  const sim = filled();
  sim.deaf = true;
  sim.edit({ vectors: [base, title] });
  const before = sim.steps.length;
  sim.settle(20);
  assert.deepEqual(kinds(sim, before), ['addVector']);
  assert.match(sim.condition('ConfigNotReflected')?.message ?? '', /vector title is added/);
});

test('of members behind one address the versions are believed as told; untold ones are waited for', () => {
  const sim = filled();
  sim.edit({ vectors: [base, title] });
  const planFor = (reported: Look['reported']): Plan =>
    decide(
      seeing(sim, (look) => ({
        ...look,
        everyPeerListed: false,
        peers: look.peers.slice(0, 1),
        ...(reported === undefined ? {} : { reported }),
      })),
    );
  const member = (version?: string) => [
    { peerId: 2, responsive: version !== undefined, ...(version === undefined ? {} : { version }) },
  ];
  for (const reported of [undefined, member()]) {
    const plan = planFor(reported);
    assert.deepEqual([plan.steps, plan.status?.change], [[], undefined]);
    assert.match(plan.waiting?.message ?? '', /every-version-is-known: nobody tells which Qdrant runs on members 2/);
  }
  assert.deepEqual(
    planFor(member('1.18.0')).steps.map(({ kind }) => kind),
    ['addVector'],
  );
  const older = planFor(member('1.17.1'));
  assert.match(older.status?.change?.reason ?? '', /2 runs 1\.17\.1/);
});

test('without a word about vectors an adopted collection is never given any', () => {
  const { vectors: _vectors, ...silent } = library({ adopt: true }).spec;
  const sim = filled();
  sim.library = { ...sim.library, spec: silent };
  assert.deepEqual(decide(sim.world()).steps, []);
});

const VERSIONS = ['1.16.3', '1.17.1', '1.18.0', '1.18.3', '1.19.1'] as const;
const SILENT = { name: 'main-1', error: 'refused' };

test('property: a vector is added in place only where all are new enough and nothing else must change', () => {
  const version = fc.constantFrom(...VERSIONS);
  fc.assert(
    fc.property(
      fc.record({
        versions: fc.tuple(version, version),
        silent: fc.boolean(),
        dense: fc.boolean(),
        sparse: fc.boolean(),
        shards: fc.boolean(),
        removed: fc.boolean(),
        suspended: fc.boolean(),
        off: fc.boolean(),
      }),
      ({ versions, silent, dense, sparse, shards, removed, suspended, off }) => {
        const sim = filled();
        sim.versions = versions;
        if (silent) sim.silent = [SILENT];
        if (off) sim.annotate(ANNOTATIONS.disablePredicates, '*');
        sim.edit({
          vectors: [removed ? { ...base, name: 'other' } : base, ...(dense ? [title] : [])],
          ...(sparse ? { sparseVectors: [words] } : {}),
          ...(shards ? { shards: { number: 2 } } : {}),
          suspend: suspended,
        });
        const plan = decide(sim.world());
        const adds = plan.steps.filter(({ kind }) => kind === 'addVector').length;
        const begins = plan.status?.change?.to === 2;
        const answering = silent ? versions.slice(0, 1) : versions;
        const wanted = dense || sparse;
        const other = shards || removed;
        const allNew = answering.every(addsVectors);
        if (adds > 0) assert.ok(wanted && !other && allNew && !suspended && (!silent || off));
        if (begins) assert.ok(!suspended && (other || (wanted && !allNew)));
        assert.ok(!(adds > 0 && begins) && adds <= 1);
        if (wanted && !other && !suspended && !silent) assert.equal(adds === 1, allNew);
        // Only an added vector is ever sent, never one that is there.
        const { active } = sim;
        if (adds > 0 && active !== undefined)
          assert.ok(!plan.steps.some((step) => 'vector' in step && step.vector === base.name));
      },
    ),
    { numRuns: 100 },
  );
});

test('property: after the vectors that differ are added as said, none differs any more', () => {
  const dense = fc.record({
    name: fc.constantFrom('a', 'b', 'c'),
    size: fc.integer({ min: 1, max: 9 }),
    distance: fc.option(fc.constantFrom('Cosine' as const, 'Dot' as const), { nil: undefined }),
    datatype: fc.option(fc.constantFrom('float32' as const, 'uint8' as const), { nil: undefined }),
    multivector: fc.option(fc.constant({}), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.uniqueArray(dense, { selector: ({ name }) => name }), (vectors) => {
      const sim = filled();
      const given = vectors.map((vector) => Object.fromEntries(Object.entries(vector).filter(([, value]) => value)));
      sim.edit({ vectors: [base, ...given] as NonNullable<DomainLibrarySpec['vectors']> });
      sim.settle(8);
      const shape = shapeOf(sim.library.spec);
      const [peer] = sim.look().peers;
      const info = peer?.own['docs--g1']?.info;
      assert.ok(info !== undefined);
      assert.equal(sim.library.status?.generation, 1);
      assert.equal(sim.library.status?.generations?.length, 1);
      assert.equal(Object.keys(info.config.params.vectors ?? {}).length, vectors.length + 1);
      assert.equal(sim.condition('Reconciling'), undefined);
      assert.deepEqual(reshaping(difference(shape, observedShape(info))), []);
    }),
    { numRuns: 20 },
  );
});
