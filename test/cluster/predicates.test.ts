import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ALL_PREDICATES, blockers, type Gate, PREDICATES } from '../../src/cluster/predicates.ts';
import { memberOf } from '../../src/cluster/topology.ts';
import type { World } from '../../src/cluster/world.ts';
import { answering, calm, claim, clusterObject, collectionOf, pod, viewOf } from './builders.ts';

/** What refuses a step about the peer of pod `docs-2`. */
function refusing(gate: Gate, change: Partial<World> = {}, ordinal = 2): string[] {
  const { world, topology } = calm(change);
  return blockers(gate, { world, topology, ordinal, member: memberOf(topology, ordinal) }).map(({ name }) => name);
}

const out = (at: number) => [pod(0), pod(1), pod(2, { serving: false, withdrawnAt: at })];
const replicas = (...states: Parameters<typeof collectionOf>[1]) =>
  viewOf({ peers: [1, 2, 3], collections: [collectionOf('c', states)] });

test('a peer of a calm cluster may be stopped once it is out of the Service', () => {
  assert.deepEqual(refusing('stopPeer'), ['withdrawn']);
  assert.deepEqual(refusing('stopPeer', { pods: out(90_000) }), []);
});

const STOP: readonly [title: string, expected: string, change: Partial<World>][] = [
  ['a peer is silent', 'every-peer-answers', { view: viewOf({ peers: [1, null, 3] }) }],
  ['another pod is missing', 'every-pod-ready', { pods: out(90_000).slice(1) }],
  ['another pod is stopping', 'every-pod-ready', { pods: [pod(0, { terminating: true }), ...out(90_000).slice(1)] }],
  ['a replica is Dead', 'every-replica-active', { view: replicas([1, 'Dead'], [3, 'Active']) }],
  [
    'the last readable replica is on it (S2)',
    'every-shard-readable-elsewhere',
    { view: replicas([1, 'Dead'], [3, 'Active']) },
  ],
  ['it was withdrawn a moment ago (S5)', 'withdrawn', { pods: out(96_000) }],
  ['nothing proves that it has settled (S4)', 'settled', { settledSince: undefined }],
  ['it settled two seconds ago (S4)', 'settled', { settledSince: 98_000 }],
];
for (const [title, expected, change] of STOP) {
  test(`a peer is not stopped while ${title}`, () => {
    assert.ok(refusing('stopPeer', { pods: out(90_000), ...change }).includes(expected));
  });
}

test('a peer is not stopped while a transfer runs', () => {
  const collection = {
    ...collectionOf('c', [
      [1, 'Active'],
      [2, 'Active'],
    ]),
    transfers: [{ shardId: 0, from: 1, to: 3, sync: true }],
  };
  const view = viewOf({ peers: [1, 2, 3], collections: [collection] });
  assert.ok(refusing('stopPeer', { view, pods: out(90_000) }).includes('no-transfer-runs'));
});

test('a peer whose consensus failed is not restarted (S1), not even an unhealthy one', () => {
  const base = viewOf({ peers: [1, 2, 3] });
  const peers = base.peers.map((peer) =>
    peer.reachable && peer.name === 'docs-2' ? { ...peer, consensus: 'stopped_with_err' as const } : peer,
  );
  const view = { ...base, peers };
  assert.deepEqual(refusing('restartUnhealthy', { view }), ['consensus-not-failed']);
  assert.ok(refusing('stopPeer', { view }).includes('consensus-not-failed'));
});

test('a shard with one replica does not hold up a restart: it would for ever', () => {
  assert.deepEqual(refusing('stopPeer', { pods: out(90_000), view: replicas([3, 'Active']) }), []);
});

test('nobody is stopped while a peer that founded a cluster of its own answers (S10)', () => {
  const members = new Map([
    [1, 0],
    [2, 1],
    [3, 2],
  ]);
  const view = {
    at: 0,
    peers: [
      answering(0, { peerId: 9, members: new Map([[9, 0]]), leader: 9 }),
      ...[1, 2].map((of) => answering(of, { peerId: of + 1, members, leader: 2 })),
    ],
  };
  const { topology } = calm({ view });
  assert.deepEqual(
    topology.outsiders.map(({ name }) => name),
    ['docs-0'],
  );
  assert.ok(refusing('stopPeer', { view }).includes('views-agree'));
});

test('the quorum stays when a peer is stopped; two peers have none to keep', () => {
  const four = new Map([
    [1, 0],
    [2, 1],
    [3, 2],
    [4, 3],
  ]);
  const half = viewOf({ peers: [1, null, 3, 4], members: four });
  assert.ok(refusing('stopPeer', { view: half }).includes('quorum-without-peer'));
  assert.ok(!refusing('stopPeer', { view: viewOf({ peers: [1, 2] }) }, 1).includes('quorum-without-peer'));
});

test('a peer is not drained where a shard would have too few replicas, or where the factor is unknown', () => {
  const size = clusterObject({ spec: { size: 2 } });
  assert.deepEqual(refusing('drainPeer', { cluster: size }), []);
  assert.deepEqual(refusing('drainPeer', { cluster: size, replicationFactors: new Map([['c', 3]]) }), [
    'replication-factor-fits',
  ]);
  assert.deepEqual(refusing('drainPeer', { cluster: size, replicationFactors: new Map() }), [
    'replication-factor-fits',
  ]);
});

test('a peer is not drained while another is silent, or a shard has no holder (S3)', () => {
  assert.ok(refusing('drainPeer', { view: viewOf({ peers: [1, null, 3] }) }).includes('remaining-peers-answer'));
  const lost = { ...collectionOf('c', [[1, 'Active']]), shardCount: 2 };
  assert.deepEqual(refusing('drainPeer', { view: viewOf({ peers: [1, 2, 3], collections: [lost] }) }), [
    'every-shard-present',
  ]);
});

test('the last peer is never removed', () => {
  assert.ok(refusing('removePeer', { view: viewOf({ peers: [1] }) }, 0).includes('size-at-least-one'));
});

test('a peer with a replica in any view is not removed (S3)', () => {
  const members = new Map([
    [1, 0],
    [2, 1],
    [3, 2],
  ]);
  const only = (ordinal: number) =>
    answering(ordinal, {
      peerId: ordinal + 1,
      members,
      collections: ordinal === 2 ? [collectionOf('c', [[3, 'Active']])] : [],
    });
  assert.ok(
    refusing('removePeer', { view: { at: 0, peers: [only(0), only(1), only(2)] } }).includes('peer-holds-no-shard'),
  );
});

test('a peer is not removed by a minority', () => {
  const five = new Map([
    [1, 0],
    [2, 1],
    [3, 2],
    [4, 3],
    [5, 4],
  ]);
  const view = viewOf({ peers: [1, null, 3, null, null], members: five });
  assert.ok(refusing('removePeer', { view }).includes('quorum-after-removal'));
});

test('the last Active replica is never dropped, nor one whose other owner is silent (S3)', () => {
  const drop = (view: World['view']) => {
    const { world, topology } = calm(view === undefined ? {} : { view });
    const [shard] = topology.shards;
    assert.ok(shard);
    return blockers('dropReplica', { world, topology, ordinal: 0, member: memberOf(topology, 0), shard }).map(
      ({ name }) => name,
    );
  };
  assert.deepEqual(drop(replicas([1, 'Active'], [2, 'Active'])), []);
  assert.deepEqual(drop(replicas([1, 'Active'])), ['another-replica-active']);
  assert.deepEqual(drop(replicas([1, 'Active'], [2, 'Partial'])), ['another-replica-active']);
  const silent = viewOf({
    peers: [1, null, 3],
    collections: [
      collectionOf('c', [
        [1, 'Active'],
        [2, 'Active'],
      ]),
    ],
  });
  assert.ok(drop(silent).includes('another-replica-active'));
});

test('the pod of a peer is not stopped for good while the peer is a member, whatever the removal answered (S11)', () => {
  assert.deepEqual(refusing('stopRemovedPod'), ['peer-not-a-member', 'volume-marked']);
  const gone = { view: viewOf({ peers: [1, 2] }), claims: [claim(2, { removedPeer: '3' })] };
  assert.deepEqual(refusing('stopRemovedPod', gone), []);
});

test('a volume is emptied only when its pod is gone and its peer was removed for sure', () => {
  const view = viewOf({ peers: [1, 2] });
  assert.deepEqual(refusing('emptyVolume', { view }), ['volume-unused']);
  assert.deepEqual(refusing('emptyVolume', { view, pods: [], claims: [claim(2)] }), ['volume-unused']);
  assert.deepEqual(refusing('emptyVolume', { view, pods: [], claims: [claim(2, { removedPeer: '3' })] }), []);
  assert.ok(
    refusing('emptyVolume', { pods: [], claims: [claim(2, { removedPeer: '3' })] }).includes('peer-not-a-member'),
  );
});

test('a cluster is founded anew only when nobody answers and it has one peer (S10)', () => {
  assert.deepEqual(refusing('foundAgain'), ['no-peer-answers', 'one-peer-cluster']);
  const cluster = clusterObject({ spec: { size: 1 } });
  const set = { replicas: 1, image: undefined, claims: [] };
  assert.deepEqual(refusing('foundAgain', { cluster, statefulSet: set, view: viewOf({ peers: [null] }) }, 0), []);
});

test('a cluster with libraries is not deleted', () => {
  assert.deepEqual(refusing('deleteCluster', { libraries: ['handbook'] }), ['no-library-placed']);
  assert.deepEqual(refusing('deleteCluster'), []);
});

test('a predicate can be switched off by name, and all by *', () => {
  assert.deepEqual(refusing('stopPeer', { disabled: new Set(['withdrawn']) }), []);
  assert.deepEqual(refusing('stopPeer', { disabled: new Set(['*']), settledSince: undefined }), []);
});

test('docs/predicates.md names every predicate with its sentence, and every step with its predicates in order', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/predicates.md'), 'utf8');
  const section = page.slice(page.indexOf('## QdrantCluster'));
  const own = section.slice(0, section.indexOf('\n## ', 4) < 0 ? undefined : section.indexOf('\n## ', 4));
  const rows = ALL_PREDICATES.map(
    ({ name, about, passing }) => `| \`${name}\` | ${about} | ${passing === true ? 'yes' : 'no'} |`,
  );
  assert.deepEqual(
    own
      .split('\n')
      .filter((line) => /^\| `/.test(line))
      .toSorted(),
    rows.toSorted(),
  );
  for (const [gate, predicates] of Object.entries(PREDICATES)) {
    const names = predicates.map(({ name }) => `\`${name}\``).join(', ');
    assert.ok(own.includes(`(\`${gate}\`) | ${names} |`), gate);
  }
});
