import assert from 'node:assert/strict';
import { VECTORIZATION_JOBS } from '../../sandbox/run/wait.ts';
import { CONFIG_MAPS, JOBS, PODS } from '../../src/kube/index.ts';
import { eventually } from '../stage/eventually.ts';
import { EverythingSaid } from '../stage/everything-said.ts';
import { QUICK_LEASE } from '../stage/operator-settings.ts';
import { scenarios } from '../stage/scenario.ts';
import type { Stage } from '../stage/stage.ts';
import { pages, TEXT_DIMENSIONS, Vectorizing } from '../stage/vectorizing.ts';

const scenario = await scenarios({
  needs: ['outside-embedder'],
  operator: { ...QUICK_LEASE, QDRANT_LIBRARIAN_PATIENCE_SECONDS: '6', QDRANT_LIBRARIAN_STALL_SECONDS: '20' },
});

const KEY = 'canary-embedder-key-81d0';

scenario(
  'pages of a ConfigMap fill a library; a second run embeds nothing; what changes, comes and goes follows',
  async (stage) => {
    const vectorizing = await Vectorizing.begin(stage);
    await vectorizing.putPages(pages(10));
    await vectorizing.create('handbook');
    const first = await vectorizing.succeeded('handbook');
    assert.deepEqual([first.documents, first.embedded, first.reused, first.deleted], [10, 10, 0, 0]);
    const { uid = '' } = (await vectorizing.job('handbook')).metadata;
    const stored = await vectorizing.stored();
    assert.equal(stored.length, 10);
    assert.ok(stored.every(({ job }) => job === uid));

    const second = await vectorizing.runAgain('handbook', 'second');
    assert.deepEqual([second.result, second.cause, second.embedded], ['Succeeded', 'Annotation', 0]);
    assert.equal(second.reused, 10);

    const { 'page-0.md': _gone, ...rest } = pages(10);
    await vectorizing.putPages({ ...rest, 'page-1.md': '# page 1\n\nAll of this is new.\n', ...pages(1, 'news') });
    // Nobody asks for it.
    const followed = await vectorizing.until(
      'handbook',
      ({ status }) => status?.lastRun?.cause === 'Source' && status.progress === undefined,
      'done with a run for the changed ConfigMap',
    );
    const third = followed.status?.lastRun;
    assert.deepEqual([third?.result, third?.embedded, third?.reused, third?.deleted], ['Succeeded', 2, 8, 1]);
    const documents = await vectorizing.documents();
    assert.equal(documents.length, 10);
    assert.ok(documents.includes('news-0.md') && !documents.includes('page-0.md'));
    const changed = (await vectorizing.stored()).find(({ document }) => document === 'page-1.md');
    assert.match(changed?.text ?? '', /All of this is new/);
  },
);

scenario(
  'the files of a volume fill a library, and afterwards the operator writes nothing',
  async (stage) => {
    const vectorizing = await Vectorizing.begin(stage);
    const code = 'export function half(n: number): number {\n  return n / 2;\n}\n';
    await vectorizing.putPages({ 'a.ts': code, 'b.ts': code.replaceAll('half', 'quarter'), 'notes.txt': 'not code' });
    await vectorizing.fillVolume('sources', 'src/lib');
    const source = { persistentVolumeClaim: { claimName: 'sources', path: 'src' } };
    await vectorizing.create('code', { source, include: ['**/*.ts'], chunking: { strategy: 'Code' } });
    await vectorizing.succeeded('code');
    assert.deepEqual(await vectorizing.documents(), ['lib/a.ts', 'lib/b.ts']);
    await stage.operator.atRest(5);
  },
  ['audit'],
);

scenario(
  'the texts of a collection are embedded anew into another library, which leaves the first alone',
  async (stage) => {
    const vectorizing = await Vectorizing.begin(stage);
    await vectorizing.putPages(pages(5));
    await vectorizing.create('handbook');
    await vectorizing.succeeded('handbook');
    const before = await vectorizing.stored();
    await stage.createLibrary('small', 'desk', {
      vectors: [{ name: 'short', size: 16, distance: 'Cosine' }],
      shards: { number: 1 },
    });
    await stage.libraryReady('small', 1);
    await vectorizing.create('anew', {
      source: { collection: { clusterRef: { name: 'desk' }, name: 'docs', textField: 'text' } },
      chunking: { strategy: 'Text', maxTokens: 256, overlapTokens: 0 },
      embedder: { dimensions: 16 },
      target: { libraryRef: { name: 'small' } },
    });
    const run = await vectorizing.succeeded('anew');
    assert.equal(run.documents, before.length);
    const texts = (chunks: readonly { readonly text: string }[]) => chunks.map(({ text }) => text.trim()).toSorted();
    assert.deepEqual(texts(await vectorizing.stored('small')), texts(before));
    assert.deepEqual(await vectorizing.stored(), before);
  },
);

const workers = async ({ admin, namespace }: Stage) =>
  (await admin.listAll(PODS, { namespace, labelSelector: 'qdrant-librarian.io/vectorization-job' })).filter(
    ({ status }) => status?.phase === 'Running',
  );

scenario(
  'operator and worker are killed in the middle: nothing is lost, nothing is embedded twice but what was in flight',
  async (stage) => {
    const vectorizing = await Vectorizing.begin(stage, { latencyMilliseconds: 200 });
    await vectorizing.putPages(pages(120));
    const batchSize = 4;
    const embedder = { batchSize, maxConcurrency: 2 };
    await vectorizing.create('handbook', { embedder });
    for (const share of [0.2, 0.5]) {
      await eventually(`${share * 100} % is stored`, async () => (await vectorizing.stored()).length >= 120 * share);
      await stage.operator.kill();
      for (const { metadata } of await workers(stage)) await stage.ground.kill(stage.key(metadata.name));
    }
    const run = await vectorizing.succeeded('handbook');
    const stored = await vectorizing.stored();
    assert.equal(new Set(stored.map(({ document }) => document)).size, 120, 'nothing is lost');
    assert.equal(stored.length, 120, 'nothing is there twice');
    assert.equal(run.cause, 'Spec', 'it is the same run');
    const { texts, repeated } = await vectorizing.embedder.served();
    // Two kills, each with what two requests held and what was not yet written; canaries are asked for by each worker.
    const canaries = texts - 120;
    assert.ok(repeated <= 2 * (4 * batchSize) + 2 * canaries, `${repeated} texts were embedded again`);
  },
  ['pod-faults'],
);

scenario(
  'a worker that is frozen is ended, by whichever operator is there, and another goes on with its run',
  async (stage) => {
    const vectorizing = await Vectorizing.begin(stage, { latencyMilliseconds: 200 });
    await vectorizing.putPages(pages(60));
    await vectorizing.create('handbook', { embedder: { batchSize: 4, maxConcurrency: 2 } });
    await eventually('something is stored', async () => (await vectorizing.stored()).length > 5);
    for (const { metadata } of await workers(stage)) await stage.ground.pause(stage.key(metadata.name));
    await stage.operator.kill();
    const told = await vectorizing.says('handbook', 'WorkerHung', { status: 'True', reason: 'WorkerSilent' });
    const { attempt, hung } = told.status?.progress ?? {};
    assert.equal(attempt, 1);
    assert.match(
      hung?.message ?? '',
      /gives no sign of life since \S+, longer than 20 s: at Embedding, with \d+ of 60/,
    );
    const run = await vectorizing.succeeded('handbook');
    assert.deepEqual([run.cause, run.documents], ['Spec', 60], 'it is the same run');
    const stored = await vectorizing.stored();
    assert.equal(new Set(stored.map(({ document }) => document)).size, 60, 'nothing is lost');
    assert.equal(stored.length, 60, 'nothing is there twice');
  },
  ['pod-faults'],
);

scenario(
  'an embedder that refuses the key or answers nonsense stops the run; mended, it goes on',
  async (stage) => {
    const said = new EverythingSaid(stage);
    stage.defer(() => said.all());
    const vectorizing = await Vectorizing.begin(stage, { apiKey: KEY });
    await vectorizing.putPages(pages(6));
    await stage.putSecret('llm', { 'api-key': 'wrong' });
    const embedder = { apiKeySecretRef: { name: 'llm', key: 'api-key' }, timeoutSeconds: 2 };
    await vectorizing.create('handbook', { embedder });
    await vectorizing.says('handbook', 'EmbedderRefuses', { status: 'True', reason: 'EmbedderUnauthorized' });
    await vectorizing.says('handbook', 'Ready', { status: 'False', reason: 'EmbedderUnauthorized', message: /401/ });
    assert.deepEqual(await vectorizing.stored(), []);

    await vectorizing.embedder.strike({ kind: 'wrongDimension' }, 10_000);
    await stage.putSecret('llm', { 'api-key': KEY });
    await vectorizing.says('handbook', 'EmbedderRefuses', { status: 'True', reason: 'EmbedderWrong' });
    assert.deepEqual(await vectorizing.stored(), [], 'no vector of another length is stored');

    await vectorizing.embedder.heal();
    await vectorizing.succeeded('handbook');
    assert.equal((await vectorizing.documents()).length, 6);
    const told = [...(await said.all())].filter(([, text]) => text.includes(KEY)).map(([where]) => where);
    assert.deepEqual(told, [], 'the key is told nowhere');
  },
  ['command-lines'],
);

scenario(
  'an embedder that is too busy is waited for; one that hangs ends the run, and is asked again',
  async (stage) => {
    const vectorizing = await Vectorizing.begin(stage);
    await vectorizing.putPages(pages(6));
    await vectorizing.embedder.strike({ kind: 'status', status: 429, retryAfter: '1' }, 2);
    await vectorizing.create('handbook', { embedder: { timeoutSeconds: 1 } });
    const run = await vectorizing.succeeded('handbook');
    assert.deepEqual([run.cause, run.embedded], ['Spec', 6]);

    await vectorizing.embedder.strike({ kind: 'hang' }, 10_000);
    await vectorizing.putPages(pages(7));
    await vectorizing.change('handbook', { metadata: { annotations: { 'qdrant-librarian.io/run': 'hanging' } } });
    await vectorizing.says('handbook', 'EmbedderRefuses', { status: 'True', reason: 'EmbedderUnreachable' });
    assert.equal((await vectorizing.documents()).length, 6, 'what was there stays');
    await vectorizing.embedder.heal();
    await vectorizing.succeeded('handbook');
    assert.equal((await vectorizing.documents()).length, 7);
  },
);

scenario('a budget stops a run, which goes on from there when it is raised', async (stage) => {
  const vectorizing = await Vectorizing.begin(stage);
  await vectorizing.putPages(pages(40));
  const batches = { batchSize: 4, maxConcurrency: 1 };
  await vectorizing.create('handbook', { budget: { maxTokens: 800 }, embedder: batches });
  const stopped = await vectorizing.says('handbook', 'BudgetSpent', { status: 'True', reason: 'BudgetUsedUp' });
  assert.equal(stopped.status?.lastRun?.result, 'Stopped');
  const kept = (await vectorizing.stored()).length;
  assert.ok(kept > 0 && kept < 40, `${kept} of 40 are stored`);
  await vectorizing.change('handbook', { spec: { budget: { maxTokens: 1_000_000 } } });
  const run = await vectorizing.succeeded('handbook');
  assert.equal((run.embedded ?? 0) + kept, 40, 'nothing is embedded twice');
  assert.equal((await vectorizing.documents()).length, 40);
});

scenario('a source that lost most of its documents deletes nothing until somebody allows it', async (stage) => {
  const vectorizing = await Vectorizing.begin(stage);
  await vectorizing.putPages(pages(10));
  await vectorizing.create('handbook', { deletionGuardPercent: 20 });
  await vectorizing.succeeded('handbook');
  await vectorizing.putPages(pages(4));
  const run = await vectorizing.runAgain('handbook', 'after');
  assert.deepEqual([run.result, run.reason, run.deleted], ['Stopped', 'DeletionGuard', 0]);
  await vectorizing.says('handbook', 'DeletionGuarded', { status: 'True', reason: 'DeletionGuard' });
  assert.equal((await vectorizing.documents()).length, 10);
  await vectorizing.change('handbook', { spec: { deletionGuardPercent: 60 } });
  await vectorizing.succeeded('handbook');
  assert.equal((await vectorizing.documents()).length, 4);
});

scenario('a schedule lets it run again, and status tells when', async (stage) => {
  const vectorizing = await Vectorizing.begin(stage);
  await vectorizing.putPages(pages(3));
  await vectorizing.create('handbook', { schedule: '* * * * *', timeZone: 'Europe/Vienna' });
  await vectorizing.succeeded('handbook');
  const { status } = await vectorizing.job('handbook');
  const next = Date.parse(status?.nextAt ?? '');
  assert.ok(next > Date.parse(status?.lastRun?.startedAt ?? '') && next % 60_000 === 0, status?.nextAt);
  const ran = await vectorizing.until(
    'handbook',
    (job) => job.status?.lastRun?.cause === 'Schedule' && job.status.progress === undefined,
    'run by its schedule',
  );
  assert.deepEqual([ran.status?.lastRun?.result, ran.status?.lastRun?.embedded], ['Succeeded', 0]);
});

scenario('what stands against a run is named, and it begins when that is gone', async (stage) => {
  const vectorizing = await Vectorizing.begin(stage);
  const embedder = { dimensions: TEXT_DIMENSIONS / 2 };
  await vectorizing.create('handbook', { embedder });
  await vectorizing.says('handbook', 'RunBlocked', { status: 'True', message: /source-exists: .*ConfigMap pages/ });
  await vectorizing.putPages(pages(3));
  const misfit = /vector-fits: spec\.embedder\.dimensions: 16: vector "" of docs has 32/;
  await vectorizing.says('handbook', 'RunBlocked', { status: 'True', message: misfit });
  await vectorizing.change('handbook', {
    spec: { source: { configMap: null, git: { url: 'https://example.org/pages.git' } } },
  });
  await vectorizing.says('handbook', 'Stalled', { status: 'True', reason: 'NotBuilt', message: /spec\.source\.git/ });
  await vectorizing.change('handbook', {
    spec: { source: { git: null, configMap: { name: 'pages' } }, embedder: { dimensions: TEXT_DIMENSIONS } },
  });
  await vectorizing.succeeded('handbook');
  assert.equal((await vectorizing.documents()).length, 3);
});

scenario('suspended it stops where it is and goes on later; deleted it leaves the points', async (stage) => {
  const vectorizing = await Vectorizing.begin(stage, { latencyMilliseconds: 300 });
  const { admin, namespace } = stage;
  await vectorizing.putPages(pages(40));
  await vectorizing.create('handbook', { embedder: { batchSize: 2, maxConcurrency: 1 } });
  await eventually('something is stored', async () => (await vectorizing.stored()).length > 0);
  await vectorizing.change('handbook', { spec: { suspend: true } });
  await eventually('the worker is gone', async () => (await admin.listAll(JOBS, { namespace })).length === 0);
  await vectorizing.says('handbook', 'Suspended', { status: 'True' });
  const kept = (await vectorizing.stored()).length;
  assert.ok(kept < 40, `${kept} of 40 are stored`);
  await vectorizing.change('handbook', { spec: { suspend: false } });
  await vectorizing.succeeded('handbook');
  assert.equal((await vectorizing.documents()).length, 40);

  await admin.delete(VECTORIZATION_JOBS, stage.key('handbook'));
  await eventually('all that it made is gone', async () => {
    const jobs = await admin.listAll(JOBS, { namespace });
    const maps = await admin.listAll(CONFIG_MAPS, { namespace });
    return jobs.length === 0 && !maps.some(({ metadata }) => metadata.name.startsWith('handbook-vec'));
  });
  assert.equal((await vectorizing.stored()).length, 40, 'points stay');
});
