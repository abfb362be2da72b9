import type { JsonObject } from '../../../../sandbox/kube/json.ts';
import { applyDefaults, type DomainLibrary, type QdrantCluster } from '../../../../src/api/index.ts';
import { keysSecret } from '../../../../src/cluster/objects/secret.ts';
import { wantedObjects } from '../../../../src/cluster/objects.ts';
import type { KubeObject } from '../../../../src/kube/index.ts';
import { copyObjects } from '../../../../src/library/objects.ts';
import { cluster, library } from '../../../api/objects.ts';
import type { Story, Teller } from './story.ts';

const PLURALS: { readonly [kind: string]: string } = {
  NetworkPolicy: 'networkpolicies',
};
const MANAGER = 'qdrant-librarian';

export const json = (value: unknown): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject;

function pathOf({ named, core }: Teller, { apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): string {
  const plural = PLURALS[kind] ?? `${kind.toLowerCase()}s`;
  return apiVersion.includes('/') ? named(apiVersion, plural) : core(plural);
}

const applyAll = async (teller: Teller, word: string, objects: readonly KubeObject[]): Promise<void> => {
  for (const object of objects) {
    const step = `${word} ${object.kind} ${object.metadata.name}`;
    const path = `${pathOf(teller, object)}/${object.metadata.name}`;
    await teller.apply(step, path, { manager: MANAGER, force: true, body: json(object) });
  }
};

/** What the operator applies for a cluster, as the server gives it back: every default, owner and managed field. */
export const clusterObjects: Story = {
  name: 'the objects of a cluster',
  ours: true,
  tell: async (teller) => {
    const made = await teller.send('POST cluster', teller.named('qdrant-librarian.io/v1alpha1', 'qdrantclusters'), {
      body: json(cluster({ persistence: { storageClassName: 'fast' }, limits: { maxCollections: 9 } })),
    });
    const owner = applyDefaults(made.body as unknown as QdrantCluster);
    const options = { replicas: 3, announced: { founder: 'docs-0', members: [] }, evictable: true, live: undefined };
    const objects = wantedObjects(owner, options);
    await applyAll(teller, 'first', objects);
    await applyAll(teller, 'again', objects);
    await applyAll(teller, 'changed', wantedObjects(owner, { ...options, replicas: 2 }));
    const secret = keysSecret(owner, () => 'hush');
    await teller.send('POST secret', `${teller.core('secrets')}?fieldManager=${MANAGER}`, { body: json(secret) });
    await teller.send('GET scale', `${teller.named('apps/v1', 'statefulsets')}/docs/scale`);
  },
};

/** What one copy of a library is made of. */
export const copyObjectsStory: Story = {
  name: 'the objects of a copy',
  ours: true,
  tell: async (teller) => {
    const group = 'qdrant-librarian.io/v1alpha1';
    const first = await teller.send('POST cluster', teller.named(group, 'qdrantclusters'), { body: json(cluster()) });
    const second = await teller.send('POST library', teller.named(group, 'domainlibraries'), { body: json(library()) });
    const end = {
      cluster: applyDefaults(first.body as unknown as QdrantCluster),
      peers: [{ name: 'docs-0', rest: 'http://docs-0:6333' }],
    };
    const { job, ...rest } = copyObjects({
      library: applyDefaults(second.body as unknown as DomainLibrary),
      source: { ...end, collection: 'guides--g1' },
      target: { ...end, collection: 'guides--g2' },
      generation: 2,
      attempt: 1,
      projection: { vectors: {}, keepShardKeys: true },
      maxFreezeSeconds: 30,
      image: 'qdrant-librarian:0.1.0',
    });
    await applyAll(teller, 'first', Object.values(rest));
    await teller.send('POST job', `${teller.named('batch/v1', 'jobs')}?fieldManager=${MANAGER}`, { body: json(job) });
    await applyAll(teller, 'again', Object.values(rest));
    await teller.apply('applied job', `${teller.named('batch/v1', 'jobs')}/${job.metadata.name}`, {
      manager: MANAGER,
      force: true,
      body: json(job),
    });
  },
};
