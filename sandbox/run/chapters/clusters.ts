import { join } from 'node:path';
import type { QdrantCluster } from '../../../src/api/index.ts';
import { type KubeObject, SECRETS, type Secret } from '../../../src/kube/index.ts';
import { startExternalQdrant } from '../../external-qdrant.ts';
import { applyAll } from '../../install.ts';
import { examples } from '../examples.ts';
import { seconds } from '../facts.ts';
import { type Chapter, NAMESPACE } from '../stage.ts';
import { isReady } from '../wait.ts';

const EXTERNAL_KEY = 'annex-key-of-this-run';

export const clusters: Chapter = {
  title: 'clusters: 3 peers, 1 peer, one that runs elsewhere',
  play: async (stage, progress) => {
    const { admin, network, directory } = stage.sandbox;
    stage.external = await startExternalQdrant({
      directory: join(directory, 'annex'),
      address: network.pods.allocate(),
      apiKey: EXTERNAL_KEY,
      signal: stage.signal,
    });
    const { url } = stage.external;
    await applyAll(admin, [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }]);
    await admin.create(SECRETS, secretOf(EXTERNAL_KEY));
    const objects = await examples('clusters.yaml', 'rebalance-policy.yaml');
    const began = performance.now();
    const reachable = objects.map((object) => withUrl(object, url));
    await applyAll(admin, reachable);
    await Promise.all(
      ['desk', 'annex', 'stacks'].map(async (name) => {
        await stage.cluster(name, { holds: isReady, what: 'Ready', timeoutSeconds: 45 });
        progress(`${name} is Ready`);
        stage.facts.note(`cluster ${name} Ready after`, seconds(performance.now() - began));
      }),
    );
  },
};

const secretOf = (key: string): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'annex-api-key', namespace: NAMESPACE },
  data: { 'api-key': Buffer.from(key).toString('base64') },
});

/** The example's external cluster, where it really runs. */
function withUrl(object: KubeObject, url: string): KubeObject {
  const cluster = object as QdrantCluster;
  if (cluster.kind !== 'QdrantCluster' || cluster.spec.external === undefined) return object;
  return { ...cluster, spec: { ...cluster.spec, external: { ...cluster.spec.external, url } } } as KubeObject;
}
