import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { windowState } from '../../src/rebalance/windows.ts';

const at = (text: string): number => Date.parse(text);
const iso = (time: number | undefined): string | undefined =>
  time === undefined ? undefined : new Date(time).toISOString();
const night = { schedule: '0 2 * * *', durationMinutes: 90, timeZone: 'Europe/Vienna' };

/** `open until` or `shut until`. */
function told(windows: Parameters<typeof windowState>[0], time: string): string {
  const state = windowState(windows, at(time));
  return state.open ? `open until ${iso(state.closesAt)}` : `shut until ${iso(state.opensAt)}`;
}

test('without windows moves may always begin', () => {
  assert.deepEqual(windowState([], 0), { open: true, closesAt: undefined });
});

test('a window opens by the clock of its zone and lasts its minutes; its end is outside', () => {
  assert.equal(told([night], '2026-01-10T01:00:00Z'), 'open until 2026-01-10T02:30:00.000Z');
  assert.equal(told([night], '2026-01-10T02:29:59Z'), 'open until 2026-01-10T02:30:00.000Z');
  assert.equal(told([night], '2026-01-10T02:30:00Z'), 'shut until 2026-01-11T01:00:00.000Z');
  assert.equal(told([night], '2026-07-10T00:00:00Z'), 'open until 2026-07-10T01:30:00.000Z');
  assert.equal(
    told([{ ...night, timeZone: undefined }], '2026-07-10T02:00:00Z'),
    'open until 2026-07-10T03:30:00.000Z',
  );
});

test('when clocks go forward, a window in the missing hour opens right after it and lasts as long', () => {
  assert.equal(told([night], '2026-03-29T00:59:59Z'), 'shut until 2026-03-29T01:00:00.000Z');
  assert.equal(told([night], '2026-03-29T01:00:00Z'), 'open until 2026-03-29T02:30:00.000Z');
});

test('when clocks go back, a window in the hour that comes twice opens once', () => {
  assert.equal(told([night], '2026-10-25T00:00:00Z'), 'open until 2026-10-25T01:30:00.000Z');
  assert.equal(told([night], '2026-10-25T01:30:00Z'), 'shut until 2026-10-26T01:00:00.000Z');
});

test('windows that touch are one', () => {
  const windows = [night, { schedule: '30 3 * * *', durationMinutes: 30, timeZone: 'Europe/Vienna' }];
  assert.equal(told(windows, '2026-01-10T01:30:00Z'), 'open until 2026-01-10T03:00:00.000Z');
});

test('a window that never opens is shut for good', () => {
  assert.deepEqual(windowState([{ schedule: '0 0 30 2 *', durationMinutes: 5 }], at('2026-01-01T00:00:00Z')), {
    open: false,
    opensAt: undefined,
  });
});

test('what is shut opens when it says so, and what is open is so until it says', () => {
  const schedule = fc.constantFrom('0 2 * * *', '*/20 * * * *', '30 2 * * 0', '0 0 1 * *', '@hourly');
  const zone = fc.constantFrom('Europe/Vienna', 'America/New_York', 'Asia/Kathmandu', undefined);
  const window = fc.record({ schedule, durationMinutes: fc.integer({ min: 1, max: 600 }), timeZone: zone });
  const time = fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2026-12-31T00:00:00Z') });
  fc.assert(
    fc.property(fc.array(window, { minLength: 1, maxLength: 2 }), time, (windows, now) => {
      const state = windowState(windows, now);
      if (!state.open) {
        assert.ok(state.opensAt !== undefined && state.opensAt > now);
        assert.ok(windowState(windows, state.opensAt).open);
        assert.ok(!windowState(windows, state.opensAt - 1).open);
      } else {
        assert.ok(state.closesAt !== undefined && state.closesAt > now);
        assert.ok(windowState(windows, state.closesAt - 1).open);
      }
    }),
    { numRuns: 60 },
  );
});
