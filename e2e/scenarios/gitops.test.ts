import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CLUSTERS, LIBRARIES } from '../../sandbox/run/wait.ts';
import { API_VERSION, type DomainLibrary, type QdrantCluster } from '../../src/api/index.ts';
import { scenarios } from '../stage/scenario.ts';
import { DIMENSIONS, type Stage } from '../stage/stage.ts';

const run = promisify(execFile);

const scenario = await scenarios({ needs: ['audit'] });

const manifests = ({ key }: Stage) => ({
  cluster: {
    apiVersion: API_VERSION,
    kind: 'QdrantCluster',
    metadata: key('desk'),
    spec: { version: '1.18.3', size: 1, persistence: { size: '1Gi' } },
  } as QdrantCluster,
  library: {
    apiVersion: API_VERSION,
    kind: 'DomainLibrary',
    metadata: key('docs'),
    spec: {
      domain: 'docs',
      placement: { clusterRef: { name: 'desk' } },
      vectors: [{ name: '', size: DIMENSIONS, distance: 'Cosine' }],
    },
  } as DomainLibrary,
});

scenario(
  'a GitOps tool applies the same manifests every second: no conflict, and the operator writes nothing',
  async (stage) => {
    const { cluster, library } = manifests(stage);
    const tool = { fieldManager: 'gitops', force: false };
    await stage.admin.apply(CLUSTERS, cluster, tool);
    await stage.admin.apply(LIBRARIES, library, tool);
    await stage.clusterReady('desk', 1);
    await stage.libraryReady('docs', 1);
    await stage.operator.atRest(3);
    const before = await Promise.all([stage.cluster('desk'), stage.library('docs')]);
    for (let second = 0; second < 10; second += 1) {
      // Not forced: a field that the operator owned would be a conflict.
      await stage.admin.apply(CLUSTERS, cluster, tool);
      await stage.admin.apply(LIBRARIES, library, tool);
      await sleep(1000);
    }
    assert.deepEqual(stage.operator.writes(), []);
    const after = await Promise.all([stage.cluster('desk'), stage.library('docs')]);
    const versions = (objects: readonly (QdrantCluster | DomainLibrary)[]) =>
      objects.map(({ metadata }) => metadata.resourceVersion);
    assert.deepEqual(versions(after), versions(before), 'not even a resourceVersion changed');
  },
);

const everyday = async (stage: Stage): Promise<void> => {
  const kubectl = async (...args: string[]): Promise<string> => {
    const all = [`--kubeconfig=${stage.ground.kubeconfigFile}`, `--namespace=${stage.namespace}`, ...args];
    return (await run(stage.ground.kubectl, all, { timeout: 90_000 })).stdout;
  };
  const { cluster, library } = manifests(stage);
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
};

scenario('kubectl does with clusters and libraries what it does with everything else', everyday, ['kubectl']);
