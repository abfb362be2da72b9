import { asArray, asObject, asString, at, type JsonObject, omit, textOf } from '../../../../sandbox/kube/json.ts';
import { KINDS } from '../../../../src/api/index.ts';
import { cluster, externalCluster, library, policy, vectorization } from '../../../api/objects.ts';
import { JSON_PATCH, MERGE } from '../contract/api.ts';
import { json } from './cluster-objects.ts';
import type { Story } from './story.ts';

const GROUP = 'qdrant-librarian.io/v1alpha1';
export const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

/** A definition without its schemas, which the server gives back as they were sent. */
const withoutSchemas = (body: JsonObject): JsonObject => ({
  ...body,
  metadata: omit(asObject(body['metadata']), 'managedFields'),
  spec: {
    ...asObject(body['spec']),
    versions: asArray(at(body, 'spec', 'versions')).map((version) => omit(asObject(version), 'schema')),
  },
});

/** Order of arrival of conditions and their times differ from server to server, not what they say. */
const settled = (body: JsonObject): JsonObject => {
  const conditions = asArray(at(body, 'status', 'conditions'));
  const byType = conditions.toSorted((a, b) => (textOf(at(a, 'type')) < textOf(at(b, 'type')) ? -1 : 1));
  return { ...withoutSchemas(body), status: { ...asObject(body['status']), conditions: byType } };
};

export const definitions: Story = {
  name: 'the definitions',
  ours: true,
  tell: async (teller) => {
    for (const { plural, group } of KINDS) {
      const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.${group}`;
      await teller.send(`GET ${plural}`, path, { look: settled });
    }
    await teller.send('GET resources of the group', `/apis/${GROUP}`, {
      look: (body) => ({
        ...body,
        resources: asArray(body['resources'])
          .map((item) => omit(asObject(item), 'storageVersionHash'))
          .toSorted((a, b) => (asString(a['name']) < asString(b['name']) ? -1 : 1)),
      }),
    });
    await teller.send('GET group', `/apis/${GROUP.split('/')[0]}`);
  },
};

export const kinds: Story = {
  name: 'objects of the four kinds',
  ours: true,
  tell: async (teller) => {
    const path = (plural: string): string => teller.named(GROUP, plural);
    const objects = [
      ['qdrantclusters', cluster({ persistence: {}, config: { log_level: 'INFO' }, bogus: { a: 1 } })],
      ['qdrantclusters', externalCluster({ external: { url: 'https://x', apiKeySecretRef: { name: 'key' } } })],
      ['domainlibraries', library({ shards: {}, payloadIndexes: [{ field: 'a', type: 'keyword' }] })],
      ['rebalancepolicies', policy()],
      ['vectorizationjobs', vectorization()],
    ] as const;
    for (const [plural, object] of objects) {
      await teller.send(`POST ${object.kind} ${object.metadata.name}`, path(plural), { body: json(object) });
      await teller.send(`POST ${object.kind} strictly`, `${path(plural)}?fieldValidation=Strict&dryRun=All`, {
        body: json({ ...object, metadata: { name: 'other' } }),
      });
    }
    for (const { plural } of KINDS) {
      await teller.send(`GET table of ${plural}`, path(plural), { accept: TABLE });
      await teller.send(`GET list of ${plural}`, path(plural), { look: (body) => omit(body, 'items') });
    }
    const docs = `${path('qdrantclusters')}/docs`;
    await teller.send('GET scale', `${docs}/scale`);
    const status = {
      observedGeneration: 1,
      replicas: 3,
      selector: 'qdrant-librarian.io/cluster=docs',
      bogus: true,
      conditions: [
        { type: 'Ready', status: 'True', reason: 'Fine', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
      ],
    };
    await teller.send('PATCH status', `${docs}/status`, { body: { spec: { size: 9 }, status }, type: MERGE });
    await teller.send('PATCH status to nonsense', `${docs}/status`, {
      body: { status: { points: 'many', conditions: [{ type: 'Ready', status: 'Perhaps' }] } },
      type: MERGE,
    });
    await teller.send('GET scale with status', `${docs}/scale`);
    await teller.send('PATCH scale', `${docs}/scale`, { body: { spec: { replicas: 5 } }, type: MERGE });
    await teller.send('PUT scale', `${docs}/scale`, {
      body: {
        apiVersion: 'autoscaling/v1',
        kind: 'Scale',
        metadata: { name: 'docs', namespace: teller.namespace },
        spec: { replicas: 4 },
      },
    });
    await teller.send('PATCH scale beyond', `${docs}/scale`, { body: { spec: { replicas: 1000 } }, type: MERGE });
    await teller.send('PATCH scale below', `${docs}/scale`, { body: { spec: { replicas: -1 } }, type: MERGE });
    await teller.send('GET after scaling', docs);
    await teller.send('PATCH with one pair', docs, {
      body: [{ op: 'test', path: '/metadata/uid', value: 'other' }],
      type: JSON_PATCH,
    });
    await teller.send('GET row', docs, { accept: TABLE });
    await teller.send('GET status', `${docs}/status`, { look: (body) => body['status'] });
    await teller.send('PUT status without version', `${docs}/status`, { body: json(cluster()) });
    await teller.send('PUT of another name', docs, { body: json(cluster({}, 'else')) });
    await teller.send('PUT without version', docs, { body: json(cluster()) });
    await teller.send('PATCH of an immutable list', `${path('domainlibraries')}/guides`, {
      body: {
        spec: {
          payloadIndexes: [
            { field: 'a', type: 'keyword' },
            { field: 'a', type: 'uuid' },
          ],
        },
      },
      type: MERGE,
    });
    await teller.send('PATCH in the strategic way', docs, { body: {}, type: 'application/strategic-merge-patch+json' });
    await teller.send('DELETE', docs);
    await teller.send('GET deleted', docs);
  },
};
