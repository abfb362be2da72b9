import { Worker } from 'node:worker_threads';
import type { Prediction, SeriesAhead } from '../outlook.ts';
import type { Plan } from '../plan/plan.ts';
import type { Problem } from '../plan/problem.ts';
import type { Task } from './thread.ts';

/** Largest heap of the thread, in MiB: a plan of 1000 libraries takes a tenth. */
const HEAP = 128;

/**
 * Arithmetic of up to a second of a core, in a thread of its own: a planner that held up the event loop would hold up
 * the renewal of the leader's Lease and every other controller. A thread ends with its task, and with the signal.
 */
export type Workings = {
  plan(problem: Problem, now: number, signal: AbortSignal): Promise<Plan>;
  outlook(series: readonly SeriesAhead[], signal: AbortSignal): Promise<readonly Prediction[]>;
};

export const threads: Workings = {
  plan: (problem, now, signal) => inThread<Plan>({ kind: 'plan', problem, now }, signal),
  outlook: (series, signal) => inThread<readonly Prediction[]>({ kind: 'outlook', series }, signal),
};

async function inThread<T>(task: Task, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return await new Promise<T>((resolve, reject) => {
    const worker = new Worker(new URL('./thread.ts', import.meta.url), {
      workerData: task,
      resourceLimits: { maxOldGenerationSizeMb: HEAP },
    });
    const abort = (): void => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('the pass was ended'));
      void worker.terminate();
    };
    signal.addEventListener('abort', abort, { once: true });
    worker.once('message', (result: T) => resolve(result));
    worker.once('error', reject);
    worker.once('exit', (code) => {
      signal.removeEventListener('abort', abort);
      reject(new Error(`the thread ended with code ${code} and no result`));
    });
  });
}
