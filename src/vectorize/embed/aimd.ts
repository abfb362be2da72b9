/** How many requests may run at a time: grows by one a round of successes, halves at a sign of overload. */
export type Window = {
  readonly size: number;
  /** Until the first overload it grows by one a success. */
  readonly slowStart: boolean;
  /** Counts the halvings: requests sent before the last one say nothing new. */
  readonly epoch: number;
};

export const firstWindow: Window = { size: 1, slowStart: true, epoch: 0 };

export function grown(window: Window, max: number): Window {
  const size = Math.min(max, window.size + (window.slowStart ? 1 : 1 / window.size));
  return { ...window, size };
}

export function halved(window: Window, sentInEpoch: number): Window {
  if (sentInEpoch < window.epoch) return window;
  return { size: Math.max(1, window.size / 2), slowStart: false, epoch: window.epoch + 1 };
}
