import assert from 'node:assert/strict';
import { SECRETS } from '../../src/kube/index.ts';
import { EverythingSaid } from '../stage/everything-said.ts';
import { scenarios } from '../stage/scenario.ts';

const scenario = await scenarios({
  needs: ['outside-qdrant', 'command-lines', 'pod-faults', 'qdrant-faults'],
  operator: { QDRANT_LIBRARIAN_LOG_LEVEL: 'trace' },
});

const KEYS = {
  annex: 'canary-annex-5f0c2e',
  wrong: 'canary-wrong-91ab37',
  desk: 'canary-desk-77d1e4',
};

scenario(
  'no key is ever said: not in a log, a status, an event, a ConfigMap, an argument or a metric',
  async (stage) => {
    const said = new EverythingSaid(stage);
    stage.defer(() => said.all());
    const server = stage.ground.outsideQdrant();
    await server.start({ apiKey: KEYS.annex });
    await stage.putSecret('annex-key', { 'api-key': KEYS.wrong });
    await stage.putSecret('desk-keys', { 'api-key': KEYS.desk });
    await stage.createCluster('annex', { external: { url: server.url, apiKeySecretRef: { name: 'annex-key' } } });
    await stage.createCluster('desk', {
      size: 1,
      apiKey: { secretKeyRef: { name: 'desk-keys' } },
    });
    await stage.clusterSays('annex', 'Ready', { status: 'False', reason: 'KeyRefused' });
    await stage.putSecret('annex-key', { 'api-key': KEYS.annex });
    await stage.clusterReady('annex');
    await stage.clusterReady('desk', 1);
    await stage.createLibrary('near', 'desk', { shards: { number: 1 } });
    await stage.createLibrary('far', 'annex');
    await Promise.all([stage.libraryReady('near', 1), stage.libraryReady('far', 1)]);

    await stage.ground.strikeQdrant(stage.key('desk-0'), {
      match: '/collections',
      kind: 'error',
      status: 500,
      count: 10,
    });
    await stage.changeLibrary('near', { spec: { shards: { number: 2 } } });
    await stage.libraryReady('near', 2);
    await stage.ground.kill(stage.key('desk-0'));
    await server.stop();
    await stage.clusterSays('annex', 'Ready', { status: 'False', reason: 'Unreachable' });
    await stage.putSecret('annex-key', { 'api-key': `${KEYS.wrong} \n` });
    await stage.clusterSays('annex', 'Ready', { status: 'False', reason: 'SecretInvalid' });
    await stage.clusterReady('desk', 1);

    const { data = {} } = await stage.admin.get(SECRETS, stage.key('desk-apikey'));
    const generated = Object.values(data).map((value) => Buffer.from(value, 'base64').toString());
    assert.ok(generated.length > 0, 'the key that only reads was generated');
    const secret = [...Object.values(KEYS), ...generated];
    const all = await said.all();
    assert.ok(
      [...all.keys()].some((where) => where.startsWith('log of near-g2')),
      'the worker was heard',
    );
    assert.ok(
      [...all.keys()].some((where) => where.startsWith('log of qdrant-librarian')),
      'the operator was heard',
    );
    assert.match(all.get('arguments of processes') ?? '', /main\.ts/);
    const spilled = [...all].flatMap(([where, text]) =>
      secret
        .flatMap((key) => [key, Buffer.from(key).toString('base64')])
        .filter((form) => text.includes(form))
        .map((form) => `${form} in ${where}`),
    );
    assert.deepEqual(spilled, []);
  },
);
