import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ANNOTATIONS } from '../../src/api/index.ts';
import { CONFIG_MAPS, JOBS } from '../../src/kube/index.ts';
import { parseMark } from '../../src/migration/fence.ts';
import { type ClusterClient, isQdrantError, type Point } from '../../src/qdrant/index.ts';
import { CANARY, NAMESPACE, Room } from './room.ts';

let room: Room;
let cloud: ClusterClient;
before(async () => {
  room = await Room.start();
  await room.putKey(CANARY);
  await room.createCluster();
  cloud = await room.startOther('cloud');
  room.startOperator();
});
after(() => room.stop());

const points = (count: number): Point[] =>
  Array.from({ length: count }, (_, id) => ({ id, vector: [id + 1, 1, 0], payload: { text: `point ${id}` } }));

const contents = async (client: ClusterClient, collection: string): Promise<unknown[]> => {
  const all: unknown[] = [];
  for await (const point of client.scrollAll(collection, { withVectors: true, withPayload: true })) all.push(point);
  return all;
};

/** Seconds; each wait is one of several things that a busy machine does late. */
const PATIENCE = 60;
const until = (holds: () => boolean | Promise<boolean>): Promise<void> => room.until(holds, PATIENCE);

const entry = async (name: string) =>
  (await room.library(name)).status?.generations?.find(({ number }) => number === 1);

/** A library of 300 points that has moved to cloud. */
async function movedLibrary(name: string, generations: { keep?: number; reverseSyncSeconds?: number }): Promise<void> {
  await room.createLibrary({ generations }, name);
  await room.ready(name);
  await room.qdrant.upsert(name, points(300));
  await moveTo(name, 'cloud');
}

async function moveTo(name: string, cluster: string): Promise<void> {
  await room.change({ spec: { placement: { clusterRef: { name: cluster } } } }, name);
  await until(async () => {
    const { status } = await room.library(name);
    return status?.cluster === cluster && status.change === undefined;
  });
}

const fenceOf = async (collection: string) => {
  const { config } = await room.qdrant.collection(collection);
  return { fence: parseMark(config.metadata)?.fence, strict: config.strict_mode_config };
};

test('writes after the switch come to what was left, which stays fenced and without a name, and nothing is lost on the way back', async () => {
  await movedLibrary('docs', { reverseSyncSeconds: 1 });
  await cloud.upsert('docs', [{ id: 1000, vector: [9, 9, 9], payload: { text: 'after the switch' } }]);
  await cloud.upsert('docs', [{ id: 1, vector: [7, 7, 7], payload: { text: 'changed' } }]);
  await cloud.deletePoints('docs', { ids: [2, 3] });
  const wanted = await contents(cloud, 'docs');
  await until(async () => (await entry('docs'))?.comparison?.syncedAt !== undefined);
  await until(async () => JSON.stringify(await contents(room.qdrant, 'docs--g1')) === JSON.stringify(wanted));
  await until(async () => (await room.condition('ReverseSync')) === 'True InStep');
  assert.deepEqual(await room.qdrant.aliases(), []);
  await until(async () => (await fenceOf('docs--g1')).strict?.write_rate_limit === 1);
  assert.ok((await fenceOf('docs--g1')).fence !== undefined);
  await assert.rejects(room.qdrant.upsert('docs', points(1), { attempts: 1 }), (error) =>
    isQdrantError(error, 'NotFound'),
  );

  await cloud.upsert('docs', [{ id: 1001, vector: [1, 2, 3], payload: { text: 'the last write' } }]);
  const all = await contents(cloud, 'docs');
  await moveTo('docs', 'main');
  assert.deepEqual(await contents(room.qdrant, 'docs'), all);
  const jobs = await room.admin.listAll(JOBS, { namespace: NAMESPACE });
  assert.ok(
    jobs.every(({ metadata }) => !metadata.name.startsWith('docs-v') || metadata.deletionTimestamp !== undefined),
  );
});

test('a target that is damaged between switch and drop keeps its source, which a person lets go', async () => {
  await movedLibrary('hurt', { keep: 0, reverseSyncSeconds: 0 });
  // As a segment that is lost would show: by no write under the public name.
  await cloud.deletePoints('hurt--g2', { ids: Array.from({ length: 60 }, (_, id) => id) });
  await until(async () => (await room.condition('DropBlocked', 'hurt')) === 'True PredicatesRefuse');
  const blocked = (await room.library('hurt')).status?.conditions?.find(({ type }) => type === 'DropBlocked');
  assert.match(blocked?.message ?? '', /successor-holds-what-was-left: 60 of 300 points of hurt--g1 are gone/);
  assert.equal(await room.qdrant.count('hurt--g1', { exact: true }), 300);
  assert.equal((await entry('hurt'))?.comparison?.asLeft, true, 'its digest is that of the proof');
  const annotations = { [ANNOTATIONS.disablePredicates]: 'successor-holds-what-was-left' };
  await room.change({ metadata: { annotations } }, 'hurt');
  await until(async () => (await entry('hurt')) === undefined);
  assert.ok(!(await room.qdrant.collections()).includes('hurt--g1'));
});

test('a whole target is compared once, and its source dropped; no object of that stays', async () => {
  await movedLibrary('well', { keep: 0, reverseSyncSeconds: 0 });
  await cloud.upsert('well', [{ id: 1000, vector: [9, 9, 9], payload: {} }]);
  await until(async () => (await entry('well')) === undefined);
  assert.equal(await cloud.count('well', { exact: true }), 301);
  await until(async () => {
    const objects = [
      ...(await room.admin.listAll(JOBS, { namespace: NAMESPACE })),
      ...(await room.admin.listAll(CONFIG_MAPS, { namespace: NAMESPACE })),
    ];
    return objects.every(({ metadata }) => !metadata.name.startsWith('well-'));
  });
});
