import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextTime, timetableProblem } from '../../src/vectorize/timetable.ts';

const next = (schedule: string, timeZone: string, after: string): string =>
  new Date(nextTime({ schedule, timeZone }, Date.parse(after)) ?? 0).toISOString();

test('times are those of the clock on the wall', () => {
  assert.equal(next('0 3 * * *', 'Europe/Vienna', '2026-01-10T00:00:00Z'), '2026-01-10T02:00:00.000Z');
  assert.equal(next('0 3 * * *', 'Europe/Vienna', '2026-07-10T00:00:00Z'), '2026-07-10T01:00:00.000Z');
  assert.equal(next('@daily', 'Etc/UTC', '2026-01-10T00:00:00Z'), '2026-01-11T00:00:00.000Z');
});

test('in the hour that is skipped it comes right after, in the hour that comes twice once', () => {
  // 2026-03-29 in Vienna: 02:00 becomes 03:00. 2026-10-25: 03:00 becomes 02:00.
  assert.equal(next('30 2 * * *', 'Europe/Vienna', '2026-03-28T12:00:00Z'), '2026-03-29T01:00:00.000Z');
  const first = next('30 2 * * *', 'Europe/Vienna', '2026-10-24T12:00:00Z');
  assert.equal(first, '2026-10-25T00:30:00.000Z');
  assert.equal(next('30 2 * * *', 'Europe/Vienna', first), '2026-10-26T01:30:00.000Z');
});

test('it is the first time after the moment, never the moment itself', () => {
  assert.equal(next('0 * * * *', 'Etc/UTC', '2026-01-10T05:00:00Z'), '2026-01-10T06:00:00.000Z');
});

test('a table that nobody can read is refused with field, value and rule', () => {
  assert.equal(timetableProblem({ schedule: '*/5 * * * *', timeZone: 'Asia/Tokyo' }), undefined);
  assert.match(timetableProblem({ schedule: '61 * * * *' }) ?? '', /^spec\.schedule: "61 \* \* \* \*": /);
  assert.match(timetableProblem({ schedule: '@daily', timeZone: 'Nowhere' }) ?? '', /^spec\.timeZone: "Nowhere": /);
});
