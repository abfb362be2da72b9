import { FIELD_MANAGERS } from '../api/index.ts';
import {
  CONFIG_MAPS,
  type Expectations,
  JOBS,
  KubeError,
  type ReconcileContext,
  ROLE_BINDINGS,
  ROLES,
  SERVICE_ACCOUNTS,
} from '../kube/index.ts';
import type { VectorizeDeps } from './deps.ts';
import { keyOfJob } from './gather.ts';
import { ownedBy } from './indexes.ts';
import { RUN_LABEL } from './names.ts';
import { runObjects } from './objects.ts';
import type { Step } from './plan.ts';
import type { World } from './world.ts';

export type Acting = {
  readonly deps: VectorizeDeps;
  readonly context: ReconcileContext;
  readonly expectations: Expectations;
  readonly world: World;
};

/** Carries out the steps of a plan, in order; the first that fails ends it. */
export async function act(acting: Acting, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    acting.context.signal.throwIfAborted();
    acting.context.assertLeading();
    await carryOut(acting, step);
    acting.context.log.info(
      step.kind === 'startWorker' ? { step: step.kind, run: step.run } : { step: step.kind },
      'step done',
    );
  }
}

async function carryOut(acting: Acting, step: Step): Promise<void> {
  switch (step.kind) {
    case 'startWorker':
      await removeEarlierRuns(acting, step.run);
      return startWorker(acting, step.run);
    case 'stopWorkers':
      return stopWorkers(acting, step.jobs);
  }
}

async function startWorker({ deps, context, expectations, world }: Acting, run: string): Promise<void> {
  const { kube, informers } = deps;
  const owner = keyOfJob(world.job);
  const objects = runObjects(world, run);
  const options = { fieldManager: FIELD_MANAGERS.objects, signal: context.signal };
  await kube.apply(SERVICE_ACCOUNTS, objects.account, options);
  await kube.apply(ROLES, objects.role, options);
  await kube.apply(ROLE_BINDINGS, objects.roleBinding, options);
  expectations.wrote(owner, informers.configMaps, await kube.apply(CONFIG_MAPS, objects.config, options));
  // The progress is the worker's once it exists.
  const progress = await unlessExists(() => kube.create(CONFIG_MAPS, objects.progress, options));
  if (progress !== undefined) expectations.wrote(owner, informers.configMaps, progress);
  const job = await unlessExists(() => kube.create(JOBS, objects.job, options));
  if (job !== undefined) expectations.wrote(owner, informers.jobs, job);
}

async function unlessExists<T>(create: () => Promise<T>): Promise<T | undefined> {
  try {
    return await create();
  } catch (error) {
    if (error instanceof KubeError && error.alreadyExists) return undefined;
    throw error;
  }
}

/** The Job of the last run stays until the next one begins, for whoever wants to read its log. */
async function removeEarlierRuns(acting: Acting, run: string): Promise<void> {
  const { deps, expectations, world } = acting;
  const { informers, kube } = deps;
  const isEarlier = ({ metadata }: { metadata: { labels?: Record<string, string> } }): boolean => {
    const label = metadata.labels?.[RUN_LABEL];
    return label !== undefined && label !== run;
  };
  const jobs = ownedBy(world.job, informers.jobs).filter(isEarlier);
  await stopWorkers(
    acting,
    jobs.map(({ metadata }) => metadata.name),
  );
  for (const map of ownedBy(world.job, informers.configMaps).filter(isEarlier)) {
    await kube.delete(CONFIG_MAPS, { namespace: keyOfJob(world.job).namespace, name: map.metadata.name });
    expectations.deleted(keyOfJob(world.job), informers.configMaps, map);
  }
}

/** In the foreground: the Job is there until its pods are gone, and nothing goes on before. */
async function stopWorkers({ deps, world }: Acting, jobs: readonly string[]): Promise<void> {
  const { namespace } = keyOfJob(world.job);
  for (const name of jobs) {
    const job = deps.informers.jobs.store.get({ namespace, name });
    if (job === undefined || job.metadata.deletionTimestamp !== undefined) continue;
    const { uid } = job.metadata;
    await deps.kube.delete(
      JOBS,
      { namespace, name },
      { propagationPolicy: 'Foreground', ...(uid === undefined ? {} : { uid }) },
    );
  }
}
