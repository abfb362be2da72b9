import { setTimeout as sleep } from 'node:timers/promises';
import { parseMark } from '../migration/index.ts';
import type { Library } from './libraries.ts';
import type { Place } from './places.ts';
import type { Upstream } from './upstream.ts';

/** What the cluster itself says of a library; `away`: it doesn't know its name, or nobody answers. */
export type FenceState = 'open' | 'fenced' | 'away';
export type FenceLook = { readonly state: FenceState /** Address that answered. */; readonly url: string | undefined };

const LOOK_MILLISECONDS = 5000;

/** Whether writes to a library are held back, as the collection behind its name says. */
export async function lookAtFence(
  upstream: Upstream,
  { library, place, signal }: { readonly library: Library; readonly place: Place; readonly signal: AbortSignal },
): Promise<FenceLook> {
  try {
    const { status, body, url } = await upstream.ask(place, {
      method: 'GET',
      path: `/collections/${encodeURIComponent(library.collection)}`,
      headers: {},
      body: null,
      operation: 'fence',
      mutating: false,
      milliseconds: LOOK_MILLISECONDS,
      signal,
    });
    if (status !== 200) return { state: 'away', url };
    const { result } = body as { result?: { config?: { metadata?: unknown } } };
    return { state: parseMark(result?.config?.metadata)?.fence === undefined ? 'open' : 'fenced', url };
  } catch {
    return { state: 'away', url: undefined };
  }
}

const POLL_MILLISECONDS = 50;

/** Lets all writes that wait for one library share one look at it. */
export class Fences {
  readonly #waiting = new Map<string, Promise<void>>();
  readonly #look: (library: Library, signal: AbortSignal) => Promise<FenceState>;
  readonly #stopping: AbortSignal;

  /** @param look at where the library is now */
  constructor(look: (library: Library, signal: AbortSignal) => Promise<FenceState>, stopping: AbortSignal) {
    this.#look = look;
    this.#stopping = stopping;
  }

  /** Resolves true once writes are let through, false when the time is over. Rejects when the signal aborts. */
  async opened(library: Library, milliseconds: number, signal: AbortSignal): Promise<boolean> {
    const ending = new AbortController();
    const late = sleep(Math.max(0, milliseconds), false, { signal: AbortSignal.any([ending.signal, signal]) });
    try {
      return await Promise.race([this.#open(library).then(() => true), late]);
    } finally {
      ending.abort();
      late.catch(() => undefined);
    }
  }

  #open(library: Library): Promise<void> {
    const running = this.#waiting.get(library.uid);
    if (running !== undefined) return running;
    const waiting = this.#poll(library).finally(() => this.#waiting.delete(library.uid));
    this.#waiting.set(library.uid, waiting);
    waiting.catch(() => undefined);
    return waiting;
  }

  async #poll(library: Library): Promise<void> {
    // A fence holds for a minute at most; whoever waited gave up long before this does.
    const end = performance.now() + 120_000;
    while (performance.now() < end) {
      if ((await this.#look(library, this.#stopping)) === 'open') return;
      await sleep(POLL_MILLISECONDS, undefined, { signal: this.#stopping });
    }
  }
}
