import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CONFIG_MAPS, JOBS } from '../../src/kube/index.ts';
import { CANARY, NAMESPACE, Room } from './room.ts';

let room: Room;
beforeEach(async () => {
  room = await Room.start();
});
afterEach(() => room.stop());

const succeeded = async (runs: number): Promise<boolean> =>
  (await room.condition('Ready')) === 'True Succeeded' && room.configs.length === runs;

async function quietFor(milliseconds: number): Promise<void> {
  await sleep(300);
  room.writes();
  await sleep(milliseconds);
  assert.deepEqual(room.writes(), []);
}

test('it runs once per spec and once per nonce, over restarts, within its rights; then it writes nothing', async () => {
  const counts = { documents: 1, chunks: 2, embedded: 2, reused: 0, deleted: 0, failed: 0, tokens: 7 };
  room.worker = () => ({ counts, result: { result: 'Succeeded', finishedAt: Date.now() } });
  await room.putPages({ 'a.md': '# A' });
  await room.createLibrary();
  await room.putSecret('llm', { 'api-key': CANARY });
  room.startOperator();
  const embedder = { protocol: 'Ollama', url: 'http://ollama:11434', model: 'nomic', dimensions: 3 } as const;
  await room.createJob({ embedder: { ...embedder, apiKeySecretRef: { name: 'llm', key: 'api-key' } } });
  await room.until(() => succeeded(1));
  await quietFor(800);

  await room.stopOperator();
  room.startOperator();
  await quietFor(600);
  assert.equal(room.configs.length, 1);

  await room.change({ metadata: { annotations: { 'qdrant-librarian.io/run': 'once' } } });
  await room.until(async () => (await room.job()).status?.lastRun?.cause === 'Annotation');
  await room.until(() => succeeded(2));
  const { status } = await room.job();
  assert.equal(status?.lastHandled?.['run'], 'once');
  assert.deepEqual([status?.lastRun?.cause, status?.lastRun?.embedded], ['Annotation', 2]);
  const jobs = await room.admin.listAll(JOBS, { namespace: NAMESPACE });
  assert.deepEqual(
    jobs.map(({ metadata }) => metadata.name),
    [`handbook-vec-${status?.lastRun?.run}`],
    'the Job of the last run stays, the one before is gone',
  );
  const maps = await room.admin.listAll(CONFIG_MAPS, { namespace: NAMESPACE });
  assert.deepEqual(maps.map(({ metadata }) => metadata.name).toSorted(), [
    `handbook-vec-${status?.lastRun?.run}`,
    'handbook-vec-progress',
    'pages',
  ]);
  await quietFor(800);
  assert.equal(room.forbidden(), 0);
  assert.ok(!(await room.everythingSaid()).includes(CANARY), 'no key stands in an object, log or event');
  const metrics = await room.metrics.metrics();
  assert.match(metrics, /vectorization_runs_total\{result="Succeeded",reason=""\} 1/);
  assert.match(metrics, /vectorization_last_success_timestamp_seconds\{namespace="default",name="handbook"\} \d+/);
});

test('everything it needs may appear later; what goes wrong is named and tried again', async () => {
  room.worker = () => ({
    result: { result: 'Failed', reason: 'EmbedderUnauthorized', message: 'ollama:11434: 401', finishedAt: Date.now() },
  });
  room.startOperator();
  await room.createJob();
  await room.until(async () => (await room.condition('Ready')) === 'False LibraryNotFound');
  await room.createLibrary();
  await room.until(async () => (await room.condition('RunBlocked')) === 'True PredicatesRefuse');
  await room.putPages({ 'a.md': '# A' });
  await room.until(async () => (await room.condition('EmbedderRefuses')) === 'True EmbedderUnauthorized');
  room.worker = () => ({ result: { result: 'Succeeded', finishedAt: Date.now() } });
  await room.until(async () => (await room.condition('Ready')) === 'True Succeeded');
  assert.equal(await room.condition('EmbedderRefuses'), undefined);
  assert.equal((await room.job()).status?.lastRun?.cause, 'Retry');
});

test('an embedder whose vectors do not fit is refused before a worker is made', async () => {
  await room.putPages({ 'a.md': '# A' });
  await room.createLibrary();
  room.startOperator();
  await room.createJob({ embedder: { protocol: 'TEI', url: 'http://tei:80', model: 'm', dimensions: 4 } });
  await room.until(async () => (await room.condition('RunBlocked')) === 'True PredicatesRefuse');
  const ready = (await room.job()).status?.conditions?.find(({ type }) => type === 'Ready');
  assert.match(ready?.message ?? '', /vector-fits: spec\.embedder\.dimensions: 4: vector "" of docs has 3/);
  assert.deepEqual(room.configs, []);
  await room.change({ spec: { embedder: { dimensions: 3 } } });
  await room.until(() => succeeded(1));
});

test('a changed ConfigMap of pages starts a run by itself, also one that changed while nobody looked', async () => {
  await room.putPages({ 'a.md': '# A' });
  await room.createLibrary();
  room.startOperator();
  await room.createJob();
  await room.until(() => succeeded(1));
  const pages = { namespace: NAMESPACE, name: 'pages' };
  await room.admin.patch(CONFIG_MAPS, pages, { metadata: { labels: { touched: 'yes' } } }, { type: 'merge' });
  await quietFor(800);
  assert.equal(room.configs.length, 1, 'its labels are not its content');
  await room.admin.patch(CONFIG_MAPS, pages, { data: { 'b.md': '# B' } }, { type: 'merge' });
  await room.until(async () => (await room.job()).status?.lastRun?.cause === 'Source');
  await quietFor(800);
  assert.equal(room.configs.length, 2);
  await room.stopOperator();
  await room.admin.patch(CONFIG_MAPS, pages, { data: { 'b.md': null } }, { type: 'merge' });
  room.startOperator();
  await room.until(() => succeeded(3));
  await quietFor(800);
  assert.equal(room.configs.length, 3);
  assert.equal(room.forbidden(), 0);
});

test('operator stopped in the middle of a run: the next process takes note of its end, and runs nothing again', async () => {
  await room.putPages({ 'a.md': '# A' });
  await room.createLibrary();
  room.worker = () => ({ step: 'Embedding' });
  room.startOperator();
  await room.createJob();
  await room.until(() => room.configs.length === 1);
  const [told] = room.configs;
  assert.ok(told);
  const key = { namespace: NAMESPACE, name: told.progress.name };
  const progress = async () => (await room.admin.get(CONFIG_MAPS, key)).data?.['progress.json'] ?? '';
  await room.until(async () => (await progress()) !== '');
  await room.stopOperator();
  const said = JSON.parse(await progress()) as object;
  const ended = { ...said, result: { result: 'Succeeded', finishedAt: Date.now() } };
  await room.admin.patch(CONFIG_MAPS, key, { data: { 'progress.json': JSON.stringify(ended) } }, { type: 'merge' });
  room.startOperator();
  await room.until(() => succeeded(1));
  await quietFor(600);
  assert.equal(room.configs.length, 1);
});
