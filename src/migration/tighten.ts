import type { Timing } from './keeper.ts';
import { commonFence, type Probe, queued, restless, type Side } from './side.ts';

export type TightenOptions = {
  readonly side: Side;
  readonly nonce: string;
  readonly timing: Timing;
  readonly signal: AbortSignal;
  readonly pollMilliseconds: number;
  /** For using up the tokens. */
  readonly drainMilliseconds: number;
  /** For all of it. */
  readonly limitMilliseconds: number;
  /** How long a write that passed before may still be on its way; the second one where Qdrant doesn't tell its queue. */
  readonly settleMilliseconds: number;
  readonly blindSettleMilliseconds: number;
  /** Called at each look. */
  readonly touch: () => void;
};

export type Tightness =
  /** `passed`: of our own writes, which change nothing. */
  | { readonly kind: 'tight'; readonly rounds: number; readonly drainMilliseconds: number; readonly passed: number }
  /** Not every peer shows the fence any more. */
  | { readonly kind: 'lifted' }
  | { readonly kind: 'leaky' | 'queued'; readonly reason: string };

const MAX_ROUNDS = 40;

/** Why writes may still pass, going by one round; undefined when all of it was refused. */
export function leakOf({ passed, refused, unclear }: Probe): string | undefined {
  if (passed > 0) return `${passed} of ${passed + refused} writes passed`;
  return unclear === undefined ? undefined : `a write was not refused as it should be: ${unclear}`;
}

/**
 * Makes a fence tight: uses up the tokens with which every limiter starts, then waits until nothing that passed
 * before can be on its way.
 *
 * Tight is only what a whole round found refused while every replica was Active: others are not limited, and one that
 * comes back may bring a full limiter. With several replicas they do come and go: a write of a client that one replica
 * takes and another refuses has Qdrant mark the other one Dead and recover it (measured).
 */
export async function tighten(options: TightenOptions): Promise<Tightness> {
  const { side, nonce, timing, signal, pollMilliseconds } = options;
  const begun = timing.now();
  let rounds = 0;
  let passed = 0;
  let tightSince: number | undefined;
  let unrest = restless(await side.state());
  let reason = unrest;
  for (;;) {
    options.touch();
    const at = timing.now();
    const probe = tightSince === undefined && unrest === undefined ? await side.probeWrites(signal) : undefined;
    const state = await side.state();
    if (commonFence(state) !== nonce) return { kind: 'lifted' };
    unrest = restless(state);
    const leak = unrest ?? (probe === undefined ? undefined : leakOf(probe));
    reason = leak ?? reason;
    if (leak !== undefined) tightSince = undefined;
    else if (probe !== undefined) tightSince = at;
    if (probe !== undefined) rounds += 1;
    passed += probe?.passed ?? 0;
    if (tightSince === undefined && (rounds >= MAX_ROUNDS || timing.now() - begun > options.drainMilliseconds))
      return { kind: 'leaky', reason: `${reason ?? 'nothing is known of the limiters'}, after ${rounds} rounds` };
    // The next round shows at once whether that was all.
    if (probe !== undefined && probe.passed > 0) continue;
    const waiting = queued(state);
    const least = waiting === undefined ? options.blindSettleMilliseconds : options.settleMilliseconds;
    if (tightSince !== undefined && timing.now() - tightSince >= least && (waiting ?? 0) === 0)
      return { kind: 'tight', rounds, drainMilliseconds: Math.round(tightSince - begun), passed };
    if (timing.now() - begun > options.limitMilliseconds)
      return { kind: 'queued', reason: `${waiting ?? 0} writes are still queued` };
    await timing.sleep(Math.min(50, pollMilliseconds), signal);
  }
}
