import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleet } from '../../bench/plan/fleet.ts';
import { Assignment } from '../../src/rebalance/plan/assignment.ts';
import { lowerBound } from '../../src/rebalance/plan/bound.ts';
import { modelOf } from '../../src/rebalance/plan/model.ts';
import { search } from '../../src/rebalance/plan/search.ts';
import { exactBound, optimum } from './milp.ts';
import { NOW } from './problems.ts';

const SIZES = [
  { libraries: 10, clusters: 3, maxMoves: 4 },
  { libraries: 8, clusters: 4, maxMoves: 5 },
];
const SEEDS = [1, 3];

test('on small problems the search comes within 2 % of the optimum, and the bound lies below it', async (t) => {
  for (const size of SIZES)
    for (const seed of SEEDS) {
      const problem = fleet(size, seed);
      const model = modelOf({ ...problem, maxBytes: seed === 3 ? 20 * 1024 ** 3 : undefined }, NOW);
      const found = new Assignment(model, search(model, { seed: 1, effort: 300_000 })).highest();
      const { value, status } = await optimum(model);
      const bound = lowerBound(model, found);
      t.diagnostic(
        `${size.libraries}x${size.clusters}/${seed}: ${(found / value).toFixed(4)} of the optimum, bound ${(bound / value).toFixed(3)}`,
      );
      assert.equal(status, 'Optimal');
      assert.ok(found <= value * 1.02, `${found} for ${value}`);
      assert.ok(found >= value * (1 - 1e-4), `${found} below the optimum ${value}`);
      assert.ok(bound <= value * (1 + 1e-6), `bound ${bound} above ${value}`);
    }
});

test('the bound comes within 2 % of that by exact linear programmes', async () => {
  const model = modelOf(fleet({ libraries: 12, clusters: 3, maxMoves: 4 }, 4), NOW);
  const found = new Assignment(model, search(model, { seed: 1, effort: 100_000 })).highest();
  const [bound, exact] = [lowerBound(model, found), await exactBound(model, found)];
  assert.ok(bound >= exact * 0.98 && bound <= exact * 1.001, `${bound} and ${exact}`);
});
