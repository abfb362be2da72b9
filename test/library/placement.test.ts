import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QdrantCluster } from '../../src/api/index.ts';
import { clustersBeside, orderedMove, place } from '../../src/library/decide/placement.ts';
import { cluster, library, ready } from './sim.ts';

const named = (
  name: string,
  change: { labels?: Record<string, string>; ready?: boolean; points?: number; collections?: number } = {},
): QdrantCluster =>
  cluster({
    metadata: { name, namespace: 'team', labels: change.labels ?? { tier: 'gold' } },
    status: {
      conditions: [ready(change.ready === false ? 'False' : 'True')],
      points: change.points ?? 0,
      collections: change.collections ?? 0,
    },
  });
const selecting = { clusterSelector: { matchLabels: { tier: 'gold' } } };
const living = (on: string, placement: object) => ({
  ...library({ placement }),
  status: {
    cluster: on,
    generations: [
      {
        number: 1,
        collection: 'docs--g1',
        cluster: on,
        state: 'Active' as const,
        specDigest: '',
        createdAt: '2026-01-01T00:00:00Z',
      },
    ],
  },
});

test('a pinned library goes where it is pinned, ready or not; one that is not there is named', () => {
  assert.deepEqual(place(library(), [named('main', { ready: false })]), { name: 'main' });
  assert.deepEqual(place(library(), []).problem, {
    reason: 'ClusterNotFound',
    message: 'spec.placement.clusterRef.name: QdrantCluster main does not exist',
  });
});

test('a selected one goes to the Ready cluster with the fewest points, then collections, then by name', () => {
  const object = library({ placement: selecting });
  const clusters = [
    named('a', { points: 9 }),
    named('b', { points: 1, collections: 2 }),
    named('c', { points: 1, collections: 1 }),
    named('d', { ready: false }),
  ];
  assert.equal(place(object, clusters).name, 'c');
  assert.equal(place(object, [named('z'), named('y')]).name, 'y');
  assert.equal(place(object, [named('a', { labels: { tier: 'lead' } })]).problem?.reason, 'NoClusterMatches');
});

test('a choice is kept, even before there is a collection, while it still fits', () => {
  const chosen = { ...library({ placement: selecting }), status: { cluster: 'b' } };
  assert.equal(place(chosen, [named('a'), named('b', { points: 99 })]).name, 'b');
  assert.equal(place(chosen, [named('a'), named('b', { ready: false })]).name, 'a');
});

test('once it has a collection it stays until it has moved; what orders a move is told', () => {
  const clusters = [named('a'), named('b')];
  assert.deepEqual(place(living('a', { clusterRef: { name: 'a' } }), clusters), { name: 'a' });
  assert.equal(orderedMove(living('a', { clusterRef: { name: 'a' } })), undefined);
  const moved = living('a', { clusterRef: { name: 'b' } });
  assert.equal(place(moved, clusters).name, 'a');
  assert.deepEqual(orderedMove(moved), { to: 'b', field: 'spec.placement.clusterRef.name' });
  assert.deepEqual(clustersBeside(moved), ['b']);
  const object = living('a', selecting);
  const assignment = { cluster: 'b', policy: 'even' };
  const assigned = { ...object, status: { ...object.status, assignment } };
  assert.deepEqual(orderedMove(assigned), { to: 'b', field: 'status.assignment.cluster', policy: 'even' });
  assert.equal(orderedMove({ ...moved, status: { ...object.status, assignment: { cluster: 'c' } } })?.to, 'b');
  assert.equal(orderedMove(library({ placement: { clusterRef: { name: 'b' } } })), undefined);
  assert.equal(place(living('a', selecting), [named('b')]).problem?.reason, 'ClusterNotFound');
});

test('under a fence only the two ends of the move are looked at', () => {
  const moving = living('a', { clusterRef: { name: 'b' } });
  const generation = { number: 1, collection: 'docs--g1', state: 'Retired', specDigest: '', createdAt: '' } as const;
  const change = { from: 2, to: 3, reason: '', startedAt: '', fromCluster: 'a', toCluster: 'b' };
  const at = (step: 'Fenced' | 'Copying') => ({
    ...moving,
    status: { ...moving.status, generations: [{ ...generation, cluster: 'z' }], change: { ...change, step } },
  });
  assert.deepEqual(clustersBeside(at('Copying')), ['b', 'z']);
  assert.deepEqual(clustersBeside(at('Fenced')), ['b']);
});

const expressions: [string, string[] | undefined, Record<string, string>, boolean][] = [
  ['In', ['x'], { zone: 'x' }, true],
  ['In', ['x'], {}, false],
  ['NotIn', ['x'], { zone: 'y' }, true],
  ['NotIn', ['x'], {}, true],
  ['NotIn', ['x'], { zone: 'x' }, false],
  ['Exists', undefined, { zone: '' }, true],
  ['Exists', undefined, {}, false],
  ['DoesNotExist', undefined, {}, true],
  ['DoesNotExist', undefined, { zone: 'x' }, false],
];
for (const [operator, values, labels, fits] of expressions) {
  test(`zone ${operator} ${(values ?? []).join()} ${fits ? 'fits' : "doesn't fit"} ${JSON.stringify(labels)}`, () => {
    const requirement = { key: 'zone', operator, ...(values === undefined ? {} : { values }) } as {
      key: string;
      operator: 'In';
      values: string[];
    };
    const object = library({ placement: { clusterSelector: { matchExpressions: [requirement] } } });
    assert.equal(place(object, [named('a', { labels })]).name, fits ? 'a' : undefined);
  });
}
