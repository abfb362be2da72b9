import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from '../../bench/metrics.ts';
import { RequestCount } from '../../bench/requests.ts';
import { brokenInvariants } from '../../bench/scale/invariants.ts';
import type { Measured } from '../../bench/scale/measure.ts';
import type { Phase } from '../../bench/scale/phase.ts';
import { curve } from '../../bench/scale/report.ts';
import { figure, table } from '../../bench/table.ts';
import { Audit, type AuditEntry } from '../../sandbox/kube/index.ts';

const USER = 'system:serviceaccount:system:operator';

const request = (change: Partial<AuditEntry>): AuditEntry => ({
  at: 0,
  user: USER,
  verb: 'get',
  resource: '/secrets',
  namespace: 'bench',
  name: 'one',
  path: '/',
  code: 200,
  wrote: false,
  userAgent: '',
  ...change,
});

const phase = (change: Partial<Phase> = {}): Phase => ({
  seconds: 10,
  passes: 100,
  passesOf: [],
  qdrantRequestsOf: [],
  errors: 0,
  cpuSeconds: 1,
  qdrantRequests: 600,
  requests: { total: 5, writes: 0, kinds: [['update coordination.k8s.io/leases', 5]] },
  peakBytes: 100 * 1024 * 1024,
  lagP99Milliseconds: 12,
  ...change,
});

const measured = (change: Partial<Measured> = {}): Measured => ({
  clusters: 10,
  objects: 110,
  creation: phase(),
  settling: phase(),
  rest: phase(),
  restart: phase(),
  ...change,
});

/** The cells of the first row with this label. */
const cells = (text: string, label: string): string[] =>
  text
    .split('\n')
    .find((line) => line.startsWith(`  ${label}`))
    ?.trim()
    .split(/ {2,}/)
    .slice(1) ?? [];

test('metrics are summed over all samples that bear the labels', () => {
  const metrics = new Metrics(
    [
      '# HELP reconciles Passes',
      'reconciles{controller="a",result="success"} 3',
      'reconciles{controller="b",result="say \\"no\\", }"} 4',
      'lag 1.5e-2',
    ].join('\n'),
  );
  assert.equal(metrics.sum('reconciles'), 7);
  assert.equal(metrics.sum('reconciles', { controller: 'b' }), 4);
  assert.equal(metrics.sum('lag'), 0.015);
  assert.equal(metrics.sum('unknown'), 0);
  assert.deepEqual(
    [...metrics.by('reconciles', 'controller')],
    [
      ['a', 3],
      ['b', 4],
    ],
  );
});

test('every request that asks for a change is a write, but the renewal of a Lease', () => {
  const audit = new Audit();
  const count = new RequestCount(audit, USER);
  audit.record(request({ verb: 'watch' }));
  audit.record(request({ verb: 'update', resource: 'coordination.k8s.io/leases', wrote: true }));
  // It changed nothing, and was sent all the same.
  audit.record(request({ verb: 'patch', wrote: false }));
  audit.record(request({ verb: 'create', code: 409 }));
  audit.record(request({ verb: 'delete', user: 'system:admin' }));
  const { total, writes, kinds } = count.take();
  assert.deepEqual([total, writes], [4, 2]);
  assert.ok(kinds.some(([kind]) => kind === 'create /secrets (409)'));
});

test('a phase counts only what came in it', () => {
  const audit = new Audit();
  const count = new RequestCount(audit, USER);
  audit.record(request({}));
  count.take();
  assert.equal(count.take().total, 0);
  audit.record(request({}));
  assert.equal(count.take().total, 1);
  count.stop();
  audit.record(request({}));
  assert.equal(count.take().total, 0);
});

test('a write at rest breaks the invariant, a slow run does not', () => {
  assert.deepEqual(brokenInvariants(measured({ creation: phase({ seconds: 1e6 }) })), []);
  const writing = phase({ requests: { total: 1, writes: 1, kinds: [['patch /secrets', 1]] } });
  const [broken] = brokenInvariants(measured({ rest: writing }));
  assert.match(broken ?? '', /1 writes at rest with 10 clusters.*patch \/secrets/);
});

test('what grows with the objects is compared per object, the rest as it is', () => {
  const larger = measured({
    clusters: 50,
    objects: 550,
    creation: phase({ seconds: 100, passes: 1000, lagP99Milliseconds: 24 }),
  });
  const text = curve([measured(), larger], 10);
  assert.deepEqual(cells(text, 'seconds'), ['10', '100', '2.00']);
  assert.deepEqual(cells(text, 'event-loop delay'), ['12', '24', '2.00']);
});

test('a ratio to nothing is left out', () => {
  const text = curve([measured(), measured({ clusters: 50, objects: 550 })], 10);
  assert.deepEqual(cells(text, 'failed passes'), ['0', '0', '-']);
});

test('one size has no ratio', () => {
  assert.deepEqual(cells(curve([measured()], 10), 'seconds'), ['10']);
});

test('figures have three significant digits, whole numbers from a hundred on', () => {
  assert.deepEqual([0, 0.012345, 1.2345, 99.94, 1234.5, Number.NaN].map(figure), [
    '0',
    '0.0123',
    '1.23',
    '99.9',
    '1,235',
    '-',
  ]);
});

test('columns are as wide as their longest cell; a title spans them all', () => {
  assert.equal(table([['', 'one'], ['a long title'], ['row', '1']]), '     one\na long title\nrow    1\n');
});
