import assert from 'node:assert/strict';
import { test } from 'node:test';
import { API_VERSION, validate } from '../../src/api/index.ts';
import { decide } from '../../src/cluster/decide.ts';
import { REASONS } from '../../src/cluster/reasons.ts';
import { eventsOf } from '../../src/cluster/report/events.ts';
import type { Ending } from '../../src/cluster/report/facts.ts';
import { statusOf, withoutVolatile } from '../../src/cluster/report.ts';
import type { World } from '../../src/cluster/world.ts';
import type { ClusterReport, CollectionView, ReportedMember } from '../../src/qdrant/index.ts';
import { answering, calm, claim, clusterObject, collectionOf, pod, viewOf } from './builders.ts';

const NO_ENDING: Ending = { invalid: [], failure: undefined, pending: false };
const FOUNDED = { at: '2026-01-01T00:00:10Z', peerId: 1 };

function report(change: Partial<World> = {}, ending: Partial<Ending> = {}) {
  const { world, topology } = calm(change);
  return statusOf({ world, topology, decision: decide(world, topology), ending: { ...NO_ENDING, ...ending } });
}

const condition = (status: ReturnType<typeof report>, type: string) => {
  const found = status.conditions?.find((one) => one.type === type);
  return found === undefined ? undefined : `${found.status} ${found.reason}`;
};

test('a calm cluster is Ready, Available, not Degraded, and says how big it is', () => {
  const status = report();
  assert.equal(condition(status, 'Ready'), 'True Ready');
  assert.equal(condition(status, 'Available'), 'True Serving');
  assert.equal(condition(status, 'Degraded'), 'False Healthy');
  assert.equal(condition(status, 'ScalingBlocked'), 'False NothingBlocked');
  assert.equal(condition(status, 'Reconciling'), undefined);
  assert.equal(condition(status, 'Stalled'), undefined);
  assert.deepEqual([status.collections, status.points, status.replicas, status.version], [1, 100, 3, '1.18.3']);
  assert.deepEqual(
    status.peers?.map(({ name, state, shards }) => [name, state, shards]),
    [
      ['docs-0', 'Ready', 1],
      ['docs-1', 'Ready', 1],
      ['docs-2', 'Ready', 0],
    ],
  );
  assert.deepEqual(status.endpoints, { rest: 'http://docs.team-a.svc:6333', grpc: 'http://docs.team-a.svc:6334' });
});

const members = new Map([
  [1, 0],
  [2, 1],
  [3, 2],
]);
const shards = (...replicas: Parameters<typeof collectionOf>[1]) =>
  viewOf({ peers: [1, 2, 3], collections: [collectionOf('c', replicas)] });
const READY: readonly [title: string, expected: string, change: Partial<World>][] = [
  ['a peer is silent', 'False PeersNotReady', { view: viewOf({ peers: [1, null, 3] }) }],
  ['nobody answers', 'False Unreachable', { view: viewOf({ peers: [null, null, null] }) }],
  [
    'a replica is Dead, whatever /readyz says (S9)',
    'False ReplicasNotActive',
    { view: shards([1, 'Dead'], [2, 'Active']) },
  ],
  [
    'a shard has no holder (S3)',
    'False ShardsLost',
    { view: viewOf({ peers: [1, 2, 3], collections: [{ ...collectionOf('c', [[1, 'Active']]), shardCount: 2 }] }) },
  ],
  ['a pod is not ready', 'False PeersNotReady', { pods: [pod(0), pod(1), pod(2, { ready: false })] }],
  [
    'a peer is outside',
    'False PeerOutsideCluster',
    {
      view: {
        at: 0,
        peers: [
          answering(0, { peerId: 9, members: new Map([[9, 0]]), leader: 9 }),
          answering(1, { peerId: 2, members, leader: 2 }),
          answering(2, { peerId: 3, members, leader: 2 }),
        ],
      },
    },
  ],
  [
    'there is no leader',
    'False ViewsDisagree',
    {
      view: {
        at: 0,
        peers: [0, 1, 2].map((ordinal) => ({
          ...answering(ordinal, { peerId: ordinal + 1, members }),
          raft: { term: 1, commit: 1, pendingOperations: 0, isVoter: true },
        })),
      },
    },
  ],
  ['a name is taken', 'False NameTaken', { taken: ['Service/docs'] }],
  [
    'a Secret is missing',
    'False SecretNotFound',
    { problem: { reason: 'SecretNotFound', message: 'there is no Secret mine' } },
  ],
];
for (const [title, expected, change] of READY) {
  test(`not Ready while ${title}`, () => assert.equal(condition(report(change), 'Ready'), expected));
}

test('one silent peer of three is degraded but available; a shard on nobody else is not', () => {
  const spread = viewOf({
    peers: [1, null, 3],
    collections: [
      collectionOf('c', [
        [1, 'Active'],
        [2, 'Active'],
      ]),
    ],
  });
  const status = report({ view: spread });
  assert.equal(condition(status, 'Available'), 'True Serving');
  assert.equal(condition(status, 'Degraded'), 'True PeersNotReady');
  const alone = viewOf({ peers: [1, null, 3], collections: [collectionOf('c', [[2, 'Active']])] });
  assert.equal(condition(report({ view: alone }), 'Available'), 'False ShardsUnreadable');
  assert.equal(condition(report({ view: viewOf({ peers: [1, null, null] }) }), 'Available'), 'False NoMajority');
});

test('an invalid spec stalls and names field and rule; nothing is reconciling', () => {
  const status = report({}, { invalid: ['spec.size: 0: must be at least 1'] });
  assert.equal(condition(status, 'Ready'), 'False InvalidSpec');
  assert.equal(condition(status, 'Stalled'), 'True InvalidSpec');
  assert.equal(condition(status, 'Reconciling'), undefined);
});

test('a failed pass is reconciling, not stalled', () => {
  const status = report({}, { failure: 'docs-0: remove_peer: timed out' });
  assert.equal(condition(status, 'Ready'), 'False ReconcileFailed');
  assert.equal(condition(status, 'Reconciling'), 'True ReconcileFailed');
});

test('a suspended cluster says whether changes are pending', () => {
  const cluster = clusterObject({ spec: { suspend: true }, status: { founded: FOUNDED } });
  const message = (pending: boolean) => {
    const { world, topology } = calm({ cluster });
    const status = statusOf({ world, topology, decision: undefined, ending: { ...NO_ENDING, pending } });
    return status.conditions?.find(({ type }) => type === 'Suspended')?.message;
  };
  assert.equal(message(true), 'suspended: changes are pending');
  assert.equal(message(false), 'suspended: no changes are pending');
});

test('fields that nothing acts on are named, and only those that are set', () => {
  const named = (spec: Parameters<typeof clusterObject>[0]) =>
    report({ cluster: clusterObject({ ...spec, status: { founded: FOUNDED } }) }).conditions?.find(
      ({ type }) => type === 'FieldsNotActedOn',
    )?.message;
  assert.equal(named({}), undefined);
  assert.equal(
    named({
      spec: {
        keyRotation: { intervalDays: 1 },
        tls: { secretName: 't' },
        limits: {},
        rebalanceStrategy: 'by_load',
        metrics: { serviceMonitor: { enabled: true } },
        version: '1.19.0',
        persistence: { size: '20Gi' },
        snapshotPersistence: { enabled: true },
      },
    }),
    'nothing acts on these yet: spec.keyRotation, spec.tls, spec.metrics.serviceMonitor, spec.rebalanceStrategy, spec.version, spec.persistence, spec.snapshotPersistence',
  );
});

test('a changed key is a note, not a failure: the pods run with the key that they started with', () => {
  const status = report({
    problem: { reason: 'KeyChanged', message: 'pods run with the key that they started with: docs-0' },
  });
  assert.equal(condition(status, 'KeyChanged'), 'True KeyChanged');
  assert.equal(condition(status, 'Ready'), 'True Ready');
});

const external = { url: 'https://x.example:6333' };
const adopted = (change: Partial<World> = {}) => {
  return report({
    cluster: { ...clusterObject(), spec: { external } },
    statefulSet: undefined,
    pods: [],
    claims: [],
    announced: undefined,
    template: '',
    ...change,
  });
};

test('an external cluster is judged by what answers', () => {
  const host = {
    ...answering(0, { peerId: 1, members: new Map([[1, 0]]) }),
    name: 'x.example:6333',
    uri: 'http://10.0.0.1:6335/',
  };
  const single = { ...host, members: [{ peerId: 1, uri: 'http://10.0.0.1:6335/' }] };
  const status = adopted({ view: { at: 0, peers: [single] } });
  assert.equal(condition(status, 'Ready'), 'True Ready');
  assert.deepEqual([status.selector, status.endpoints, status.replicas], [undefined, { rest: external.url }, 1]);
  const silent = (status?: number) => ({
    at: 0,
    peers: [{ name: 'x', reachable: false as const, error: 'x: refused', ...(status === undefined ? {} : { status }) }],
  });
  assert.equal(condition(adopted({ view: silent() }), 'Ready'), 'False Unreachable');
  assert.equal(condition(adopted({ view: silent(401) }), 'Ready'), 'False KeyRefused');
  assert.equal(condition(adopted({ view: silent(403) }), 'Ready'), 'False KeyRefused');
  assert.equal(
    condition(adopted({ view: { at: 0, peers: [{ ...single, version: '1.12.0' }] } }), 'Ready'),
    'False UnsupportedVersion',
  );
  const alone = adopted({
    view: {
      at: 0,
      peers: [
        {
          ...single,
          distributed: false,
          members: [],
          peerId: 0,
          raft: { term: 0, commit: 0, pendingOperations: 0, isVoter: true },
        },
      ],
    },
  });
  assert.equal(condition(alone, 'Distributed'), 'False Standalone');
  assert.equal(condition(alone, 'Ready'), 'True Ready');
});

const behindOneAddress = (report?: ClusterReport, collections: readonly CollectionView[] = []) => {
  const host = answering(0, { peerId: 1, members: new Map([1, 2, 3].map((id) => [id, id - 1])), collections });
  const peers = [{ ...host, name: 'x.example:6333' }];
  return adopted({ view: { at: 0, peers, ...(report === undefined ? {} : { report }) } });
};
const told = (change: Partial<ReportedMember> = {}): ClusterReport => ({
  members: [1, 2, 3].map((peerId) => ({
    peerId,
    responsive: true,
    version: '1.18.3',
    isVoter: true,
    consensus: 'working',
    ...(peerId === 3 ? change : {}),
  })),
  points: new Map([['0/c', 70]]),
});
const spread = collectionOf('c', [
  [2, 'Active'],
  [3, 'Active'],
]);

test('peers behind one address are judged by the one that answers and by what it tells of the others', () => {
  const plain = { ...spread, shards: [{ id: 0, replicas: [{ peerId: 2, state: 'Active' as const }] }] };
  const well = behindOneAddress(told(), [plain]);
  assert.equal(condition(well, 'Ready'), 'True Ready');
  assert.equal(condition(well, 'Available'), 'True Serving');
  assert.equal(condition(well, 'Degraded'), 'False Healthy');
  assert.match(well.conditions?.find(({ type }) => type === 'Ready')?.message ?? '', /2 can't be asked one by one/);
  assert.deepEqual([well.replicas, well.points, well.operation], [3, 70, undefined]);
  assert.deepEqual(
    well.peers?.map(({ name, state, version }) => [name, state, version]),
    [0, 1, 2].map((ordinal) => [`docs-${ordinal}`, 'Ready', '1.18.3']),
  );
  const cases: [Partial<ReportedMember>, string][] = [
    [{ responsive: false }, 'False PeersNotReady'],
    [{ isVoter: false }, 'False PeersNotReady'],
    [{ consensus: 'stopped_with_err', consensusError: 'panic' }, 'False ConsensusStopped'],
    [{ version: '1.12.0' }, 'False UnsupportedVersion'],
  ];
  for (const [change, expected] of cases) {
    assert.equal(condition(behindOneAddress(told(change)), 'Ready'), expected);
  }
  const away = behindOneAddress(told({ responsive: false }), [spread]);
  assert.equal(away.peers?.find(({ peerId }) => peerId === 3)?.state, 'Unreachable');
  assert.equal(condition(away, 'Degraded'), 'True PeersNotReady');
  assert.equal(condition(away, 'Available'), 'True Serving');
  const lost = collectionOf('c', [[3, 'Active']]);
  assert.equal(condition(behindOneAddress(told({ responsive: false }), [lost]), 'Available'), 'False ShardsUnreadable');
  assert.equal(
    condition(behindOneAddress(told(), [collectionOf('c', [[3, 'Dead']])]), 'Ready'),
    'False ReplicasNotActive',
  );
});

test('peers behind one address of whom nobody tells are not called silent, and the condition says so', () => {
  const status = behindOneAddress(undefined, [spread]);
  assert.equal(condition(status, 'Ready'), 'True Ready');
  assert.equal(condition(status, 'Available'), 'True Serving');
  assert.match(status.conditions?.find(({ type }) => type === 'Ready')?.message ?? '', /nobody tells of them/);
  assert.equal(status.replicas, 1);
});

test('members that share a host have names of their own', () => {
  const members = [1, 2].map((peerId) => ({ peerId, uri: `http://10.0.0.1:${6334 + peerId}/` }));
  const peer = { ...answering(0, { peerId: 1, members: new Map() }), name: 'x.example:6333', members };
  const names = adopted({ view: { at: 0, peers: [peer] } }).peers?.map(({ name }) => name);
  assert.deepEqual(names, ['10.0.0.1-1', '10.0.0.1-2']);
});

test('shards of a cluster behind one address are left where they are', () => {
  const crowded = collectionOf('c', ...[0, 1, 2].map(() => [[1, 'Active']] as [number, 'Active'][]));
  const spec = { external, rebalanceStrategy: 'by_count' as const };
  const host = answering(0, { peerId: 1, members: new Map([1, 2].map((id) => [id, id - 1])), collections: [crowded] });
  const { world, topology } = calm({
    cluster: { ...clusterObject(), spec },
    pods: [],
    claims: [],
    view: { at: 0, peers: [{ ...host, name: 'x.example:6333' }], report: told() },
  });
  assert.equal(decide(world, topology).step, undefined);
});

test('founded is set once, by the first peer that answers', () => {
  const status = report({ cluster: clusterObject() });
  assert.deepEqual(status.founded, { at: '1970-01-01T00:01:40Z', peerId: 1 });
  assert.deepEqual(report().founded, FOUNDED);
});

test('an operation keeps the time when it began, and names who blocks it', () => {
  const operation = { name: 'ScaleIn' as const, step: 'x', startedAt: '2026-01-01T00:00:00Z' };
  const cluster = clusterObject({ spec: { size: 2 }, status: { founded: FOUNDED, operation } });
  const status = report({ cluster, replicationFactors: new Map([['c', 3]]) });
  assert.equal(status.operation?.startedAt, operation.startedAt);
  assert.deepEqual(
    status.operation?.blockedBy?.map(({ name }) => name),
    ['replication-factor-fits', 'withdrawn'],
  );
  assert.equal(condition(status, 'ScalingBlocked'), 'True PredicateRefuses');
});

test('when nobody answers, what was known stays known as unreachable', () => {
  const before = report();
  const after = report({ cluster: clusterObject({ status: before }), view: viewOf({ peers: [null, null, null] }) });
  assert.deepEqual(
    after.peers?.map(({ state, peerId }) => [state, peerId]),
    [
      ['Unreachable', 1],
      ['Unreachable', 2],
      ['Unreachable', 3],
    ],
  );
  assert.deepEqual([after.points, after.collections], [before.points, before.collections]);
});

test('a peer that was removed is listed as such until its pod is gone', () => {
  const view = {
    at: 0,
    peers: [
      ...[0, 1].map((ordinal) =>
        answering(ordinal, {
          peerId: ordinal + 1,
          members: new Map([
            [1, 0],
            [2, 1],
          ]),
        }),
      ),
      answering(2, { peerId: 3, members: new Map([[3, 2]]) }),
    ],
  };
  const status = report({ view, claims: [claim(2, { removedPeer: '3' })] });
  assert.deepEqual(
    status.peers?.map(({ state }) => state),
    ['Ready', 'Ready', 'Removed'],
  );
});

test('every status is valid by its own schema', () => {
  for (const change of [{}, ...READY.map(([, , one]) => one)]) {
    const cluster = clusterObject();
    const object = { ...cluster, apiVersion: API_VERSION, status: report(change) };
    assert.deepEqual(validate(object), []);
  }
});

test('a transition keeps its time while the status stays', () => {
  const first = report();
  const later = report({ now: 200_000, cluster: clusterObject({ status: first }) });
  assert.deepEqual(later.conditions, first.conditions);
  assert.deepEqual(later, first);
});

test('seconds that pass in a reason are no change', () => {
  const operation = { name: 'ScaleIn' as const, step: 'RemovePeer', startedAt: '2026-01-01T00:00:00Z' };
  const cluster = clusterObject({ spec: { size: 2 }, status: { founded: FOUNDED, operation } });
  const view = viewOf({
    peers: [1, 2, 3],
    collections: [
      collectionOf('c', [
        [1, 'Active'],
        [2, 'Active'],
      ]),
    ],
  });
  const at = (now: number) =>
    withoutVolatile({ ...report({ cluster, view, now, settledSince: 98_500 }), founded: FOUNDED });
  assert.deepEqual(at(100_000).operation, at(101_000).operation);
});

test('events are told when something changes, once', () => {
  const well = report();
  assert.deepEqual(eventsOf(well, well), []);
  const reasons = (...statuses: [typeof well | undefined, typeof well]) =>
    eventsOf(...statuses).map(({ type, reason, action }) => `${type} ${reason} ${action}`);
  assert.deepEqual(reasons(undefined, well), ['Normal Founded Create', 'Normal Ready Ready']);
  const ill = report({ cluster: clusterObject({ status: well }), view: shards([1, 'Dead'], [2, 'Active']) });
  assert.deepEqual(reasons(well, ill), [
    'Normal OperationStarted Heal',
    'Warning ReplicasNotActive Ready',
    'Warning ReplicasNotActive Degraded',
  ]);
  assert.deepEqual(reasons(ill, well), ['Normal OperationFinished Heal', 'Normal Ready Ready']);
});

test('every reason is one CamelCase word with a sentence', () => {
  for (const [reason, sentence] of Object.entries(REASONS)) {
    assert.match(reason, /^[A-Z][A-Za-z]+$/);
    assert.match(sentence, /^[A-Z].*[.]$/);
  }
});
