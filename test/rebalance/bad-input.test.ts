import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { CONFIG_MAPS, type ConfigMap } from '../../src/kube/index.ts';
import { GIGABYTE, NAMESPACE, Room } from './room.ts';

let room: Room;
beforeEach(async () => {
  room = await Room.start();
});
afterEach(() => room.stop());

async function uneven(): Promise<void> {
  await room.createCluster('a');
  await room.createCluster('b');
  await room.createLibrary('docs', 'a', { requests: 200 });
  await room.createLibrary('code', 'a', { requests: 150 });
}

test('selectors that match nothing, and a single cluster, are named until they are mended', async () => {
  await room.createCluster('a', {}, { tier: 'hot' });
  await room.createLibrary('docs', 'a', { requests: 10, labels: { team: 'one' } });
  await room.createPolicy('even', { clusterSelector: { matchLabels: { tier: 'cold' } } });
  await room.pass();
  assert.equal(await room.says('Ready'), 'False NoClusterMatches');
  await room.changePolicy('even', {
    spec: { clusterSelector: null, librarySelector: { matchLabels: { team: 'two' } } },
  });
  await room.run(30);
  assert.equal(await room.says('Ready'), 'False NoLibraryMatches');
  await room.changePolicy('even', { spec: { librarySelector: null } });
  await room.run(30);
  assert.equal(await room.says('Ready'), 'False OneCluster');
  await room.createCluster('b');
  await room.run(720);
  assert.equal(await room.says('Ready'), 'True Watching');
  const told = room.events.filter(({ type }) => type === 'Warning').map(({ reason }) => reason);
  assert.deepEqual(told, ['NoClusterMatches', 'NoLibraryMatches', 'OneCluster'], 'an event says each once');
});

test('a cluster that does not answer is unknown and not idle, and nothing is planned by its silence', async () => {
  await uneven();
  await room.createPolicy('even');
  await room.run(720);
  const before = (await room.policy()).status?.load;
  const silent = room.clusters.get('a');
  if (silent !== undefined) silent.silent = 'connection refused';
  await room.run(180);
  assert.equal(await room.says('LoadKnown'), 'False LoadUnknown');
  assert.match(await room.message('LoadKnown'), /a\.example.*connection refused/);
  const during = (await room.policy()).status?.load;
  const figure = (load: typeof before) => load?.find(({ cluster }) => cluster === 'a')?.requestsPerMinute;
  assert.equal(figure(during), figure(before));
  assert.ok((during?.find(({ cluster }) => cluster === 'a')?.knownPercent ?? 100) < 100);
  await room.say('even', 'refresh');
  await room.run(60);
  assert.equal((await room.policy()).status?.plan, undefined);
  if (silent !== undefined) silent.silent = undefined;
  await room.run(720);
  assert.equal(await room.says('LoadKnown'), 'True Known');
  assert.equal((await room.policy()).status?.plan?.state, 'Proposed');
});

test('a restarted peer makes a gap and no burst: its counters begin anew', async () => {
  await uneven();
  await room.createPolicy('even', { mode: 'Observe' });
  await room.run(600);
  const cluster = room.clusters.get('a');
  if (cluster !== undefined) {
    cluster.startedAt = '2026-03-02T08:10:00Z';
    cluster.counters = new Map();
  }
  await room.run(300);
  const load = (await room.policy()).status?.load?.find(({ cluster: name }) => name === 'a');
  assert.equal(load?.requestsPerMinute, 21_000);
});

test('a cluster whose size nobody tells takes no part, and is named', async () => {
  await room.createCluster('a', { cores: 0 });
  await room.createCluster('b');
  await room.createLibrary('docs', 'a', { requests: 200 });
  await room.createPolicy('even');
  await room.run(60);
  assert.equal(await room.says('Ready'), 'False CapacityUnknown');
  assert.match(await room.message('Ready'), /^a: neither its spec nor Qdrant tells/);
});

test('behind one address a cluster of several peers is unknown: each answer comes from another one', async () => {
  await room.createCluster('a', { members: 3 });
  await room.createCluster('b');
  await room.createLibrary('docs', 'a', { requests: 200 });
  await room.createPolicy('even');
  await room.run(60);
  assert.equal(await room.says('Ready'), 'False LoadUnknown');
  assert.match(await room.message('LoadKnown'), /1 of 3 peers can be asked/);
});

test('nothing moves to an older Qdrant, and the difference is named', async () => {
  await room.createCluster('a');
  await room.createCluster('b', { version: '1.17.2' });
  await room.createLibrary('docs', 'a', { requests: 200 });
  await room.createLibrary('code', 'a', { requests: 150 });
  await room.createPolicy('even');
  await room.run(720);
  await room.say('even', 'refresh');
  await room.pass();
  assert.equal(await room.says('VersionsDiffer'), 'True VersionsDiffer');
  assert.match(await room.message('VersionsDiffer'), /b runs 1\.17\.2/);
  const told = room.events.filter(({ reason }) => reason === 'VersionsDiffer');
  assert.deepEqual(
    told.map(({ type, note }) => [type, note.includes('b runs 1.17.2')]),
    [['Warning', true]],
  );
  assert.equal(await room.says('Planned'), 'False NothingBetter');
  assert.equal((await room.policy()).status?.plan, undefined);
  const older = room.clusters.get('b');
  if (older !== undefined) older.version = '1.18.3';
  await room.run(60);
  assert.equal(await room.says('VersionsDiffer'), undefined);
});

test('of two policies that choose a library the younger is refused by name, until the older goes', async () => {
  await uneven();
  await room.createPolicy('elder', { mode: 'Recommend' });
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await room.createPolicy('even', { mode: 'Auto' });
  await room.run(720);
  assert.equal(await room.says('Ready'), 'False LibrariesClaimed');
  assert.match(await room.message('Ready'), /library code and 1 more: RebalancePolicy elder, which is older/);
  await room.changePolicy('elder', { spec: { mode: 'Observe' } });
  await room.run(30);
  assert.equal(await room.says('Ready'), 'True Watching');
});

test('a ConfigMap of somebody else is left alone', async () => {
  await uneven();
  const metadata = {
    name: 'even-plan',
    namespace: NAMESPACE,
    labels: { 'app.kubernetes.io/managed-by': 'qdrant-librarian' },
  };
  const foreign = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { mine: 'yes' } } as ConfigMap;
  await room.admin.create(CONFIG_MAPS, foreign);
  await room.createPolicy('even', { mode: 'Auto' });
  await room.run(720);
  assert.equal(await room.says('Ready'), 'False ConfigMapTaken');
  assert.deepEqual((await room.admin.get(CONFIG_MAPS, { namespace: NAMESPACE, name: 'even-plan' })).data, {
    mine: 'yes',
  });
  await room.admin.delete(CONFIG_MAPS, { namespace: NAMESPACE, name: 'even-plan' });
  await room.run(60);
  assert.equal(await room.says('Ready'), 'True Watching');
});

test('a library whose index is built stays; who asks for a plan is told why there is none', async () => {
  await room.createCluster('a');
  await room.createCluster('b');
  await room.createLibrary('docs', 'a', { requests: 200, optimising: true });
  await room.createLibrary('code', 'a', { requests: 150, optimising: true });
  await room.createPolicy('even');
  await room.run(660);
  await room.say('even', 'refresh');
  await room.run(60);
  assert.equal(await room.says('Planned'), 'False NothingBetter');
  assert.match(await room.message('Planned'), /docs is being optimised or changed/);
  for (const library of room.libraries.values()) library.optimising = false;
  await room.run(30);
  await room.say('even', 'refresh');
  await room.pass();
  assert.equal((await room.policy()).status?.plan?.state, 'Proposed');
});

test('a predicate that is switched off is passed over, and that is told', async () => {
  await uneven();
  await room.createPolicy('even');
  await room.changePolicy('even', {
    metadata: { annotations: { 'qdrant-librarian.io/disable-predicates': 'enough-is-known' } },
  });
  await room.run(120);
  await room.say('even', 'refresh');
  await room.pass();
  assert.equal((await room.policy()).status?.plan?.state, 'Proposed');
  const told = room.events.filter(({ reason }) => reason === 'PredicatesDisabled');
  assert.deepEqual(
    told.map(({ note }) => note.includes('enough-is-known')),
    [true],
  );
});

test('verbs that are none, or not valid, stay with a reason; the right one replaces them', async () => {
  await uneven();
  await room.createPolicy('even');
  await room.run(60);
  for (const [verb, reason] of [
    ['go', 'UnknownVerb'],
    ['approve=0123456789abcdef', 'NoPlan'],
    ['stop', 'NoPlan'],
  ] as const) {
    await room.say('even', verb);
    await room.pass();
    assert.equal(await room.says('VerbRefused'), `True ${reason}`);
    assert.equal((await room.policy()).metadata.annotations?.['qdrant-librarian.io/plan'], verb);
  }
  await room.say('even', 'refresh');
  await room.pass();
  assert.equal(await room.says('VerbRefused'), undefined);
  assert.deepEqual((await room.policy()).metadata.annotations ?? {}, {});
  assert.equal((await room.policy()).status?.lastHandled?.['plan'], 'refresh');
});

test('memory that grows is foreseen with its error, told before it crosses, and no more when it stops', async () => {
  await room.createCluster('a', { residentBytes: 3 * GIGABYTE });
  await room.createCluster('b');
  await room.createLibrary('docs', 'a', { requests: 20 });
  await room.createPolicy('even', {
    mode: 'Observe',
    observe: { intervalSeconds: 300, windowMinutes: 60 },
    forecast: { method: 'Linear', horizonHours: 12 },
    thresholds: { memoryPercent: 80 },
  });
  await room.pass();
  assert.equal(await room.says('ThresholdAhead'), 'Unknown TooLittleKnown');
  const cluster = room.clusters.get('a');
  for (let step = 0; step < 220; step += 1) {
    if (cluster !== undefined) cluster.residentBytes += GIGABYTE / 100;
    await room.run(300, 'even', 300);
  }
  assert.equal(await room.says('ThresholdAhead'), 'True ThresholdAhead');
  assert.ok(room.events.filter(({ reason }) => reason === 'ThresholdAhead').length === 1);
  const told = (await room.policy()).status?.forecast?.find(
    ({ cluster: name, dimension }) => name === 'a' && dimension === 'Memory',
  );
  assert.ok((told?.errorPercent ?? 99) <= 2, `error ${told?.errorPercent} %`);
  const inHours = (Date.parse(told?.crossesAt ?? '') - room.now) / 3_600_000;
  const left = (0.8 * 8 * GIGABYTE - (cluster?.residentBytes ?? 0)) / (GIGABYTE / 100) / 12;
  assert.ok(Math.abs(inHours - left) < 1, `crosses in ${inHours.toFixed(1)} h, truly in ${left.toFixed(1)} h`);
});

test('a second pass over an unchanged world writes nothing but, now and then, the time and the history', async () => {
  await uneven();
  await room.createPolicy('even', { mode: 'Observe', observe: { intervalSeconds: 30, windowMinutes: 60 } });
  await room.run(4200);
  room.writes();
  await room.run(900);
  const writes = room.writes();
  const status = writes.filter((write) => write.includes('rebalancepolicies'));
  const history = writes.filter((write) => write.includes('configmaps'));
  assert.ok(status.length <= 3, `${status.length} writes of the status in a quarter of an hour`);
  // Two clusters, every three minutes.
  assert.ok(history.length <= 10, `${history.length} writes of the history in a quarter of an hour`);
  assert.equal(writes.length, status.length + history.length);
});
