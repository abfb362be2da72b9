import { setTimeout as sleep } from 'node:timers/promises';
import { type ForwardAnswer, type ForwardMethod, isQdrantError, type QdrantError } from '../qdrant/index.ts';
import { type Body, namesItsPoints } from './body.ts';
import { GatewayError } from './errors.ts';
import { type FenceLook, Fences, lookAtFence } from './fences.ts';
import { fencedByMap, type Library } from './libraries.ts';
import type { GatewayMetrics } from './metrics.ts';
import type { Operation } from './operations.ts';
import type { Place, Places } from './places.ts';
import { decodedText, replay } from './replay.ts';
import type { Upstream } from './upstream.ts';

/** One request of a client to one library. */
export type Passing = {
  readonly library: Library;
  readonly operation: Operation;
  readonly method: ForwardMethod;
  /** Behind `/collections/{name}`, with the query. */
  readonly rest: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body;
  /** The client left, or the process ends. */
  readonly signal: AbortSignal;
  /** Milliseconds in which it is sent again while nobody answers, if not as for clients. */
  readonly retry?: number;
};

/** Milliseconds. */
export type Patience = {
  /** A write waits so long for the end of a change that doesn't tell how long it may take; 0: it never waits. */
  readonly hold: number;
  /** A request is sent again for so long while nobody answers. */
  readonly retry: number;
  /** Until the answer to one attempt begins. */
  readonly read: number;
  readonly write: number;
};

export type PassageDeps = {
  readonly upstream: Upstream;
  readonly places: Places;
  readonly metrics: GatewayMetrics;
  readonly patience: Patience;
  readonly stopping: AbortSignal;
  /** The library as it is known now; undefined once it is gone. */
  readonly current: (library: Library) => Library | undefined;
  /** The same, asked past the cache. */
  readonly ask: (library: Library) => Promise<Library | undefined>;
};

/** What an answer means. Bodies of those that are not passed on were read. */
type Verdict =
  | { readonly kind: 'pass'; readonly answer: ForwardAnswer }
  | {
      readonly kind: 'limited' | 'gone' | 'refused' | 'failed';
      readonly answer: ForwardAnswer;
      readonly bytes: Buffer;
    };

const MANY_FAILURES = 5;
/** So often a cluster may not know a library's name before that is believed. */
const GONE_LOOKS = 3;
const GONE_PAUSE = 120;
/** After writes were held back to the end names, status and binding follow, or the fence is lifted. */
const AFTER_FREEZE = 10_000;
/** So often a 429 may come without a fence to be seen, before it is taken for the user's own limit. */
const LIMITS = { calm: 2, changing: 20 };

/** Passes requests on: around peers that are down, after a library that moves, and past a fence once it opens. */
export class Passage {
  readonly #deps: PassageDeps;
  readonly #fences: Fences;

  constructor(deps: PassageDeps) {
    this.#deps = deps;
    this.#fences = new Fences(async (library, signal) => (await this.#look(library, signal)).state, deps.stopping);
  }

  /** @throws GatewayError; the client's own abort as it came */
  async pass(passing: Passing): Promise<ForwardAnswer> {
    const { patience } = this.#deps;
    const way = new Way(passing.retry === undefined ? patience : { ...patience, retry: passing.retry });
    if (passing.body.kind === 'stream' && passing.operation.kind === 'write') await this.#beforeStream(passing, way);
    for (;;) {
      passing.signal.throwIfAborted();
      const place = way.place ?? (await this.#home(passing.library));
      const verdict = await this.#attempt(passing, place, way);
      if (verdict.kind === 'pass') return verdict.answer;
      const again = await this.#again(passing, { verdict, place, way });
      if (!again) return replay(verdict);
    }
  }

  /** Whether the request is to be sent again; everything that must be waited for was. */
  async #again(passing: Passing, met: { verdict: Exclude<Verdict, { kind: 'pass' }>; place: Place; way: Way }) {
    const { verdict, place, way } = met;
    const once = passing.body.kind === 'stream';
    switch (verdict.kind) {
      case 'limited':
        return this.#limited(passing, way, once);
      case 'gone':
        return !once && (await this.#gone(passing, place, way));
      case 'refused': {
        const before = place.apiKey;
        const after = (await this.#home(passing.library, true)).apiKey;
        if (once || before === after || way.rekeyed) throw new GatewayError('ClusterRefusesKey');
        way.rekeyed = true;
        return true;
      }
      case 'failed': {
        way.failures += 1;
        if (once || way.failures >= MANY_FAILURES || way.retryLeft() <= 0) return false;
        await this.#rest(way, passing.signal);
        return true;
      }
    }
  }

  /** One attempt, at the next address; connections that can't be made are gone around. */
  async #attempt(passing: Passing, place: Place, way: Way): Promise<Verdict> {
    const { operation, method, rest, headers, body, signal, library } = passing;
    const mutating = operation.kind === 'write';
    for (;;) {
      const url = way.streamTo ?? place.urls[way.turn % Math.max(1, place.urls.length)];
      if (url === undefined) throw new GatewayError('ClusterUnreachable', place.cluster);
      try {
        const answer = await this.#deps.upstream.send(place, url, {
          method,
          path: `/collections/${encodeURIComponent(library.collection)}${rest}`,
          headers,
          body: body.kind === 'kept' ? body.bytes : body.stream,
          operation: operation.name,
          mutating,
          milliseconds: mutating ? this.#deps.patience.write : this.#deps.patience.read,
          signal,
        });
        const verdict = await judge(answer, operation);
        if (verdict.kind === 'failed' && mutating && !repeatable(operation, body))
          return { kind: 'pass', answer: replay(verdict) };
        if (verdict.kind === 'failed') way.turn += 1;
        return verdict;
      } catch (error) {
        if (!isQdrantError(error)) throw error;
        signal.throwIfAborted();
        await this.#unanswered(error, passing, { place, way });
      }
    }
  }

  async #unanswered(error: QdrantError, passing: Passing, { place, way }: { place: Place; way: Way }): Promise<void> {
    const { operation, body, library, signal } = passing;
    // A peer that hangs may carry a write out when it goes on: after a repeat, and after later writes.
    const late = error.code === 'Timeout' && operation.kind === 'write';
    if (late || (error.ambiguous && !repeatable(operation, body))) throw new GatewayError('MaybeApplied', error.code);
    if (body.kind === 'stream') throw new GatewayError('ClusterUnreachable', error.code, 1);
    way.turn += 1;
    if (way.retryLeft() <= 0) throw new GatewayError('ClusterUnreachable', `${place.cluster}: ${error.code}`, 1);
    if (way.turn % Math.max(1, place.urls.length) !== 0) return;
    // All addresses were tried: it may have moved away, or its peers come back.
    const other = operation.kind === 'read' ? await this.#deps.places.elsewhere(library) : undefined;
    if (other !== undefined) way.alternate(other);
    await this.#rest(way, signal);
  }

  async #rest(way: Way, signal: AbortSignal): Promise<void> {
    await sleep(way.nextPause(), undefined, { signal });
  }

  /** 429: a fence is waited for; a limit of the user's own is passed on. */
  async #limited(passing: Passing, way: Way, once: boolean): Promise<boolean> {
    const { library, operation, signal } = passing;
    if (operation.kind === 'read') return false;
    const { state } = await this.#look(library, signal);
    if (state === 'open') {
      way.calm += 1;
      const known = this.#deps.current(library) ?? library;
      if (way.calm >= (fencedByMap(known) ? LIMITS.changing : LIMITS.calm) || once) return false;
      await sleep(100, undefined, { signal });
      return true;
    }
    if (once) throw new GatewayError('FencedWhileSending', undefined, 1);
    await this.#hold(library, way, signal);
    return true;
  }

  async #hold(library: Library, way: Way, signal: AbortSignal): Promise<void> {
    const { held, heldSeconds } = this.#deps.metrics;
    const began = performance.now();
    held.inc();
    try {
      if (!(await this.#fences.opened(library, this.#holdLeft(library, way), signal)))
        throw new GatewayError('WritesHeldTooLong', undefined, 1);
      way.place = undefined;
    } finally {
      held.dec();
      heldSeconds.observe((performance.now() - began) / 1000);
    }
  }

  /** By the bound of the change that runs, where it is known. */
  #holdLeft(library: Library, way: Way): number {
    const { hold } = this.#deps.patience;
    // A change that has ended meanwhile tells nothing any more.
    way.bound = (this.#deps.current(library) ?? library).maxFreezeSeconds ?? way.bound;
    const most = hold === 0 || way.bound === undefined ? hold : way.bound * 1000 + AFTER_FREEZE;
    return most - way.spent();
  }

  /** A cluster that does not know the library's name: it moved, it is between two collections, or it is not made yet. */
  async #gone({ library, operation, signal }: Passing, place: Place, way: Way): Promise<boolean> {
    const now = await this.#deps.ask(library);
    if (now === undefined) return false;
    const home = await this.#home(now, true);
    const elsewhere = operation.kind === 'read' ? await this.#deps.places.elsewhere(now) : undefined;
    const moved = home.urls[0] !== place.urls[0];
    way.unknown += 1;
    // A binding that was read just before the library moved is read again a moment later.
    const calm = now.step === undefined && now.cluster === library.cluster;
    if (!moved && elsewhere === undefined && calm && way.unknown >= GONE_LOOKS) return false;
    if (this.#holdLeft(now, way) <= 0) {
      if (operation.kind === 'read') return false;
      throw new GatewayError('WritesHeldTooLong', undefined, 1);
    }
    if (moved || elsewhere === undefined) way.place = undefined;
    else way.alternate(elsewhere);
    if (!moved) await sleep(GONE_PAUSE, undefined, { signal });
    return true;
  }

  /** A body that can't be kept is not read before the library takes writes, and goes to an address that answers. */
  async #beforeStream({ library, signal }: Passing, way: Way): Promise<void> {
    let look = await this.#look(library, signal);
    if (look.state !== 'open') {
      await this.#hold(library, way, signal);
      look = await this.#look(library, signal);
    }
    way.streamTo = look.url;
  }

  async #look(library: Library, signal: AbortSignal): Promise<FenceLook> {
    const known = this.#deps.current(library) ?? library;
    const look = await lookAtFence(this.#deps.upstream, { library: known, place: await this.#home(known), signal });
    if (look.state !== 'away') return look;
    const asked = (await this.#deps.ask(library)) ?? known;
    const place = await this.#home(asked, true);
    return lookAtFence(this.#deps.upstream, { library: asked, place, signal });
  }

  async #home(library: Library, again = false): Promise<Place> {
    const known = this.#deps.current(library) ?? library;
    const binding = await this.#deps.places.binding(known, again);
    if (binding === undefined) throw new GatewayError('LibraryNotReady', undefined, 1);
    return this.#deps.places.home(known, binding);
  }
}

/** What one request went through so far. */
class Way {
  readonly #patience: Patience;
  readonly #began = performance.now();
  #pauses = 0;
  /** Which of a place's addresses is next. */
  turn = 0;
  failures = 0;
  calm = 0;
  unknown = 0;
  /** Longest time for which writes are held back, in seconds, as the library told it last. */
  bound: number | undefined;
  rekeyed = false;
  /** Not the library's home. */
  place: Place | undefined;
  streamTo: string | undefined;

  constructor(patience: Patience) {
    this.#patience = patience;
  }

  retryLeft = (): number => this.#patience.retry - (performance.now() - this.#began);
  spent = (): number => performance.now() - this.#began;

  /** The other place, or home again. */
  alternate(other: Place): void {
    this.place = this.place === undefined ? other : undefined;
    this.turn = 0;
  }

  nextPause(): number {
    this.#pauses += 1;
    return Math.min(500, 25 * 2 ** this.#pauses) * (0.5 + Math.random() / 2);
  }
}

const repeatable = ({ kind, repeat }: Operation, body: Body): boolean => {
  if (kind === 'read') return true;
  if (body.kind === 'stream' || repeat === 'never') return false;
  return repeat === 'always' || namesItsPoints(body.bytes);
};

/** Source: Qdrant answers `Not found: Collection \`c\` doesn't exist!`, and for a point `Point with id 1 does not exists!`. */
const NO_COLLECTION = /Collection [`'"]?[^`'"]*[`'"]? (?:doesn't|does not|not) /;

async function judge(answer: ForwardAnswer, operation: Operation): Promise<Verdict> {
  const { status } = answer;
  if (status < 400) return { kind: 'pass', answer };
  const kind = meaning(status);
  if (kind === undefined) return { kind: 'pass', answer };
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  const verdict = { answer, bytes };
  if (kind === 'gone' && !NO_COLLECTION.test(decodedText(verdict))) return { kind: 'pass', answer: replay(verdict) };
  if (kind === 'limited' && operation.kind === 'read') return { kind: 'pass', answer: replay(verdict) };
  return { kind, ...verdict };
}

function meaning(status: number): 'limited' | 'gone' | 'refused' | 'failed' | undefined {
  switch (status) {
    case 401:
    case 403:
      return 'refused';
    case 404:
      return 'gone';
    case 429:
      return 'limited';
    case 500:
    case 502:
    case 503:
    case 504:
      return 'failed';
    default:
      return undefined;
  }
}
