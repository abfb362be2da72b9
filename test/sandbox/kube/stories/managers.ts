import { cluster, externalCluster } from '../../../api/objects.ts';
import { JSON_PATCH, MERGE } from '../contract/api.ts';
import { configMap } from '../contract/world.ts';
import { json } from './cluster-objects.ts';
import type { Story } from './story.ts';

const GROUP = 'qdrant-librarian.io/v1alpha1';

/** Several managers of one object of ours: a GitOps tool, the operator, an autoscaler, a person. */
export const managers: Story = {
  name: 'several managers',
  ours: true,
  tell: async (teller) => {
    const clusters = teller.named(GROUP, 'qdrantclusters');
    const annex = `${clusters}/annex`;
    const external = (fields: object) => json(externalCluster({ external: { url: 'https://x', ...fields } }));
    const withKey = external({ apiKeySecretRef: { name: 'key' } });
    await teller.apply('annex by gitops', annex, { manager: 'gitops', body: withKey });
    await teller.apply('annex by gitops again', annex, { manager: 'gitops', body: withKey });
    await teller.apply('the same by a second', annex, { manager: 'second', body: withKey });
    await teller.apply('the default said by a third', annex, {
      manager: 'third',
      body: external({ apiKeySecretRef: { name: 'key', key: 'api-key' } }),
    });
    await teller.apply('another key by a fourth', annex, {
      manager: 'fourth',
      body: external({ apiKeySecretRef: { name: 'key', key: 'other' } }),
    });
    await teller.apply('gitops takes the key away', annex, { manager: 'gitops', body: external({}) });
    await teller.apply('the second takes the key away', annex, { manager: 'second', body: external({}) });
    await teller.apply('the third takes the key away', annex, { manager: 'third', body: external({}) });

    const docs = `${clusters}/docs`;
    const body = json(cluster({ limits: { maxCollections: 3 }, nodeSelector: { disk: 'ssd' } }));
    await teller.apply('docs by gitops', docs, { manager: 'gitops', body });
    await teller.send('PATCH finalizer', `${docs}?fieldManager=qdrant-librarian`, {
      body: [{ op: 'add', path: '/metadata/finalizers', value: ['qdrant-librarian.io/finalizer'] }],
      type: JSON_PATCH,
    });
    const status = {
      ...json({ ...cluster(), spec: undefined }),
      status: {
        observedGeneration: 1,
        conditions: [
          {
            type: 'Ready',
            status: 'False',
            reason: 'Creating',
            message: 'x',
            lastTransitionTime: '2026-01-01T00:00:00Z',
          },
        ],
      },
    };
    await teller.apply('status by the operator', `${docs}/status`, { manager: 'state', force: true, body: status });
    await teller.apply('the same status', `${docs}/status`, { manager: 'state', force: true, body: status });
    await teller.apply('docs by gitops again', docs, { manager: 'gitops', body });
    await teller.send('PATCH scale', `${docs}/scale?fieldManager=autoscaler`, {
      body: { spec: { replicas: 5 } },
      type: MERGE,
    });
    await teller.apply('docs by gitops against the autoscaler', docs, { manager: 'gitops', body });
    await teller.apply('docs without a size', docs, { manager: 'gitops', body: json(cluster({ size: undefined })) });
    await teller.send('PATCH by hand', `${docs}?fieldManager=hand`, {
      body: { spec: { nodeSelector: { disk: 'hdd', zone: 'a' } } },
      type: MERGE,
    });
    await teller.apply('docs against the hand', docs, { manager: 'gitops', body });
    await teller.apply('docs against the hand, by force', docs, { manager: 'gitops', force: true, body });
    await teller.apply('status with a spec', `${docs}/status`, {
      manager: 'state',
      force: true,
      body: json(cluster()),
    });
    await teller.apply('a typo', docs, { manager: 'gitops', body: json(cluster({ sise: 3 })) });
    await teller.apply('a wrong type', docs, { manager: 'gitops', body: json(cluster({ size: 'three' })) });
    await teller.apply('a broken rule', docs, { manager: 'gitops', force: true, body: json(cluster({ apiKey: {} })) });
    await teller.apply('nothing to apply to', `${clusters}/nobody/status`, {
      manager: 'state',
      body: json({ ...cluster({}, 'nobody'), spec: undefined, status: { replicas: 1 } }),
    });
    await teller.send('PATCH managed fields away', docs, {
      body: [{ op: 'replace', path: '/metadata/managedFields', value: [{}] }],
      type: JSON_PATCH,
    });
    await teller.send('DELETE docs', docs);
    await teller.apply('docs while it goes', docs, { manager: 'gitops', body });
    await teller.send('PATCH a second finalizer', docs, {
      body: [{ op: 'add', path: '/metadata/finalizers/-', value: 'example.org/late' }],
      type: JSON_PATCH,
    });
    await teller.send('PATCH finalizer away', docs, {
      body: [
        { op: 'test', path: '/metadata/finalizers/0', value: 'qdrant-librarian.io/finalizer' },
        { op: 'remove', path: '/metadata/finalizers/0' },
      ],
      type: JSON_PATCH,
    });
    await teller.send('GET docs', docs);
    await teller.apply('another name in the body', `${clusters}/other`, { manager: 'gitops', body });
    await teller.apply('another namespace in the body', docs, {
      manager: 'gitops',
      body: { ...body, metadata: { name: 'docs', namespace: 'default' } },
    });

    const path = teller.core('configmaps/shared');
    const shared = (data: object) => json(configMap('shared', { ...data }));
    await teller.apply('shared by one', path, { manager: 'one', body: shared({ a: '1', b: '1' }) });
    await teller.apply('shared by two', path, { manager: 'two', body: shared({ a: '2', b: '2', c: '2' }) });
    await teller.apply('a version of old', path, {
      manager: 'one',
      body: json(configMap('shared', { a: '1' }, { resourceVersion: '1' })),
    });
    await teller.apply('managed fields in the body', path, {
      manager: 'one',
      body: json(configMap('shared', { a: '1' }, { managedFields: [] })),
    });
    await teller.apply('managed fields with content', path, {
      manager: 'one',
      body: json(configMap('shared', {}, { managedFields: [{ manager: 'x', operation: 'Apply' }] })),
    });
    await teller.apply('a dry run', `${path}`, { manager: 'three&dryRun=All', body: shared({ d: '4' }) });
    await teller.apply('a manager of too many letters', path, { manager: 'x'.repeat(129), body: shared({}) });
  },
};
