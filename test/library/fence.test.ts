import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fenceStep, lift, withoutFence } from '../../src/library/decide/fence.ts';
import { type CollectionLook, collectionLook } from '../../src/library/look.ts';
import type { Section } from '../../src/library/shape.ts';
import { library, Sim } from './sim.ts';

/** The live collection of a library, whose writes two replicas must take. */
function live(): { sim: Sim; look: () => CollectionLook; patch: (body: Section) => void } {
  const sim = new Sim(library({ shards: { number: 1, replicationFactor: 2, writeConsistencyFactor: 2 } }));
  sim.settle(10);
  const look = (): CollectionLook =>
    collectionLook(sim.look(), 'docs--g1') ?? assert.fail('there is no live collection');
  const patch = (body: Section): void => {
    const collection = sim.collections.get('docs--g1') ?? assert.fail('there is no live collection');
    const { config } = collection.info;
    const change = body as { params?: object; strict_mode_config?: object; metadata?: object };
    const merged = {
      ...config,
      params: { ...config.params, ...change.params },
      strict_mode_config: { ...config.strict_mode_config, ...change.strict_mode_config },
      metadata: { ...config.metadata, ...change.metadata },
    };
    collection.info = { ...collection.info, config: merged as typeof config };
  };
  return { sim, look, patch };
}

test('a fence asks for every replica; what is made under it, and what comes after it, for as many as before', () => {
  const { sim, look, patch } = live();
  const set = fenceStep(look(), 2, sim.now);
  patch(set?.kind === 'fence' ? set.body : assert.fail('no fence'));
  assert.equal(look().observed.params['write_consistency_factor'], 100);
  assert.equal(withoutFence(look()).params['write_consistency_factor'], 2);
  const lifting = lift(look());
  patch(lifting?.kind === 'unfence' ? lifting.body : assert.fail('nothing to lift'));
  assert.equal(look().observed.params['write_consistency_factor'], 2);
  assert.equal(lift(look()), undefined);
});
