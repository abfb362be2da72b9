import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { type Sandbox, startSandbox } from '../../sandbox/sandbox.ts';
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES } from '../../src/kube/index.ts';

const run = promisify(execFile);

let sandbox: Sandbox;
before(async () => {
  sandbox = await startSandbox({ operator: false });
});
after(() => sandbox.stop());

type Run = { readonly code: number; readonly text: string };

async function runOn(kubeconfig: string, only: string): Promise<Run> {
  // Else the runner takes itself for one of its own files.
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const args = ['e2e/run.ts', '--ground', kubeconfig, '--only', only];
  return run(process.execPath, args, { env }).then(
    ({ stdout }) => ({ code: 0, text: stdout }),
    ({ code, stdout }: { code: number; stdout: string }) => ({ code, text: stdout }),
  );
}

const names = async (): Promise<readonly string[]> => {
  const { admin } = sandbox;
  const lists = await Promise.all([
    admin.listAll(NAMESPACES, {}),
    admin.listAll(CLUSTER_ROLES, {}),
    admin.listAll(CLUSTER_ROLE_BINDINGS, {}),
    admin.listAll(CUSTOM_RESOURCE_DEFINITIONS, {}),
  ]);
  return lists.flat().map(({ kind, metadata }) => `${kind} ${metadata.name}`);
};

test('a cluster that is at hand gets the operator for a run, and is as before when it ends', async () => {
  const before = await names();
  const { code, text } = await runOn(sandbox.kubeconfigFile, 'waits for it, and is made when it appears');
  assert.equal(code, 0, text);
  assert.match(text, /Ground \S+: the cluster of \S+, as it is/);
  assert.match(text, /bad-manifests +[\d.]+ s {2}1 passed/);
  assert.deepEqual(await names(), before);
});

test('a cluster that runs an operator already is left alone', async () => {
  const { admin } = sandbox;
  const labels = { 'app.kubernetes.io/name': 'qdrant-librarian' };
  const spec = {
    replicas: 0,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'qdrant-librarian:0.1.0' }] } },
  };
  const body = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'theirs', labels }, spec };
  await admin.raw('POST', '/apis/apps/v1/namespaces/default/deployments', { body });
  const before = await names();
  const { code, text } = await runOn(sandbox.kubeconfigFile, 'waits for it');
  assert.equal(code, 3, text);
  assert.match(text, /COULD NOT START: the cluster runs the operator already \(default\/theirs\)/);
  assert.deepEqual(await names(), before);
});
