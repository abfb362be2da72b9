import type { Logger } from './log.ts';

/** For each; sending the last traces takes five seconds at most. */
const PATIENCE_MILLISECONDS = 5500;

/**
 * Closes what a worker has opened, the last first. What it was started for is written down by then: nothing that still
 * runs is worth waiting for, so what does not close in time is told of and left.
 */
export async function closeAll(
  closing: readonly (() => unknown)[],
  log: Logger,
  patienceMilliseconds = PATIENCE_MILLISECONDS,
): Promise<void> {
  for (const close of closing.toReversed()) {
    const { promise: over, resolve } = Promise.withResolvers<'late'>();
    const timer = setTimeout(() => resolve('late'), patienceMilliseconds);
    try {
      if ((await Promise.race([close(), over])) === 'late') log.warn('a connection does not close, and is left');
    } catch (error) {
      log.warn({ err: error }, 'a connection can not be closed');
    } finally {
      clearTimeout(timer);
    }
  }
}
