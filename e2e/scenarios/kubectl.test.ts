import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLUSTERS, LIBRARIES } from '../../sandbox/run/wait.ts';
import { deskAndDocs } from '../stage/manifests.ts';
import { scenarios } from '../stage/scenario.ts';
import type { Stage } from '../stage/stage.ts';

const scenario = await scenarios({ needs: ['kubectl'] });

scenario('kubectl does with clusters and libraries what it does with everything else', async (stage) => {
  const kubectl = (...args: string[]): Promise<string> => stage.kubectl(...args);
  const { cluster, library } = deskAndDocs(stage);
  await stage.admin.create(CLUSTERS, cluster);
  await stage.admin.create(LIBRARIES, library);
  await kubectl('wait', '--for=condition=Ready', '--timeout=80s', 'qdc/desk', 'dlib/docs');
  const everything = await kubectl('get', 'librarian');
  for (const object of [/^qdrantcluster\S*\/desk\s/m, /^domainlibrary\S*\/docs\s/m]) assert.match(everything, object);
  assert.match(await kubectl('get', 'dlib', 'docs'), /READY[\s\S]*True/);

  await kubectl('scale', 'qdc', 'desk', '--replicas=2');
  await stage.clusterReady('desk', 2);
  await kubectl('wait', '--for=condition=Ready', '--timeout=80s', 'qdc/desk');
  assert.equal((await kubectl('get', 'qdc', 'desk', '-o', 'jsonpath={.status.replicas}')).trim(), '2');

  await kubectl('annotate', 'qdc', 'desk', 'team=library', '--overwrite');
  assert.equal((await stage.cluster('desk')).metadata.annotations?.['team'], 'library');
  await kubectl('patch', 'dlib', 'docs', '--type=merge', '-p', '{"spec":{"hnsw":{"m":24}}}');
  await kubectl('wait', '--for=condition=Ready', '--timeout=80s', 'dlib/docs');
  await stage.libraryReady('docs', 1);
  const described = await kubectl('describe', 'dlib', 'docs');
  assert.match(described, /docs--g1 answers to docs/);
  assert.match(described, /Events:[\s\S]*Created/);
  await kubectl('delete', 'dlib', 'docs', '--timeout=80s');
  await stage.gone('library', 'docs');
});

scenario('kubectl explains the fields, in the words of their schema', async (stage) => {
  assert.match(await stage.kubectl('explain', 'qdc.spec.size'), /FIELD: size <integer>[\s\S]*Number of peers/);
  assert.match(await stage.kubectl('explain', 'dlib.spec.placement'), /clusterRef\s+<Object>/);
});

scenario('kubectl diff shows what would change and nothing else, and nothing after apply', async (stage) => {
  const folder = await mkdtemp(join(tmpdir(), 'qdrant-librarian-manifests-'));
  stage.defer(() => rm(folder, { recursive: true }));
  const file = join(folder, 'desk.json');
  const { cluster } = deskAndDocs(stage);
  await writeFile(file, JSON.stringify(cluster));
  await stage.kubectl('apply', '--server-side', '-f', file);
  await stage.clusterReady('desk', 1);
  assert.equal(await diff(stage, file), '', 'what the operator and the defaults added is no difference');

  await writeFile(file, JSON.stringify({ ...cluster, spec: { ...cluster.spec, size: 2 } }));
  const changed = await diff(stage, file);
  assert.match(changed, /^-\s+size: 1$[\s\S]*^\+\s+size: 2$/m);
  const lines = changed.split('\n').filter((line) => /^[-+](?![-+])/.test(line) && !/generation|size/.test(line));
  assert.deepEqual(lines, []);
  assert.equal((await stage.cluster('desk')).spec.size, 1, 'a diff changes nothing');

  await stage.kubectl('apply', '--server-side', '-f', file);
  await stage.clusterReady('desk', 2);
  assert.equal(await diff(stage, file), '');
});

/** kubectl ends with 1 where there is a difference, and with more where something is wrong. */
async function diff(stage: Stage, file: string): Promise<string> {
  try {
    return await stage.kubectl('diff', '--server-side', '-f', file);
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: number; stdout?: string; stderr?: string };
    if (code === 1 && stderr === '') return stdout ?? '';
    throw error;
  }
}

scenario('an admin sees who leads, and what was done, without reading logs', async (stage) => {
  const { namespace } = stage.ground.operator;
  await stage.createCluster('desk', { size: 1 });
  await stage.clusterReady('desk', 1);
  const lease = await stage.kubectl('get', 'lease', 'qdrant-librarian', `--namespace=${namespace}`);
  const leader = await stage.operator.leader();
  assert.match(lease, new RegExp(`^qdrant-librarian\\s+${leader}_\\S+\\s+\\S+`, 'm'));
  const pods = await stage.operator.pods();
  assert.ok(
    pods.some(({ metadata }) => metadata.name === leader),
    'the holder is a pod of the operator',
  );

  await stage.createLibrary('docs', 'desk');
  await stage.libraryReady('docs', 1);
  await stage.eventSays('docs', 'Created');
  const events = await stage.kubectl('events', '--for=dlib/docs');
  assert.match(events, /Normal\s+Created\s+DomainLibrary\/docs/);
});
