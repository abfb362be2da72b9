/**
 * Runs `lane` so many times at once, each to its end: when one fails the others are stopped, and waited for. What one
 * of them still writes must not meet whoever goes on.
 *
 * @throws what failed first
 */
export async function inLanes<T extends { readonly lanes: number; readonly signal: AbortSignal }>(
  options: T,
  lane: (options: T) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const inner = { ...options, signal: AbortSignal.any([options.signal, failed.signal]) };
  const lanes = Array.from({ length: options.lanes }, () => lane(inner));
  for (const running of lanes) running.catch((error: unknown) => failed.abort(error));
  await Promise.allSettled(lanes);
  if (failed.signal.aborted) throw failed.signal.reason;
}
