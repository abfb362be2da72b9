import type {
  VectorizationJob,
  VectorizationProgress,
  VectorizationQuality,
  VectorizationRun,
} from '../../api/index.ts';
import type { Occurrence } from '../../kube/index.ts';
import { objectNames } from '../names.ts';
import { type Plan, timestamp } from '../plan.ts';
import type { Quality, RunResult, VectorizeProgress } from '../progress.ts';
import type { Reason } from '../reasons.ts';
import type { World } from '../world.ts';
import { repeats } from './due.ts';
import { reasonOf } from './standing.ts';

/** How a run ended: by the worker's word, or without one. */
export type End = Pick<RunResult, 'result' | 'message' | 'revision' | 'again'> & {
  readonly reason?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly finishedAt: number;
};

type Identity = Pick<VectorizationRun, 'run' | 'cause' | 'request' | 'specDigest' | 'inputs' | 'secrets'>;

/** What tells a run from others, and what it is for. */
export const identityOf = ({ run, cause, request, specDigest, inputs, secrets }: Identity): Identity => ({
  ...(run === undefined ? {} : { run }),
  ...(cause === undefined ? {} : { cause }),
  ...(request === undefined ? {} : { request }),
  ...(specDigest === undefined ? {} : { specDigest }),
  ...(inputs === undefined ? {} : { inputs }),
  ...(secrets === undefined ? {} : { secrets }),
});

/** The run is over: it becomes the last one, in the same write that ends it. */
export function runEnded(world: World, run: VectorizationProgress, end: End): Plan {
  const { job, progress } = world;
  const told = progress?.run === run.run ? progress : undefined;
  const before = job.status?.lastRun;
  const earlier = before?.specDigest === run.specDigest ? (before?.failures ?? 0) : 0;
  const { result, reason, message, revision, again = false } = end;
  const failed = repeats({ result, again, ...(reason === undefined ? {} : { reason }) });
  const lastRun: VectorizationRun = {
    ...identityOf(run),
    startedAt: run.startedAt,
    finishedAt: timestamp(end.finishedAt),
    result,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    ...(again ? { again } : {}),
    ...(failed ? { failures: earlier + 1 } : {}),
    ...(revision === undefined ? {} : { revision }),
    ...(told?.counts ?? {}),
    ...costOf(job, told),
  };
  return {
    steps: [],
    status: { progress: null, lastRun, ...qualityOf(job.metadata.name, told) },
    events: [eventOf(lastRun)],
    waiting: { reason: 'Starting', message: 'looks what comes next', seconds: 0.05 },
  };
}

const DECIMALS = 6;

/** What the tokens of a run cost, by the price in the spec. */
export function costOf(
  { spec }: Pick<VectorizationJob, 'spec'>,
  told: VectorizeProgress | undefined,
): Pick<VectorizationRun, 'cost'> {
  const price = spec.budget?.pricePerMillionTokens;
  if (price === undefined || told === undefined) return {};
  const cost = (told.counts.tokens * Number(price)) / 1_000_000;
  return { cost: cost.toFixed(DECIMALS).replace(/\.?0+$/, '') };
}

export const countsText = ({ documents = 0, chunks = 0, embedded = 0, reused = 0, deleted = 0 }: Counted): string =>
  `${chunks} chunks of ${documents} documents: ${embedded} embedded, ${reused} reused, ${deleted} points deleted`;

type Counted = Pick<VectorizationRun, 'documents' | 'chunks' | 'embedded' | 'reused' | 'deleted'>;

function eventOf(run: VectorizationRun): Occurrence<Reason> {
  if (run.result === 'Succeeded') {
    return { type: 'Normal', reason: 'RunSucceeded', action: 'Vectorize', note: countsText(run) };
  }
  const note = `${run.result}: ${run.message ?? run.reason ?? ''}; ${countsText(run)}`;
  return { type: 'Warning', reason: reasonOf(run), action: 'Vectorize', note };
}

/** What the worker found, for the status. */
export function qualityOf(
  job: string,
  progress: VectorizeProgress | undefined,
): { readonly quality?: VectorizationQuality } {
  const quality: Quality | undefined = progress?.quality;
  if (quality === undefined) return {};
  const { checkedAt, gates, orphans, missing, duplicates } = quality;
  const passed = gates.filter((gate) => gate.passed).length;
  const report = objectNames(job).progress;
  return {
    quality: {
      checkedAt: timestamp(checkedAt),
      passed,
      failed: gates.length - passed,
      orphans,
      missing,
      duplicates,
      report,
    },
  };
}
