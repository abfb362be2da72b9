import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isReady, LIBRARIES, until } from '../../sandbox/run/wait.ts';
import {
  ANNOTATIONS,
  API_VERSION,
  REBALANCE_POLICY,
  type RebalancePolicy,
  type RebalancePolicySpec,
} from '../../src/api/index.ts';
import { CONFIG_MAPS, findCondition, type KubeObject, resourceType } from '../../src/kube/index.ts';
import { eventually } from '../stage/eventually.ts';
import { QUICK_LEASE } from '../stage/operator-settings.ts';
import { PATIENCE_SECONDS } from '../stage/patience.ts';
import { scenarios } from '../stage/scenario.ts';
import { DIMENSIONS, type Stage } from '../stage/stage.ts';

const scenario = await scenarios({ needs: ['pod-faults'], operator: QUICK_LEASE });

const POLICIES = resourceType<RebalancePolicy>(REBALANCE_POLICY);
const POINTS = 400;
/** Milliseconds between two searches of each library that is asked. */
const PACE = 40;

/** As soon as anything is known: a window of one minute, looked at every five seconds. */
const QUICK: Partial<RebalancePolicySpec> = { observe: { intervalSeconds: 5, windowMinutes: 1 } };

async function createPolicy(stage: Stage, spec: Partial<RebalancePolicySpec>, name = 'even'): Promise<void> {
  const object = { apiVersion: API_VERSION, kind: POLICIES.kind, metadata: stage.key(name), spec };
  await stage.admin.create(POLICIES, object as KubeObject as RebalancePolicy);
}

/** As `kubectl annotate --overwrite` does. */
async function say(stage: Stage, verb: string): Promise<void> {
  const body = { metadata: { annotations: { [ANNOTATIONS.plan]: verb } } };
  await stage.admin.patch(POLICIES, stage.key('even'), body, { type: 'merge' });
}

type Holds = (policy: RebalancePolicy) => boolean;

function policyIs(stage: Stage, holds: Holds, what: string, name = 'even'): Promise<RebalancePolicy> {
  const { admin: client, namespace } = stage;
  return until({ client, type: POLICIES, namespace, name, timeoutSeconds: PATIENCE_SECONDS }, holds, what);
}

const reasonOf = (policy: RebalancePolicy, type: string): string | undefined =>
  findCondition(policy.status?.conditions ?? [], type)?.reason;

/** Three libraries on one cluster, two of them asked without pause, and another cluster that holds nothing. */
async function oneSided(stage: Stage): Promise<void> {
  await stage.createCluster('left', { size: 1 });
  await stage.clusterReady('left', 1);
  for (const name of ['docs', 'code', 'facts'])
    await stage.createLibrary(name, 'left', { placement: { clusterSelector: {} }, shards: { number: 1 } });
  for (const name of ['docs', 'code', 'facts']) await stage.libraryReady(name);
  const qdrant = await stage.qdrant('left');
  const points = Array.from({ length: POINTS }, (_, id) => ({ id, vector: vectorOf(id), payload: { id } }));
  for (const name of ['docs', 'code']) await qdrant.upsert(name, points);
  await stage.createCluster('right', { size: 1 });
  await stage.clusterReady('right', 1);
  ask(stage, qdrant, ['docs', 'code']);
}

const vectorOf = (id: number): number[] => Array.from({ length: DIMENSIONS }, (_, at) => Math.sin(id + at));

/** Searches until the scenario ends; a library that has left is no failure here. */
function ask(stage: Stage, qdrant: Awaited<ReturnType<Stage['qdrant']>>, names: readonly string[]): void {
  const ending = new AbortController();
  const asking = names.map(async (name) => {
    while (!ending.signal.aborted) {
      await qdrant.query(name, { query: vectorOf(1), limit: 3 }, { attempts: 1 }).catch(() => undefined);
      await sleep(PACE);
    }
  });
  stage.defer(async () => {
    ending.abort();
    await Promise.all(asking);
  });
}

/** Where libraries are, and that each holds exactly what was written. */
async function complete(stage: Stage, name: string): Promise<string | undefined> {
  const { status } = await stage.libraryReady(name);
  const qdrant = await stage.qdrant(status?.cluster ?? '');
  assert.equal(await qdrant.count(name, { exact: true }), POINTS, `points of ${name}`);
  return status?.cluster;
}

scenario(
  'load on one cluster is seen, planned, refused to a stale approval, approved, and a library moves though the operator is killed',
  async (stage, context) => {
    await oneSided(stage);
    await createPolicy(stage, { ...QUICK, mode: 'Recommend' });
    const busy = await policyIs(
      stage,
      ({ status }) =>
        status?.load?.some((load) => load.cluster === 'left' && (load.imbalancePercent ?? 0) > 50) === true,
      'seeing the load on the left',
    );
    assert.equal(busy.status?.load?.find(({ cluster }) => cluster === 'right')?.libraries, 0);

    await say(stage, 'refresh');
    const proposed = await policyIs(stage, ({ status }) => status?.plan?.state === 'Proposed', 'showing a plan');
    const plan = proposed.status?.plan;
    context.diagnostic(`plan ${JSON.stringify(plan)}`);
    assert.ok((plan?.imbalanceAfterPercent ?? 999) < (plan?.imbalanceBeforePercent ?? 0));
    const map = await stage.admin.get(CONFIG_MAPS, stage.key(plan?.configMap ?? ''));
    assert.ok(map.data?.['plan.txt']?.includes(`${plan?.digest}`), 'the plan can be read');

    await say(stage, 'approve=0123456789abcdef');
    const refusing = await policyIs(stage, (policy) => reasonOf(policy, 'VerbRefused') === 'DigestDiffers', 'refusing');
    assert.equal(refusing.metadata.annotations?.[ANNOTATIONS.plan], 'approve=0123456789abcdef', 'the annotation stays');
    assert.equal(refusing.status?.plan?.state, 'Proposed');

    await say(stage, `approve=${refusing.status?.plan?.digest}`);
    const moving = await policyIs(stage, ({ status }) => (status?.moves ?? []).length > 0, 'moving a library');
    const [move] = moving.status?.moves ?? [];
    const name = move?.library ?? '';
    await until(
      { client: stage.admin, type: LIBRARIES, namespace: stage.namespace, name, timeoutSeconds: PATIENCE_SECONDS },
      ({ status }) => status?.change !== undefined,
      'on its way',
    );
    await stage.operator.kill();

    const done = await policyIs(stage, ({ status }) => status?.plan?.state === 'Completed', 'done with the plan');
    assert.deepEqual(
      done.status?.history?.map(({ state, moved, digest }) => [state, moved, digest]),
      [['Completed', plan?.moves, refusing.status?.plan?.digest]],
    );
    assert.equal(done.metadata.annotations?.[ANNOTATIONS.plan], undefined, 'the verb that was obeyed is gone');
    assert.equal(done.status?.lastHandled?.['plan'], `approve=${refusing.status?.plan?.digest}`);
    assert.equal(await complete(stage, name), 'right');
    const other = name === 'docs' ? 'code' : 'docs';
    if (plan?.moves === 1) assert.equal(await complete(stage, other), 'left');
    assert.deepEqual((await stage.library(name)).status?.assignment, {
      cluster: 'right',
      policy: 'even',
      planDigest: refusing.status?.plan?.digest,
    });
    await stage.eventSays('even', 'MoveCompleted');
  },
);

scenario(
  'in mode Auto a plan waits for its window, then is executed by itself; what is pinned stays',
  async (stage) => {
    await oneSided(stage);
    await stage.changeLibrary('code', { spec: { placement: { clusterSelector: null, clusterRef: { name: 'left' } } } });
    await stage.untilLibrary('code', isReady, 'Ready');
    // Once a year, and not now.
    const month = ((new Date().getUTCMonth() + 6) % 12) + 1;
    const closed = [{ schedule: `0 0 1 ${month} *`, durationMinutes: 1 }];
    await createPolicy(stage, { ...QUICK, mode: 'Auto', windows: closed });
    await policyIs(
      stage,
      ({ status }) => status?.load?.some(({ knownPercent = 0 }) => knownPercent > 95) === true,
      'watching',
    );
    await say(stage, 'refresh');
    await policyIs(stage, (policy) => reasonOf(policy, 'Planned') === 'AwaitingWindow', 'waiting for its window');
    assert.equal((await stage.library('docs')).status?.cluster, 'left');

    await stage.admin.patch(POLICIES, stage.key('even'), { spec: { windows: [] } }, { type: 'merge' });
    await policyIs(stage, ({ status }) => status?.plan?.state === 'Completed', 'done');
    assert.equal(await complete(stage, 'docs'), 'right');
    assert.equal(await complete(stage, 'code'), 'left');
  },
);

scenario(
  'selectors that match nothing, one cluster, and two policies for one library are named until they are mended',
  async (stage) => {
    await stage.createCluster('left', { size: 1 });
    await stage.createLibrary('docs', 'left', { placement: { clusterSelector: {} } });
    await stage.libraryReady('docs');
    await createPolicy(stage, { ...QUICK, clusterSelector: { matchLabels: { tier: 'none' } } });
    await policyIs(stage, (policy) => reasonOf(policy, 'Ready') === 'NoClusterMatches', 'NoClusterMatches');
    await stage.admin.patch(POLICIES, stage.key('even'), { spec: { clusterSelector: null } }, { type: 'merge' });
    await policyIs(stage, (policy) => reasonOf(policy, 'Ready') === 'OneCluster', 'OneCluster');

    const second = { apiVersion: API_VERSION, kind: POLICIES.kind, metadata: stage.key('odd'), spec: QUICK };
    // Creation times have seconds: the older one must be older by one.
    await sleep(1100);
    await stage.admin.create(POLICIES, second as KubeObject as RebalancePolicy);
    await eventually('the younger policy is refused by name', async () => {
      const odd = await stage.admin.get(POLICIES, stage.key('odd'));
      const ready = findCondition(odd.status?.conditions ?? [], 'Ready');
      return ready?.reason === 'LibrariesClaimed' && ready.message.includes('even');
    });
    await stage.admin.delete(POLICIES, stage.key('even'));
    await eventually('the younger one takes over', async () => {
      const odd = await stage.admin.get(POLICIES, stage.key('odd'));
      return reasonOf(odd, 'Ready') === 'OneCluster';
    });
  },
);

/** The page's commands in their order: each indented line. */
const commandsOf = (page: string): string[] =>
  page
    .split('\n')
    .filter((line) => line.startsWith('    kubectl '))
    .map((line) => line.trim());

scenario(
  'every command of the page on rebalancing does what the page says',
  async (stage) => {
    await oneSided(stage);
    await createPolicy(stage, { ...QUICK, mode: 'Recommend' }, 'nightly');
    const is = (holds: (policy: RebalancePolicy) => boolean, what: string) => policyIs(stage, holds, what, 'nightly');
    await is(({ status }) => (status?.load ?? []).some(({ imbalancePercent = 0 }) => imbalancePercent > 50), 'aware');
    const asking = { metadata: { annotations: { [ANNOTATIONS.plan]: 'refresh' } } };
    await stage.admin.patch(POLICIES, stage.key('nightly'), asking, { type: 'merge' });
    const { status } = await is((policy) => policy.status?.plan?.state === 'Proposed', 'showing a plan');

    const page = await readFile(join(import.meta.dirname, '../../docs/rebalance.md'), 'utf8');
    const commands = commandsOf(page);
    assert.equal(commands.length, 8);
    const PATH = `${dirname(stage.ground.kubectl)}:${process.env['PATH']}`;
    const env = { ...process.env, PATH, KUBECONFIG: stage.ground.kubeconfigFile };
    const said: string[] = [];
    for (const command of commands) {
      stage.diary.note('step', command);
      const here = command.replaceAll('team-a', stage.namespace);
      said.push((await promisify(execFile)('bash', ['-o', 'pipefail', '-ec', here], { env, timeout: 60_000 })).stdout);
      const verb = /plan=(approve|stop|refresh)/.exec(command)?.[1];
      if (verb === undefined) continue;
      const obeyed = await is(
        ({ metadata, status: now }) =>
          metadata.annotations?.[ANNOTATIONS.plan] === undefined &&
          now?.lastHandled?.['plan']?.startsWith(verb) === true,
        `obeying ${verb}`,
      );
      if (verb === 'stop') assert.equal(obeyed.status?.plan?.state, 'Stopped');
    }
    const [line = '', load = '', why = '', plan = '', digest = ''] = said;
    assert.match(line, /nightly[\s\S]*Proposed/);
    assert.match(load, /left: \d+ a minute, 100 % off the mean/);
    assert.ok(why.length > 0 || status?.plan?.state === 'Proposed');
    assert.match(plan, /^plan [0-9a-f]{16} of [\s\S]*left -> right/);
    assert.match(digest, /^[0-9a-f]{16}$/);
  },
  ['kubectl'],
);
