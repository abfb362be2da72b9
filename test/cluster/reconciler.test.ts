import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { DomainLibrary } from '../../src/api/index.ts';
import { DOMAIN_LIBRARIES } from '../../src/cluster/index.ts';
import {
  CONFIG_MAPS,
  PERSISTENT_VOLUME_CLAIMS,
  POD_DISRUPTION_BUDGETS,
  PODS,
  SECRETS,
  SERVICES,
  type Service,
  STATEFUL_SETS,
} from '../../src/kube/index.ts';
import { Room } from './room.ts';

const MANAGED = { version: '1.18.3', size: 3 };
const at = (name: string) => ({ namespace: 'default', name });
let room: Room;
beforeEach(async () => {
  room = await Room.start();
});
afterEach(() => room.stop());

async function passes(count: number): Promise<void> {
  for (let pass = 0; pass < count; pass += 1) await room.pass();
}

test('a cluster is made, under exactly the rights that the room lists, and steady passes write nothing, nor does a restarted operator', async () => {
  await room.create(MANAGED);
  await room.settle();
  assert.equal(room.simulation.members.size, 3);
  assert.equal(room.server.audit.count({ user: 'system:serviceaccount:system:operator', code: 403 }), 0);
  await room.pass();
  room.writes();
  await passes(3);
  room.restartOperator();
  await passes(3);
  assert.deepEqual(room.writes(), []);
  assert.equal(room.outcome.kind === 'wait' && room.outcome.seconds > 20, true);
  const { status } = await room.cluster();
  assert.deepEqual(
    status?.peers?.map(({ state }) => state),
    ['Ready', 'Ready', 'Ready'],
  );
});

test('scaled out and in again; the operator is killed on the way', async () => {
  await room.create(MANAGED);
  await room.settle();
  room.simulation.createCollection('c', 6, 2);
  await room.change({ spec: { size: 4 } });
  await room.settle();
  assert.equal(room.simulation.members.size, 4);
  await room.change({ spec: { size: 3 } });
  await passes(3);
  room.restartOperator();
  await room.settle();
  assert.equal(room.simulation.members.size, 3);
  assert.equal((await room.admin.get(STATEFUL_SETS, at('docs'))).spec?.replicas, 3);
  assert.ok(room.qdrant.calls.some((call) => call.endsWith('removePeer force=false')));
  assert.ok(!room.qdrant.calls.some((call) => call.includes('force=true')), 'never by force (S3)');
  assert.ok(room.events.some(({ reason }) => reason === 'PeerRemoved'));
  const claim = await room.admin.get(PERSISTENT_VOLUME_CLAIMS, at('qdrant-storage-docs-3'));
  assert.notEqual(claim.metadata.annotations?.['qdrant-librarian.io/removed-peer-id'], undefined);
});

test('an answer that says nothing about what happened is followed by a look, and nothing is done twice', async () => {
  await room.create(MANAGED);
  await room.settle();
  room.simulation.createCollection('c', 3, 2);
  await room.change({ spec: { size: 2 } });
  room.qdrant.ambiguous = true;
  for (let pass = 0; pass < 60 && room.simulation.members.size > 2; pass += 1)
    await room.pass().catch((error: Error) => assert.match(error.message, /timed out/));
  assert.equal(room.simulation.members.size, 2);
  const done = room.qdrant.calls.filter((call) => call.includes('removePeer')).length;
  assert.equal(done, 1);
  room.qdrant.ambiguous = false;
  await room.settle();
});

test('a changed configuration restarts the pods one by one', async () => {
  await room.create(MANAGED);
  await room.settle();
  const uids = async () =>
    (await room.admin.listAll(PODS, { namespace: 'default' })).map(({ metadata }) => metadata.uid);
  const before = await uids();
  await room.change({ spec: { config: { log_level: 'DEBUG' } } });
  await room.settle();
  const after = await uids();
  assert.equal(after.filter((uid) => before.includes(uid)).length, 0);
  assert.equal((await room.admin.get(CONFIG_MAPS, at('docs-config'))).data?.['config.yaml'], 'log_level: DEBUG\n');
});

test('without leadership nothing is destroyed', async () => {
  await room.create(MANAGED);
  await room.settle();
  room.leading = false;
  await room.change({ spec: { size: 2 } });
  for (let pass = 0; pass < 15; pass += 1) await room.pass().catch(() => undefined);
  assert.equal(room.simulation.members.size, 3);
  assert.ok(!room.qdrant.calls.some((call) => call.includes('removePeer')));
});

test('what others change on our objects is repaired; what others own is not touched', async () => {
  const foreign = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: at('docs'),
    spec: { ports: [{ port: 1 }], selector: { app: 'other' } },
  } as unknown as Service;
  await room.caughtUp('services', await room.admin.create(SERVICES, foreign));
  await room.create(MANAGED);
  await passes(4);
  assert.equal(await room.condition('Ready'), 'False NameTaken');
  assert.equal(await room.condition('NameTaken'), 'True NameTaken');
  assert.deepEqual((await room.admin.get(SERVICES, at('docs'))).spec?.selector, { app: 'other' });
  assert.equal(await room.admin.find(STATEFUL_SETS, at('docs')), undefined);
  await room.admin.delete(SERVICES, at('docs'));
  await room.settle();
  assert.equal(await room.condition('NameTaken'), undefined);
  await room.caughtUp(
    'services',
    await room.admin.patch(SERVICES, at('docs'), { spec: { selector: { app: 'bent' } } }, { type: 'merge' }),
  );
  await passes(2);
  const { spec } = await room.admin.get(SERVICES, at('docs'));
  assert.equal(spec?.selector?.['qdrant-librarian.io/cluster'], 'docs');
});

test('missing, incomplete and empty Secrets are named, hold the pods back, and are enough when they appear', async () => {
  await room.create({ ...MANAGED, apiKey: { secretKeyRef: { name: 'mine' } } });
  await passes(2);
  assert.equal(await room.condition('Ready'), 'False SecretNotFound');
  await room.putSecret('mine', { other: 'x' });
  await passes(2);
  assert.equal(await room.condition('Ready'), 'False SecretKeyMissing');
  await room.putSecret('mine', { 'api-key': ' ' });
  await passes(2);
  assert.equal(await room.condition('Ready'), 'False SecretEmpty');
  assert.equal(await room.admin.find(STATEFUL_SETS, at('docs')), undefined);
  await room.putSecret('mine', { 'api-key': 'canary-one' });
  await room.settle();
});

test('after the key in the Secret changed, the key that the pods accept is used, and a condition says so', async () => {
  await room.putSecret('mine', { 'api-key': 'canary-old' });
  room.qdrant.accepts = 'canary-old';
  await room.create({ ...MANAGED, apiKey: { secretKeyRef: { name: 'mine' } } });
  await room.settle();
  await room.putSecret('mine', { 'api-key': 'canary-new' });
  await passes(2);
  assert.equal(await room.condition('KeyChanged'), 'True KeyChanged');
  assert.equal(await room.condition('Available'), 'True Serving');
  room.qdrant.accepts = 'canary-new';
  await passes(2);
  assert.equal(await room.condition('KeyChanged'), undefined);
  room.qdrant.accepts = 'canary-third';
  await passes(2);
  assert.equal(await room.condition('Ready'), 'False KeyRefused');
  assert.equal(room.logged.join('').includes('canary'), false, 'no key in a log');
  assert.equal(
    JSON.stringify([room.events, (await room.cluster()).status]).includes('canary'),
    false,
    'no key in an event or a status',
  );
});

test('generated keys are made once, and a Secret that is there is kept', async () => {
  await room.putSecret('docs-apikey', { 'api-key': 'given', 'read-only-api-key': 'given-too' });
  await room.create(MANAGED);
  await room.settle();
  const secret = await room.admin.get(SECRETS, at('docs-apikey'));
  assert.equal(Buffer.from(secret.data?.['api-key'] ?? '', 'base64').toString(), 'given');
  assert.ok(!room.writes().some((write) => write.includes('secrets')));
});

test('a suspended cluster is left alone and says whether changes are pending', async () => {
  await room.create({ ...MANAGED, suspend: true });
  await passes(3);
  assert.deepEqual(
    (await room.cluster()).status?.conditions?.find(({ type }) => type === 'Suspended')?.message,
    'suspended: changes are pending',
  );
  assert.equal(await room.admin.find(STATEFUL_SETS, at('docs')), undefined);
  await room.change({ spec: { suspend: false } });
  await room.settle();
});

test('a budget that is not wanted any more goes', async () => {
  await room.create(MANAGED);
  await room.settle();
  await room.change({ spec: { podDisruptionBudget: { enabled: false } } });
  await room.settle();
  assert.equal(await room.admin.find(POD_DISRUPTION_BUDGETS, at('docs')), undefined);
});

test('deleted with its volumes, once no library lives on it', async () => {
  await room.create({ ...MANAGED, deletionPolicy: 'Delete' });
  await room.settle();
  const library = {
    apiVersion: 'qdrant-librarian.io/v1alpha1',
    kind: 'DomainLibrary',
    metadata: at('handbook'),
    spec: {
      domain: 'docs',
      profile: 'Documentation',
      placement: { clusterRef: { name: 'docs' } },
    },
  } as unknown as DomainLibrary;
  await room.caughtUp('libraries', await room.admin.create(DOMAIN_LIBRARIES, library));
  await room.delete();
  await passes(3);
  assert.deepEqual(
    (await room.cluster()).status?.operation?.blockedBy?.map(({ name }) => name),
    ['no-library-placed'],
  );
  await room.admin.delete(DOMAIN_LIBRARIES, at('handbook'));
  await passes(8);
  assert.deepEqual(await room.admin.listAll(PERSISTENT_VOLUME_CLAIMS, { namespace: 'default' }), []);
  assert.equal(await room.cluster().catch(({ status }: { status: number }) => status), 404);
});

test('deleted with its volumes kept, which an event says', async () => {
  await room.create(MANAGED);
  await room.settle();
  await room.delete();
  await passes(2);
  assert.equal((await room.admin.listAll(PERSISTENT_VOLUME_CLAIMS, { namespace: 'default' })).length, 3);
  assert.equal(
    room.events.find(({ reason }) => reason === 'VolumesKept')?.note,
    'qdrant-storage-docs-0, qdrant-storage-docs-1, qdrant-storage-docs-2',
  );
});

test('an external cluster is only looked at: unreachable, refusing, then fine', async () => {
  await room.create({ external: { url: 'http://elsewhere:6333', apiKeySecretRef: { name: 'cloud' } } });
  await passes(2);
  assert.equal(await room.condition('Ready'), 'False SecretNotFound');
  await room.putSecret('cloud', { 'api-key': 'canary-cloud' });
  await passes(2);
  assert.equal(await room.condition('Ready'), 'False Unreachable');
  const owned = room.writes().filter((write) => !write.includes('qdrantclusters'));
  assert.deepEqual(owned, []);
});

test('Qdrant that answers 500 is waited for', async () => {
  await room.create(MANAGED);
  await room.settle();
  room.qdrant.fault = (operation, peer) => (peer === 'docs-1' && operation === 'cluster' ? 'Internal' : undefined);
  await passes(2);
  assert.equal(await room.condition('Ready'), 'False PeersNotReady');
  room.qdrant.fault = () => undefined;
  await room.settle();
});

test('each pass over a predicate that is switched off is told with its name, and none where it has nothing to say', async () => {
  await room.create(MANAGED);
  await room.settle();
  room.simulation.createCollection('c', 3, 3);
  await room.change({
    metadata: { annotations: { 'qdrant-librarian.io/disable-predicates': 'replication-factor-fits' } },
  });
  await passes(2);
  const told = () => room.events.filter(({ reason }) => reason === 'PredicatesDisabled').map(({ note }) => note);
  assert.deepEqual(told(), []);
  await room.change({ spec: { size: 2 } });
  await passes(2);
  assert.equal(
    told()[0],
    'predicate replication-factor-fits refuses and is passed over: the annotation switches it off',
  );
  assert.equal(new Set(told()).size, 1);
  assert.ok(
    room.logged.some((line) => line.includes('"predicate":"replication-factor-fits","refusal":"2 peers would')),
  );
});

test('who is blocked by what is counted', async () => {
  await room.create(MANAGED);
  await room.settle();
  room.simulation.createCollection('c', 3, 3);
  await room.change({ spec: { size: 2 } });
  await passes(2);
  assert.equal(await room.condition('ScalingBlocked'), 'True PredicateRefuses');
  assert.match(
    await room.metrics.metrics(),
    /qdrant_librarian_blocked\{kind="QdrantCluster",predicate="replication-factor-fits"\} 1/,
  );
});
