/** A time limit joined with a caller's signal. */
export type Deadline = {
  readonly signal: AbortSignal;
  readonly expired: () => boolean;
  /** The time starts anew, for limits on silence; with other milliseconds when given. */
  readonly extend: (milliseconds?: number) => void;
  /** No time passes until the next `extend`. */
  readonly pause: () => void;
  /** The end: neither the time nor the caller's signal counts any more. */
  readonly clear: () => void;
};

export function startDeadline(limit: number, outer: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  let expired = false;
  let cleared = false;
  const expire = (): void => {
    expired = true;
    controller.abort();
  };
  let timer = setTimeout(expire, limit);
  const follow = (): void => controller.abort();
  if (outer?.aborted === true) controller.abort();
  else outer?.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    expired: () => expired,
    extend: (milliseconds = limit) => {
      clearTimeout(timer);
      // A stream may still pass a chunk on after its request has ended.
      if (!cleared) timer = setTimeout(expire, milliseconds);
    },
    pause: () => clearTimeout(timer),
    clear: () => {
      cleared = true;
      clearTimeout(timer);
      outer?.removeEventListener('abort', follow);
    },
  };
}
