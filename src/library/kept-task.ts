import { systemClock } from '../kube/index.ts';
import { continued, type Held, type Holder, Keeper, type ProgressStore, type WorkerFrame } from '../migration/index.ts';
import { isQdrantError } from '../qdrant/index.ts';

type Failure = { readonly reason: string; readonly message: string };
/** What every task of a library tells of itself. */
type Told = Held & { readonly change: string; readonly failure?: Failure };

export type KeptTask<P extends Told> = Pick<WorkerFrame, 'log' | 'identity'> & {
  readonly signal: AbortSignal;
  readonly store: ProgressStore<P>;
  /** Progress of another change is begun anew. */
  readonly config: { readonly change: string; readonly leaseSeconds: number };
  readonly fresh: (change: string, holder: Holder) => P;
  readonly failureOf: (error: unknown) => NonNullable<P['failure']>;
};

/** Carries out a task whose progress only one process at a time keeps; what ends it is told there. */
export async function inKeptTask<P extends Told>(
  { signal, log, config, fresh, failureOf, ...options }: KeptTask<P>,
  task: (keeper: Keeper<P>) => Promise<void>,
): Promise<void> {
  const keeper = await Keeper.takeOver<P>({
    ...options,
    begin: continued(config.change, fresh),
    timing: systemClock,
    log,
    signal,
    leaseMilliseconds: config.leaseSeconds * 1000,
  });
  try {
    await task(keeper);
  } catch (error) {
    if (!signal.aborted && !keeper.lost.aborted) {
      keeper.update({ failure: failureOf(error) } as Partial<P>);
      await keeper.save().catch((failure: unknown) => log.warn({ err: failure }, 'progress can not be saved'));
    }
    throw error;
  } finally {
    await keeper.release().catch((error: unknown) => log.warn({ err: error }, 'progress can not be released'));
  }
}

/** An error in the words of a condition. */
export const failureOf = (error: unknown): Failure => ({
  reason: reasonOf(error),
  message: (error instanceof Error ? error.message : 'unknown failure').slice(0, 1024),
});

function reasonOf(error: unknown): string {
  if (!isQdrantError(error)) return 'TaskFailed';
  if (error.code === 'Unauthorized' || error.code === 'Forbidden') return 'Unauthorized';
  return error.status === 0 ? 'Unreachable' : 'QdrantFailed';
}
