import assert from 'node:assert/strict';
import { glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { CONFIG_MAPS, SECRETS } from '../../src/kube/index.ts';
import { eventually } from '../stage/eventually.ts';
import { leaveFolder } from '../stage/failure/leave-folder.ts';
import { scenarios } from '../stage/scenario.ts';
import type { Stage } from '../stage/stage.ts';
import { Witness } from '../stage/witness.ts';

const scenario = await scenarios();

const OLD = 'canary-old-2b81f0';
const KEY = 'canary-key-c94d3e';

/** What a failure of this moment leaves, by path. */
async function left(stage: Stage, witness: Witness, error: Error): Promise<ReadonlyMap<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'qdrant-librarian-failure-'));
  stage.defer(() => rm(folder, { recursive: true }));
  const began = Date.now() - 60_000;
  await leaveFolder(folder, { stage, witness, title: 'made to fail', error, began });
  const files = await Array.fromAsync(glob(join(folder, '**/*.*')));
  return new Map(
    await Promise.all(
      files.map(async (file) => [relative(folder, file), await readFile(file, 'utf8')] as [string, string]),
    ),
  );
}

scenario('a scenario that fails leaves a folder with all that a person needs, and no secret', async (stage) => {
  const { admin, namespace, ground } = stage;
  const witness = new Witness(admin, namespace, stage.diary);
  stage.defer(() => witness.close());
  await stage.putSecret('own-key', { 'api-key': OLD });
  await stage.createCluster('desk', { size: 2, apiKey: { secretKeyRef: { name: 'own-key' } } });
  await stage.clusterReady('desk', 2);
  await stage.createLibrary('docs', 'desk');
  await stage.libraryReady('docs', 1);
  await stage.putSecret('later', { 'api-key': KEY, unused: OLD });
  // A spill such as nobody wants: the folder must not carry it on.
  const data = { text: `the old one was ${OLD}, the new one is ${Buffer.from(KEY).toString('base64')}` };
  await admin.create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: stage.key('spill'), data });
  const { data: generated = {} } = await admin.get(SECRETS, stage.key('desk-apikey')).catch(() => ({ data: {} }));

  const files = await left(stage, witness, new Error(`made to fail with ${KEY}`));

  const expected = [
    'failure.txt',
    'timeline.txt',
    'blanked.txt',
    'objects/qdrantclusters.yaml',
    'objects/domainlibraries.yaml',
    'objects/statefulsets.yaml',
    'objects/pods.yaml',
    'objects/secrets.yaml',
    'objects/events.yaml',
    'operator/metrics.txt',
    'operator/objects/leases.yaml',
    'logs/desk-0.qdrant.log',
    'logs/desk-1.qdrant.log',
    'qdrant/desk/desk-0/cluster.json',
    'qdrant/desk/desk-0/telemetry.json',
    'qdrant/desk/desk-1/cluster.json',
    'qdrant/desk/desk-1/telemetry.json',
  ];
  assert.deepEqual(
    expected.filter((file) => !files.has(file)),
    [],
    `there is: ${[...files.keys()].join(', ')}; not there: ${files.get('not-there.txt') ?? ''}`,
  );
  assert.ok([...files.keys()].some((file) => /^operator\/logs\/.*\.log$/.test(file)));
  assert.match(files.get('operator/metrics.txt') ?? '', /# HELP/);
  assert.match(files.get('objects/secrets.yaml') ?? '', /name: own-key/);

  const times = (files.get('timeline.txt') ?? '').trimEnd().split('\n');
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a.slice(0, 12).localeCompare(b.slice(0, 12))),
  );
  for (const line of [
    /step +create cluster desk/,
    /step +seen: cluster desk is Ready/,
    /state +QdrantCluster desk Ready: True/,
    /state +DomainLibrary docs Ready: True/,
    /event +DomainLibrary docs Created/,
    /container +\S+\/desk-0 qdrant started/,
  ]) {
    assert.match(files.get('timeline.txt') ?? '', line);
  }

  assert.match(files.get('blanked.txt') ?? '', /own-key\/api-key stood in objects\/configmaps\.yaml/);
  const secret = [OLD, KEY, ...Object.values(generated).map((value) => Buffer.from(value, 'base64').toString())];
  const forms = secret.flatMap((value) => [value, Buffer.from(value).toString('base64')]);
  const spilled = [...files].flatMap(([file, text]) => forms.filter((form) => text.includes(form)).map(() => file));
  assert.deepEqual(spilled, []);
  assert.equal(files.has('not-there.txt'), false, files.get('not-there.txt'));
  assert.equal(ground.name.length > 0, true);
});

scenario(
  'with the API server away the folder holds what was seen last and what the peers say',
  async (stage) => {
    const { admin, namespace, ground } = stage;
    const witness = new Witness(admin, namespace, stage.diary);
    stage.defer(() => witness.close());
    await stage.putSecret('own-key', { 'api-key': KEY });
    await stage.createCluster('desk', { size: 1, apiKey: { secretKeyRef: { name: 'own-key' } } });
    await stage.clusterReady('desk', 1);

    const back = ground.controlPlane.restart({ awayMilliseconds: 25_000 });
    await eventually('the API server is away', () =>
      admin.raw('GET', '/readyz', { timeoutSeconds: 2 }).then(
        () => false,
        () => true,
      ),
    );
    const files = await left(stage, witness, new Error('made to fail'));
    await back;

    assert.match(files.get('not-there.txt') ?? '', /objects\/pods/);
    assert.match(files.get('seen-last.yaml') ?? '', /kind: QdrantCluster[\s\S]*name: desk/);
    assert.match(files.get('qdrant/desk/desk-0/cluster.json') ?? '', /"peer_id"/);
    assert.match(files.get('timeline.txt') ?? '', /fault +restart \{"awayMilliseconds":25000\}/);
    assert.deepEqual(
      [...files].filter(([, text]) => text.includes(KEY)),
      [],
    );
  },
  ['control-plane-faults'],
);
