import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseMark } from '../../src/migration/fence.ts';
import { accepting, filled, to } from './moving.ts';
import { Crash } from './sim.ts';

test('property: whatever is edited and whenever operator, worker and target fail, the last order wins and nothing is lost', () => {
  const STEPS = ['Probed', 'Building', 'Copying', 'Converging', 'Fenced', 'Verified'];
  /** What was done and not written down before a crash is found done: steps may be passed over, but for the last. */
  const isLegal = (from: string, next: string): boolean => {
    if (from === next || next === '-') return true;
    if (from === '-') return next === 'Probed';
    if (next === 'Switched') return from === 'Verified';
    const back = from === 'Verified' || from === 'Fenced' ? ['Converging', 'Fenced'] : [];
    return from !== 'Switched' && (back.includes(next) || STEPS.indexOf(next) > STEPS.indexOf(from));
  };
  const edit = fc.record({
    at: fc.integer({ min: 1, max: 60 }),
    cluster: fc.constantFrom('main', 'cloud', 'third'),
  });
  const outage = fc.record({
    at: fc.integer({ min: 1, max: 60 }),
    cluster: fc.constantFrom('cloud', 'third'),
    rounds: fc.integer({ min: 1, max: 8 }),
  });
  fc.assert(
    fc.property(
      fc.array(edit, { minLength: 1, maxLength: 4 }),
      fc.array(outage, { maxLength: 2 }),
      fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 3 }),
      (edits, outages, kills, failures) => {
        const { sim } = filled();
        sim.add('third');
        const model = new Map(sim.active?.points ?? []);
        let moments = 0;
        let wanted = 'main';
        let before = '-';
        for (let round = 0; round < 300; round += 1) {
          for (const { at, cluster } of edits) {
            if (at !== round) continue;
            sim.edit(to(cluster));
            wanted = cluster;
          }
          for (const { at, cluster, rounds } of outages) {
            const qdrant = sim.at(cluster);
            if (at === round) qdrant.blind = { kind: 'blind', reason: 'Unreachable', message: 'no peer answers' };
            if (at + rounds === round) qdrant.blind = undefined;
          }
          if (failures.includes(round)) sim.failJob();
          if (sim.home.blind === undefined && sim.write(round % 7, `write ${round}`))
            model.set(round % 7, `write ${round}`);
          sim.work();
          try {
            sim.pass(() => {
              moments += 1;
              if (kills.includes(moments)) throw new Crash();
            });
          } catch (error) {
            if (!(error instanceof Crash)) throw error;
          }
          const open = accepting(sim);
          assert.ok(open.length <= 1, `round ${round}: writes are accepted on ${open.join(' and ')}`);
          const step = sim.library.status?.change?.step ?? '-';
          assert.ok(isLegal(before, step), `${before} -> ${step}`);
          before = step;
          sim.now += 1000;
        }
        assert.equal(sim.library.status?.change, undefined, 'the move is over');
        assert.equal(sim.library.status?.cluster, wanted);
        assert.deepEqual(Object.fromEntries(sim.active?.points ?? []), Object.fromEntries(model));
        assert.deepEqual(accepting(sim), [wanted]);
        assert.equal(sim.dropped.filter(({ wasActive, marked }) => wasActive || !marked).length, 0);
        assert.equal(parseMark(sim.active?.info.config.metadata)?.fence, undefined);
      },
    ),
    { numRuns: 15 },
  );
});
