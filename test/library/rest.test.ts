import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DomainLibrary } from '../../src/api/index.ts';
import type { Plan } from '../../src/library/plan.ts';
import { decideAtRest, secondsToNextLook } from '../../src/library/rest.ts';
import { library } from './sim.ts';

function resting(change: object = {}): DomainLibrary {
  const base = library();
  const conditions = [{ type: 'Ready', status: 'True' }];
  return {
    ...base,
    metadata: { ...base.metadata, generation: 3 },
    status: { observedGeneration: 3, conditions, ...change } as NonNullable<DomainLibrary['status']>,
  };
}

/** The looks that a pass takes, `shared` or `fresh`, when each of them leads to the plan given for it. */
async function looksOf(subject: DomainLibrary, plans: { readonly shared: Plan; readonly fresh?: Plan }) {
  const looks: string[] = [];
  const { gathered, plan } = await decideAtRest(subject, async ({ fresh }) => {
    const kind = fresh ? 'fresh' : 'shared';
    looks.push(kind);
    return { gathered: kind, plan: plans[kind] ?? { steps: [] } };
  });
  assert.equal(gathered, looks.at(-1));
  return { looks, plan };
}

const drop: Plan = { steps: [{ kind: 'dropCollection', collection: 'docs--g1' }] };
const quiet: Plan = { steps: [] };
const waiting: Plan = { steps: [], waiting: { reason: 'Changing', message: '', seconds: 1 } };

test('at rest, with nothing to do, a look that is shared will do', async () => {
  assert.deepEqual(await looksOf(resting(), { shared: quiet }), { looks: ['shared'], plan: quiet });
});

test('what is done, or waited for, is decided on a look of its own, which may find nothing to do', async () => {
  assert.deepEqual(await looksOf(resting(), { shared: drop, fresh: drop }), { looks: ['shared', 'fresh'], plan: drop });
  assert.deepEqual(await looksOf(resting(), { shared: drop, fresh: quiet }), {
    looks: ['shared', 'fresh'],
    plan: quiet,
  });
  assert.deepEqual((await looksOf(resting(), { shared: waiting })).looks, ['shared', 'fresh']);
});

test('while something is under way only looks of its own count', async () => {
  const conditions = [{ type: 'Ready', status: 'False' }];
  const deleted = resting();
  const subjects = [
    library(),
    resting({ observedGeneration: 2 }),
    resting({ change: { step: 'Copying' } }),
    resting({ conditions }),
    { ...deleted, metadata: { ...deleted.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } },
  ];
  for (const subject of subjects) assert.deepEqual((await looksOf(subject, { shared: quiet })).looks, ['fresh']);
});

test('libraries of one cluster meet at the same moment, a tenth of a period to eleven tenths from now', () => {
  const at = (now: number, resyncSeconds: number, cluster: string): number =>
    now + secondsToNextLook({ now, resyncSeconds, cluster }) * 1000;
  const arbitrary = fc.record({
    now: fc.integer({ min: 0, max: 2e12 }),
    resync: fc.integer({ min: 1, max: 86_400 }),
    cluster: fc.string(),
    later: fc.double({ min: 0, max: 0.4, noNaN: true }),
  });
  fc.assert(
    fc.property(arbitrary, ({ now, resync, cluster, later }) => {
      const next = at(now, resync, cluster);
      assert.ok(next - now >= resync * 99 && next - now <= resync * 1101, `${next - now} of ${resync} s`);
      const other = at(now + later * resync * 1000, resync, cluster);
      const periods = (other - next) / (resync * 1000);
      assert.ok(Math.abs(periods - Math.round(periods)) < 1e-3, 'a whole number of periods lies between the two');
    }),
  );
  const moments = ['a', 'b', 'c', 'd', 'e'].map((cluster) => Math.round(at(0, 30, cluster) / 1000));
  assert.ok(new Set(moments).size > 3, 'clusters are spread');
});
