import { parentPort, workerData } from 'node:worker_threads';
import { look, type SeriesAhead } from '../outlook.ts';
import { makePlan } from '../plan/plan.ts';
import type { Problem } from '../plan/problem.ts';

/** What is worked out beside the event loop. */
export type Task =
  | { readonly kind: 'plan'; readonly problem: Problem; readonly now: number }
  | { readonly kind: 'outlook'; readonly series: readonly SeriesAhead[] };

const task = workerData as Task;
parentPort?.postMessage(task.kind === 'plan' ? makePlan(task.problem, { now: task.now }) : look(task.series));
