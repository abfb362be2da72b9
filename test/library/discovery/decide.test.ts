import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANNOTATIONS, type DomainLibrary } from '../../../src/api/index.ts';
import { nextDiscovery, wanted } from '../../../src/library/discovery/wanted.ts';
import { library, Sim } from '../sim.ts';

const NOW = Date.parse('2026-02-01T00:00:30Z');
const given = (discovery: object | undefined, status: DomainLibrary['status'] = {}): DomainLibrary => ({
  ...library(discovery === undefined ? {} : { discovery }),
  status,
});

test('without a schedule once for each change of the settings, whatever the schedule says', () => {
  const first = wanted(given({ maxDomains: 4 }), NOW);
  assert.match(first ?? '', /^spec [0-9a-f]{12}$/);
  const answered = { discovery: { spec: first ?? '' } };
  assert.equal(wanted(given({ maxDomains: 4 }, answered), NOW), undefined);
  assert.notEqual(wanted(given({ maxDomains: 5 }, answered), NOW), undefined);
  assert.equal(wanted(given({ maxDomains: 4, schedule: '0 3 * * *' }, answered), NOW), undefined);
  assert.equal(wanted(given(undefined), NOW), undefined);
});

test('with one when it fires, from the moment at which it is seen first', () => {
  const obeyed = (scheduledAt: string) => given({ schedule: '0 3 * * *' }, { discovery: { scheduledAt } });
  assert.equal(wanted(given({ schedule: '0 3 * * *' }), NOW), undefined);
  assert.equal(wanted(obeyed('2026-01-31T12:00:00Z'), NOW), undefined);
  assert.equal(wanted(obeyed('2026-01-30T12:00:00Z'), NOW), 'schedule 2026-01-31T03:00:00.000Z');
  assert.equal(nextDiscovery(obeyed('2026-01-31T12:00:00Z')), Date.parse('2026-02-01T03:00:00Z'));
});

test('an annotation once per value, long ones by their beginning', () => {
  const asked = (nonce: string, handled?: string): DomainLibrary => {
    const object = given(undefined, handled === undefined ? {} : { lastHandled: { discover: handled } });
    return { ...object, metadata: { ...object.metadata, annotations: { [ANNOTATIONS.discover]: nonce } } };
  };
  assert.equal(wanted(asked('now'), NOW), 'asked now');
  assert.equal(wanted(asked('now', 'now'), NOW), undefined);
  const long = 'x'.repeat(5000);
  const change = wanted(asked(long), NOW) ?? '';
  assert.ok(change.length <= 128);
  assert.equal(wanted(asked(long, change.slice('asked '.length)), NOW), undefined);
});

test('a schedule is written down first, and looked at again when it fires', () => {
  const sim = new Sim(library({ discovery: { schedule: '0 3 * * *' } }));
  sim.settle(12);
  assert.notEqual(sim.library.status?.discovery?.scheduledAt, undefined);
  const again = sim.pass().again ?? 0;
  assert.ok(again > 0 && again <= 24 * 3600, `${again}`);
});

test('a library that holds too little is looked at again when it has grown, and no Job is made before', () => {
  const sim = new Sim(library({ discovery: {} }));
  sim.settle(12);
  assert.equal(sim.condition('Discovered')?.reason, 'LibraryTooSmall');
  assert.equal(sim.library.status?.discovery?.running, undefined);
});

test('a schedule that nobody can read stops no pass: field, value and rule stand in a condition, until it is mended', () => {
  const schedule = '99 * * * *';
  assert.equal(nextDiscovery(given({ schedule }, { discovery: { scheduledAt: '2026-01-31T12:00:00Z' } })), undefined);
  const sim = new Sim(library({ discovery: { schedule } }));
  sim.settle(12);
  sim.pass();
  assert.equal(sim.condition('DiscoveryFailing')?.reason, 'InvalidSpec');
  assert.match(sim.condition('DiscoveryFailing')?.message ?? '', /^spec\.discovery\.schedule: "99 \* \* \* \*": ./);
  assert.equal(sim.condition('Ready')?.status, 'True');
  sim.edit({ discovery: { schedule: '0 3 * * *' } });
  sim.settle(3);
  assert.equal(sim.condition('DiscoveryFailing'), undefined);
});
