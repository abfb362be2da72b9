import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DomainLibrarySpec } from '../../src/api/index.ts';
import { limitsOf, pageLimit } from '../../src/library/decide/limits.ts';
import { collectionLook } from '../../src/library/look.ts';
import { shapeOf } from '../../src/library/shape.ts';
import { type Fence, fencePatch, type Mark, parseMark } from '../../src/migration/fence.ts';
import type { Schemas } from '../../src/qdrant/index.ts';
import { library, Sim } from './sim.ts';

type StrictMode = Schemas['StrictModeConfigOutput'];

/** A library that took over a collection with this strict mode, under its own name or behind an alias. */
function adopted(strictMode: StrictMode, spec: Partial<DomainLibrarySpec> = {}): Sim {
  const donor = new Sim(library());
  donor.settle(8);
  const made = donor.collections.get('docs--g1');
  if (made === undefined) throw new Error('no collection');
  const sim = new Sim(library({ adopt: true, ...spec }));
  const config = { ...made.info.config, metadata: {}, strict_mode_config: strictMode };
  sim.collections.set('old', { ...made, info: { ...made.info, config } });
  sim.aliases.set('docs', 'old');
  sim.settle(4);
  return sim;
}

const LIMITS = { enabled: true, max_query_limit: 7, write_rate_limit: 600 };
const limitsNow = (sim: Sim, name = sim.aliases.get('docs') ?? '') =>
  sim.collections.get(name)?.info.config.strict_mode_config;
const mark: Mark = { uid: 'u', namespace: 'n', name: 'docs', generation: 1 };

test('an adopted collection keeps its strict mode in a new generation, which has none while it is filled', () => {
  const sim = adopted(LIMITS);
  sim.edit({ shards: { number: 2 } });
  const filling = new Set<string>();
  sim.settle(40, () => {
    const { step } = sim.library.status?.change ?? {};
    if (step !== undefined && step !== 'Switched' && sim.collections.has('docs--g1'))
      filling.add(JSON.stringify(limitsNow(sim, 'docs--g1')));
  });
  assert.deepEqual([...filling], [JSON.stringify({ enabled: false })]);
  assert.equal(sim.aliases.get('docs'), 'docs--g1');
  assert.deepEqual(limitsNow(sim), LIMITS);
  assert.equal(parseMark(sim.active?.info.config.metadata)?.limits, undefined);
});

test('what was switched off stays off, with its values', () => {
  const sim = adopted({ ...LIMITS, enabled: false });
  sim.edit({ shards: { number: 2 } });
  sim.settle(40);
  assert.deepEqual(limitsNow(sim), { ...LIMITS, enabled: false });
});

test('what the spec says of strict mode wins, field by field', () => {
  const sim = adopted(LIMITS);
  sim.edit({ shards: { number: 2 }, strictMode: { maxQueryLimit: 9 } });
  sim.settle(40);
  assert.deepEqual(limitsNow(sim), { ...LIMITS, max_query_limit: 9 });
  const off = adopted(LIMITS);
  off.edit({ shards: { number: 2 }, strictMode: { enabled: false } });
  off.settle(40);
  assert.deepEqual(limitsNow(off), { ...LIMITS, enabled: false });
  assert.equal(parseMark(off.active?.info.config.metadata)?.limits, undefined);
});

test('limits that somebody switches off after the switch are left so: the spec is silent', () => {
  const sim = adopted(LIMITS);
  sim.edit({ shards: { number: 2 } });
  sim.settle(40);
  const { active } = sim;
  assert.ok(active !== undefined);
  const config = { ...active.info.config, strict_mode_config: { ...LIMITS, enabled: false } };
  active.info = { ...active.info, config };
  sim.settle(5);
  assert.deepEqual(limitsNow(sim), { ...LIMITS, enabled: false });
});

test('a copy asks for no more points at once than the limits of either side allow', () => {
  const sim = adopted(LIMITS);
  sim.edit({ shards: { number: 2 } });
  sim.settle(3);
  const pageOf = (spec: Partial<DomainLibrarySpec>): number | undefined => {
    const [from, to] = ['old', 'docs--g1'].map((name) => collectionLook(sim.look(), name));
    assert.ok(from !== undefined && to !== undefined);
    return pageLimit(from, to, shapeOf(library(spec).spec));
  };
  assert.equal(pageOf({}), 7);
  assert.equal(pageOf({ strictMode: { maxQueryLimit: 5 } }), 5);
  assert.equal(pageOf({ strictMode: { maxQueryLimit: 9 } }), 7);
});

test('under a fence the limits are those from before it', () => {
  const fenced = (before: Fence['before']) => {
    const sim = adopted(LIMITS);
    const { active } = sim;
    assert.ok(active !== undefined);
    const { strict_mode_config: strict, metadata } = fencePatch(mark, { nonce: 'x', at: 1, before });
    const config = { ...active.info.config, strict_mode_config: { ...LIMITS, ...strict }, metadata };
    active.info = { ...active.info, config: config as unknown as Schemas['CollectionInfo']['config'] };
    const look = collectionLook(sim.look(), 'old');
    assert.ok(look !== undefined);
    return limitsOf(look);
  };
  assert.deepEqual(fenced({ enabled: true, writeRateLimit: 600 }), LIMITS);
  assert.deepEqual(fenced({ enabled: false }), { enabled: false, max_query_limit: 7 });
});
