import { ANNOTATIONS, API_VERSION, type DomainLibrary, type RebalancePolicy } from '../../../src/api/index.ts';
import { findCondition, type KubeObject, PODS } from '../../../src/kube/index.ts';
import { applyAll } from '../../install.ts';
import { seconds } from '../facts.ts';
import { type Chapter, NAMESPACE, type Progress, type Stage } from '../stage.ts';
import { isReady, REBALANCE_POLICIES } from '../wait.ts';

const POLICY = 'nightly';
/** Both live on desk; what is pinned there counts as load that stays. */
const LIBRARIES = ['code', 'analytics'] as const;
/** Beyond all ids that other chapters use. */
const FIRST_ID = 3_000_000;
/** How far the one cluster lies above the mean before a plan is asked for, in percent. */
const ENOUGH = 50;
const STALE = 'approve=0123456789abcdef';

export const rebalance: Chapter = {
  title: 'load on one cluster is seen, and a library moves by an approved plan',
  play: async (stage, progress) => {
    await watchClosely(stage);
    await createLoft(stage, progress);
    // Applications that know the gateway, and the key that their library had at first.
    for (const library of LIBRARIES) await stage.startLoad(library, { firstId: FIRST_ID, way: 'gateway' });
    try {
      const plan = await planOf(stage, progress);
      await execute(stage, plan, progress);
      await stage.endLoads('the move');
    } finally {
      // It has done its part: from here on it would only report.
      await changePolicy(stage, { spec: { suspend: true } });
    }
  },
};

/**
 * The policy of the examples, for a demonstration: nobody waits for an hour's mean, or for two in the morning. The
 * clusters of one tier, so that what the chapters before have left on others does not count.
 */
const watchClosely = (stage: Stage): Promise<unknown> => {
  const clusterSelector = { matchLabels: { tier: 'small' }, matchExpressions: null };
  const observe = { intervalSeconds: 5, windowMinutes: 1 };
  return changePolicy(stage, { spec: { clusterSelector, observe, windows: null } });
};

const changePolicy = ({ sandbox }: Stage, body: object): Promise<unknown> =>
  sandbox.admin.patch(REBALANCE_POLICIES, { namespace: NAMESPACE, name: POLICY }, body, { type: 'merge' });

/** As `kubectl annotate --overwrite` does. */
const say = (stage: Stage, verb: string): Promise<unknown> =>
  changePolicy(stage, { metadata: { annotations: { [ANNOTATIONS.plan]: verb } } });

/** An empty cluster, with a key of its own as every cluster has. */
async function createLoft(stage: Stage, progress: Progress): Promise<void> {
  const spec = { version: '1.18.3', size: 1, persistence: { size: '1Gi' } };
  const metadata = { name: 'loft', namespace: NAMESPACE, labels: { tier: 'small' } };
  const loft: KubeObject & { spec: object } = { apiVersion: API_VERSION, kind: 'QdrantCluster', metadata, spec };
  await applyAll(stage.sandbox.admin, [loft]);
  await stage.cluster('loft', { holds: isReady, what: 'Ready', timeoutSeconds: 30 });
  progress('another cluster is Ready, and empty');
}

type Plan = NonNullable<NonNullable<RebalancePolicy['status']>['plan']>;

async function planOf(stage: Stage, progress: Progress): Promise<Plan> {
  const { facts } = stage;
  const began = performance.now();
  await stage.policy(POLICY, {
    holds: ({ status }) => {
      const load = status?.load ?? [];
      const desk = load.find(({ cluster }) => cluster === 'desk');
      progress(load.map(({ cluster, requestsPerMinute = 0 }) => `${cluster}: ${requestsPerMinute}/min`).join(', '));
      return (desk?.imbalancePercent ?? 0) > ENOUGH && load.every(({ knownPercent = 0 }) => knownPercent >= 95);
    },
    what: 'aware of the load on desk',
    timeoutSeconds: 45,
  });
  await say(stage, 'refresh');
  const proposed = await stage.policy(POLICY, {
    holds: ({ status }) => status?.plan?.state === 'Proposed',
    what: 'showing a plan',
    timeoutSeconds: 30,
  });
  facts.note('load seen and a plan shown after', seconds(performance.now() - began));
  await say(stage, STALE);
  const refused = await stage.policy(POLICY, {
    holds: ({ status }) => findCondition(status?.conditions ?? [], 'VerbRefused')?.reason === 'DigestDiffers',
    what: 'refusing a stale approval',
    timeoutSeconds: 20,
  });
  const plan = refused.status?.plan ?? proposed.status?.plan;
  if (plan === undefined) throw new Error(`policy ${POLICY} shows no plan`);
  const { digest, moves, imbalanceBeforePercent = 0, imbalanceAfterPercent = 0, lowerBoundRatioPermille = 0 } = plan;
  const bound = (lowerBoundRatioPermille / 1000).toFixed(3);
  facts.check(
    `plan ${digest}: highest load above the mean`,
    `${imbalanceBeforePercent} % -> ${imbalanceAfterPercent} % by ${moves} moves, ${bound} times the bound`,
    imbalanceAfterPercent < imbalanceBeforePercent,
  );
  facts.check('an approval with another digest', 'refused', refused.status?.plan?.state === 'Proposed');
  return plan;
}

/** The operator and the worker are killed in the middle of the first move. */
async function execute(stage: Stage, plan: Plan, progress: Progress): Promise<void> {
  const began = performance.now();
  await say(stage, `approve=${plan.digest}`);
  const moving = await stage.policy(POLICY, {
    holds: ({ status }) => (status?.moves ?? []).length > 0,
    what: 'moving a library',
    timeoutSeconds: 20,
  });
  const library = moving.status?.moves?.[0]?.library ?? '';
  await stage.library(library, {
    holds: ({ status }) => status?.change?.step === 'Copying' || status?.change?.step === 'Converging',
    what: 'on its way',
    timeoutSeconds: 30,
  });
  const operator = stage.operatorProcess();
  if (operator !== undefined) stage.sandbox.agent.killPod(operator.namespace, operator.pod);
  await killWorkers(stage);
  progress(`${library} is on its way; operator and worker are killed`);
  const whole = stage.policy(POLICY, {
    holds: ({ status }) => {
      const [move] = status?.moves ?? [];
      if (move !== undefined) progress(`${move.library}: ${move.from} -> ${move.to}: ${move.step}`);
      return status?.plan?.state === 'Completed' || status?.plan?.state === 'Failed';
    },
    what: 'done with its plan',
    timeoutSeconds: 60,
  });
  const [done, freeze] = await Promise.all([whole, freezeOf(stage, library)]);
  const [past] = done.status?.history ?? [];
  tellEnd(stage, done, `${past?.moved ?? 0} of ${plan.moves} moves`, began);
  const moved = await stage.library(library, { holds: isReady, what: 'Ready', timeoutSeconds: 20 });
  tellHome(stage, moved);
  stage.facts.note(`${library}: writes held back for the move`, seconds(freeze));
  stage.moved = library;
}

/** For how long writes were held back, in milliseconds, as the library tells until its change is over. */
async function freezeOf(stage: Stage, name: string): Promise<number> {
  let freeze = 0;
  await stage.library(name, {
    holds: ({ status }) => {
      freeze = status?.change?.freezeMilliseconds ?? freeze;
      return status?.change === undefined;
    },
    what: 'done with its change',
    timeoutSeconds: 60,
  });
  return freeze;
}

function tellEnd(stage: Stage, { status }: RebalancePolicy, moves: string, began: number): void {
  const state = status?.plan?.state ?? 'gone';
  const took = seconds(performance.now() - began);
  stage.facts.check('the plan was executed', `${state}: ${moves} in ${took}`, state === 'Completed');
}

function tellHome(stage: Stage, { metadata, status }: DomainLibrary): void {
  const active = status?.generations?.find(({ state }) => state === 'Active');
  const home = status?.cluster ?? 'nothing';
  stage.facts.check(`${metadata.name} lives on`, home, home === 'loft' && active?.cluster === home);
}

async function killWorkers({ sandbox }: Stage): Promise<void> {
  const labelSelector = 'batch.kubernetes.io/job-name';
  for (const { metadata, status } of await sandbox.admin.listAll(PODS, { namespace: NAMESPACE, labelSelector }))
    if (status?.phase === 'Running') sandbox.agent.killPod(NAMESPACE, metadata.name);
}
