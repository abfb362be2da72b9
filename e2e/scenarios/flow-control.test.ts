import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type KubeObject, type ResourceType, resourceType } from '../../src/kube/index.ts';
import { eventually } from '../stage/eventually.ts';
import { scenarios } from '../stage/scenario.ts';
import type { Stage } from '../stage/stage.ts';

const scenario = await scenarios({ needs: ['flow-control', 'audit'] });

type Object = KubeObject & { readonly spec: object };
const kind = (name: string, plural: string): ResourceType<Object> =>
  resourceType<Object>({
    group: 'flowcontrol.apiserver.k8s.io',
    version: 'v1',
    kind: name,
    plural,
    namespaced: false,
  });
const LEVELS = kind('PriorityLevelConfiguration', 'prioritylevelconfigurations');
const SCHEMAS = kind('FlowSchema', 'flowschemas');
const API_VERSION = 'flowcontrol.apiserver.k8s.io/v1';

/** Requests of the operator beside those for its Lease go through a level of their own. */
async function ownLevel(stage: Stage): Promise<{ allow(shares: number): Promise<void> }> {
  const { admin, namespace, ground } = stage;
  const name = namespace;
  const apply = async (shares: number): Promise<void> => {
    // Nobody waits, nobody borrows: what is too much is refused at once.
    const limited = {
      nominalConcurrencyShares: shares,
      lendablePercent: 0,
      borrowingLimitPercent: 0,
      limitResponse: { type: 'Reject' },
    };
    const level = { apiVersion: API_VERSION, kind: 'PriorityLevelConfiguration', metadata: { name } };
    await admin.apply(LEVELS, { ...level, spec: { type: 'Limited', limited } }, { fieldManager: 'scenario' });
  };
  stage.defer(async () => {
    await admin.delete(SCHEMAS, { namespace: '', name });
    await admin.delete(LEVELS, { namespace: '', name });
  });
  await apply(1);
  const [, , serviceNamespace = '', account = ''] = ground.operator.user.split(':');
  const subject = { kind: 'ServiceAccount', serviceAccount: { namespace: serviceNamespace, name: account } };
  const groups = ['', 'apps', 'batch', 'policy', 'networking.k8s.io', 'events.k8s.io', 'qdrant-librarian.io'];
  const rule = { verbs: ['*'], apiGroups: groups, resources: ['*'], namespaces: ['*'], clusterScope: true };
  await admin.apply(
    SCHEMAS,
    {
      apiVersion: API_VERSION,
      kind: 'FlowSchema',
      metadata: { name },
      spec: {
        priorityLevelConfiguration: { name },
        matchingPrecedence: 50,
        distinguisherMethod: { type: 'ByUser' },
        rules: [{ subjects: [subject], resourceRules: [rule] }],
      },
    },
    { fieldManager: 'scenario' },
  );
  return { allow: apply };
}

const REFUSED_SECONDS = 8;
/** A level of no shares still lets one request at a time through: only requests that overlap are refused. */
const LIBRARIES = ['docs', 'notes', 'code', 'tables'];

scenario(
  'the API server refuses the operator for a while, and lets it do one thing at a time: it waits, and all is done',
  async (stage) => {
    const { audit, operator } = stage.ground;
    const refused = (): number => audit.count({ user: operator.user, code: 429 });
    const level = await ownLevel(stage);
    await stage.createCluster('desk', { size: 1 });
    for (const name of LIBRARIES) await stage.createLibrary(name, 'desk', { shards: { number: 1 } });
    for (const name of LIBRARIES) await stage.libraryReady(name, 1);

    const holder = await stage.operator.holder();
    const before = refused();
    await level.allow(0);
    // It takes the server a moment to take note; every change makes the operator ask for something.
    let m = 16;
    await eventually('requests are refused', async () => {
      m = m === 16 ? 24 : 16;
      await Promise.all(LIBRARIES.map((name) => stage.changeLibrary(name, { spec: { hnsw: { m } } })));
      await sleep(500);
      return refused() > before;
    });
    await stage.changeLibrary('docs', { spec: { shards: { number: 2 } } });
    await stage.scale('desk', 2);
    await sleep(REFUSED_SECONDS * 1000);
    const during = refused() - before;
    assert.ok(during < 60 * REFUSED_SECONDS, `${during} requests were refused: who is refused asks less, not more`);
    await level.allow(1);
    await stage.libraryReady('docs', 2);
    await stage.clusterReady('desk', 2);
    assert.equal(await stage.operator.holder(), holder, 'who is refused goes on leading');
    await stage.operator.atRest(4);
  },
);
