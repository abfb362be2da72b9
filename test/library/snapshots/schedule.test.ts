import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nextFire, scheduleProblem } from '../../../src/library/snapshots/schedule.ts';

const at = (text: string): number => Date.parse(text);
const next = (schedule: string, timeZone: string, after: string): string | undefined => {
  const fire = nextFire({ schedule, timeZone }, at(after));
  return fire === undefined ? undefined : new Date(fire).toISOString();
};

test('a schedule fires by the clock of its time zone', () => {
  assert.equal(next('0 2 * * *', 'Europe/Vienna', '2026-01-10T12:00:00Z'), '2026-01-11T01:00:00.000Z');
  assert.equal(next('0 2 * * *', 'Etc/UTC', '2026-01-10T12:00:00Z'), '2026-01-11T02:00:00.000Z');
  assert.equal(next('@hourly', 'Etc/UTC', '2026-01-10T12:00:00Z'), '2026-01-10T13:00:00.000Z');
  assert.equal(next('0 0 30 2 *', 'Etc/UTC', '2026-01-10T12:00:00Z'), undefined);
});

test('a moment that is left out by a change of the clock is made up for, one that comes twice fires once', () => {
  // On 29 March 2026 the clocks of Vienna go from 2:00 to 3:00, on 25 October from 3:00 to 2:00.
  const skipped = next('30 2 * * *', 'Europe/Vienna', '2026-03-28T12:00:00Z');
  assert.ok(skipped?.startsWith('2026-03-29T01'), skipped);
  const first = next('30 2 * * *', 'Europe/Vienna', '2026-10-24T12:00:00Z') ?? '';
  assert.ok(first.startsWith('2026-10-25T'), first);
  assert.ok((next('30 2 * * *', 'Europe/Vienna', first) ?? '').startsWith('2026-10-26T'));
});

test('it is always later than asked from, and nothing lies between', () => {
  const zones = ['Etc/UTC', 'Europe/Vienna', 'America/New_York', 'Asia/Kolkata'] as const;
  const moment = fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2027-01-01T00:00:00Z') });
  fc.assert(
    fc.property(moment, fc.integer({ min: 0, max: 59 }), fc.constantFrom(...zones), (after, minute, timeZone) => {
      const schedule = `${minute} * * * *`;
      const fire = nextFire({ schedule, timeZone }, after) ?? 0;
      assert.ok(fire > after && fire - after <= 2 * 3_600_000);
      assert.ok((nextFire({ schedule, timeZone }, fire) ?? 0) > fire);
    }),
  );
});

test('what the API server lets pass and nobody can read is told with field, value and rule', () => {
  assert.equal(scheduleProblem({ schedule: '0 2 * * *', timeZone: 'Europe/Vienna' }, 'spec.snapshots'), undefined);
  assert.match(
    scheduleProblem({ schedule: '99 * * * *' }, 'spec.snapshots') ?? '',
    /^spec\.snapshots\.schedule: "99 \* \* \* \*": ./,
  );
  const zone = scheduleProblem({ schedule: '0 2 * * *', timeZone: 'Europe/Atlantis' }, 'spec.snapshots');
  assert.equal(zone, 'spec.snapshots.timeZone: "Europe/Atlantis": no time zone of that name is known');
});
