import { setTimeout as sleep } from 'node:timers/promises';
import { libraryAccess } from '../../../sandbox/load/library-access.ts';
import { CONFIG_MAPS, type ConfigMap } from '../../../src/kube/index.ts';
import {
  parseVectorizeProgress,
  VECTORIZE_PROGRESS_KEY,
  type VectorizeProgress,
} from '../../../src/vectorize/progress.ts';
import type { OutsideEmbedder } from '../../ground.ts';
import { SCENARIO_SECONDS } from '../patience.ts';
import type { Stage } from '../stage.ts';
import { pages, TEXT_DIMENSIONS, Vectorizing } from '../vectorizing.ts';
import { KeptPoints } from './kept-points.ts';
import type { Outcome, Struck } from './round.ts';
import { RUN_STATES, type RunCell, type RunPlan, type RunState, toldOfRun } from './run-plan.ts';
import { killOperator, killPeer, killWorker, refuseByApi } from './strike.ts';
import { inTime, Watched } from './watched.ts';

const PEERS = 2;
const MOST_SECONDS = SCENARIO_SECONDS * 0.6;
/** So that a run has a middle. */
const EMBEDDING = { dimensions: TEXT_DIMENSIONS, latencyMilliseconds: 80 };
const EMBEDDER_AWAY_MILLISECONDS = 1500;

export type RunOutcome = Outcome<RunPlan, RunCell>;

type Running = {
  readonly stage: Stage;
  readonly vectorizing: Vectorizing;
  readonly embedder: OutsideEmbedder;
  /** Always the same peer is killed, so that what is replicated can always be read. */
  readonly mortal: number;
  readonly progress: Watched<ConfigMap>;
  /** One after the other: each stops and starts it. */
  killingEmbedder: Promise<void>;
};

/** Plays second runs of VectorizationJobs beside each other, with one embedder. What is struck for one hits all. */
export async function playRuns(stage: Stage, plans: readonly RunPlan[]): Promise<readonly RunOutcome[]> {
  const embedder = stage.ground.outsideEmbedder();
  stage.defer(() => embedder.stop());
  await embedder.start(EMBEDDING);
  await stage.createCluster('desk', { size: PEERS });
  await stage.clusterReady('desk', PEERS);
  const progress = new Watched<ConfigMap>(stage, CONFIG_MAPS);
  stage.defer(() => progress.stop());
  const mortal = (plans[0]?.seed ?? 0) % PEERS;
  const vectorizing = new Vectorizing(stage, embedder);
  const running = { stage, vectorizing, embedder, mortal, progress, killingEmbedder: Promise.resolve() };
  await Promise.all(plans.map((plan) => firstRun(running, plan)));
  const outcomes = await Promise.all(plans.map((plan) => played(running, plan)));
  await stage.clusterReady('desk', PEERS);
  return outcomes;
}

const nameOf = ({ seed }: RunPlan): string => `seed-${seed}`;

async function firstRun({ stage, vectorizing }: Running, plan: RunPlan): Promise<void> {
  const name = nameOf(plan);
  const { shards, replicationFactor, batchSize, documents } = plan;
  await stage.createLibrary(name, 'desk', {
    vectors: [{ name: '', size: TEXT_DIMENSIONS, distance: 'Cosine' }],
    shards: { number: shards, replicationFactor },
  });
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: stage.key(name), data: pages(documents, name) };
  await stage.admin.create(CONFIG_MAPS, map as ConfigMap);
  await stage.libraryReady(name);
  await vectorizing.create(name, {
    source: { configMap: { name } },
    target: { libraryRef: { name } },
    embedder: { batchSize, maxConcurrency: 1 },
    // More of them change than one should let go by itself.
    deletionGuardPercent: 100,
    // A check that asks the embedder, so that it takes a while.
    gates: { minSelfRecallPercent: 1 },
  });
  await vectorizing.succeeded(name);
}

async function played(running: Running, plan: RunPlan): Promise<RunOutcome> {
  const { stage, vectorizing, progress } = running;
  const name = nameOf(plan);
  const struck: Struck<RunCell>[] = [];
  const wrong: string[] = [];
  const { client, collection } = await libraryAccess(stage.admin, { namespace: stage.namespace, library: name });
  stage.defer(() => client.close());
  const wanted = secondDocuments(plan, name);
  const kept = await KeptPoints.begin({ client, collection, documents: unchanged(plan, name) });
  const first = progressIn(progress.now(`${name}-vec-progress`))?.run;
  const shown = (map: ConfigMap | undefined): RunState | undefined => {
    const found = progressIn(map);
    if (found === undefined || found.run === first || found.step === 'Switching') return undefined;
    return found.result === undefined ? found.step : 'Ended';
  };
  const striking = plan.faults.map(async (fault) => {
    const state = await progress.reaches(`${name}-vec-progress`, fault.state, { order: RUN_STATES, shown });
    await sleep(fault.afterMilliseconds);
    const now = (): RunState | undefined => shown(progress.now(`${name}-vec-progress`));
    if (await strike(running, plan, { victim: fault.victim, isOver: () => now() === 'Ended' }))
      struck.push({ victim: fault.victim, state, shownThen: now() ?? '' });
  });
  const began = performance.now();
  try {
    stage.diary.note('step', toldOfRun(plan));
    await stage.admin.patch(CONFIG_MAPS, stage.key(name), { data: patched(plan, name, wanted) }, { type: 'merge' });
    const run = { metadata: { annotations: { 'qdrant-librarian.io/run': 'second' } } };
    await vectorizing.change(name, run);
    const ends = async (): Promise<void> => {
      await Promise.all(striking);
      for (;;) {
        const { status } = await vectorizing.job(name);
        const isDone = status?.lastHandled?.['run'] === 'second' && status.progress === undefined;
        if (isDone && status.lastRun?.result === 'Succeeded') return;
        await sleep(200);
      }
    };
    await inTime(MOST_SECONDS, ends(), () => `it is at ${shown(progress.now(`${name}-vec-progress`))}`);
  } catch (error) {
    wrong.push(String(error));
  }
  const seconds = (performance.now() - began) / 1000;
  const { reads, missed, failed } = await kept.stop();
  if (missed.length > 0) wrong.push(`points that were away or others: ${JSON.stringify(missed.slice(0, 5))}`);
  if (failed.length > 0) wrong.push(`reads that failed: ${failed.length}: ${failed.slice(0, 3).join('; ')}`);
  wrong.push(...(await differences(vectorizing, name, wanted)));
  return { plan, struck, did: `${toldOfRun(plan)}; ${reads} reads`, seconds, wrong };
}

const progressIn = (map: ConfigMap | undefined): VectorizeProgress | undefined =>
  parseVectorizeProgress(map?.data?.[VECTORIZE_PROGRESS_KEY]);

/** Documents that stay as they are. */
const unchanged = ({ documents, changed, gone }: RunPlan, name: string): readonly string[] =>
  Object.keys(pages(documents, name)).slice(changed + gone);

/** Of the second run: the first ones are others, those after them are gone, new ones come last. */
function secondDocuments(plan: RunPlan, name: string): Readonly<Record<string, string>> {
  const all = Object.entries(pages(plan.documents, name));
  const { changed, gone, added } = plan;
  return Object.fromEntries([
    ...all.slice(0, changed).map(([path], index) => [path, `# other ${index}\n\nAnother text on ${path}.\n`]),
    ...all.slice(changed + gone),
    ...Object.entries(pages(added, `${name}-new`)),
  ]);
}

const patched = ({ documents }: RunPlan, name: string, wanted: Readonly<Record<string, string>>) => ({
  ...Object.fromEntries(Object.keys(pages(documents, name)).map((path) => [path, null])),
  ...wanted,
});

/** Exactly the chunks of the documents, each once: every document has one. */
async function differences(
  vectorizing: Vectorizing,
  name: string,
  wanted: Readonly<Record<string, string>>,
): Promise<string[]> {
  const stored = await vectorizing.stored(name);
  const documents = new Set(stored.map(({ document }) => document));
  const missing = Object.keys(wanted).filter((path) => !documents.has(path));
  const left = [...documents].filter((path) => !(path in wanted));
  const old = stored.filter(
    ({ document, text }) => (wanted[document] ?? '').includes('Another') !== text.includes('Another'),
  );
  return [
    ...(missing.length > 0 ? [`missing: ${missing.join(', ')}`] : []),
    ...(left.length > 0 ? [`left over: ${left.join(', ')}`] : []),
    ...(old.length > 0 ? [`not the present text: ${old.map(({ document }) => document).join(', ')}`] : []),
    ...(stored.length === documents.size ? [] : [`${stored.length} points of ${documents.size} documents`]),
  ];
}

/** @returns false when there was nobody (any more) to strike */
async function strike(
  running: Running,
  plan: RunPlan,
  { victim, isOver }: Pick<RunCell, 'victim'> & { readonly isOver: () => boolean },
): Promise<boolean> {
  const { stage, mortal } = running;
  const name = nameOf(plan);
  switch (victim) {
    case 'worker':
      return killWorker(stage, new RegExp(`^${name}-vec-[0-9a-f]{8}$`), isOver);
    case 'operator':
      await killOperator(stage);
      break;
    case 'embedder':
      if (isOver()) return false;
      running.killingEmbedder = running.killingEmbedder.then(() => killEmbedder(running));
      await running.killingEmbedder;
      break;
    case 'peer':
      await killPeer(stage, `desk-${mortal}`);
      break;
    case 'API server':
      refuseByApi(stage, [stage.ground.operator.user, `system:serviceaccount:${stage.namespace}:${name}-vec`]);
  }
  return true;
}

async function killEmbedder({ embedder }: Running): Promise<void> {
  await embedder.stop();
  await sleep(EMBEDDER_AWAY_MILLISECONDS);
  await embedder.start(EMBEDDING);
}
