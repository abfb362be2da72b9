import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../telemetry/index.ts';
import {
  type Distance,
  drawn,
  isComplete,
  type Matrix,
  pick,
  randomNumbers,
  type Sketch,
  sketchOf,
  widened,
} from '../../vectors/index.ts';
import type { Library } from '../libraries.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { Asking } from './asking.ts';
import { calibrate, type Margin } from './calibrate.ts';
import type { Facts } from './facts.ts';

/** What is known of a library for routing. */
export type Known = {
  readonly facts: Facts;
  readonly using: string;
  /** Milliseconds since the epoch, when the sketch was drawn. */
  readonly at: number;
  readonly generation: number | undefined;
  readonly sketch: Sketch;
  /** Some of its points, for calibration. */
  readonly sample: Matrix;
  /** Whether every point was seen, and none was written since, as far as this process knows. */
  readonly whole: boolean;
  /** Whether so many points came or went since that nothing should be left out by it. */
  readonly drifted: boolean;
};

export type SketchLimits = {
  /** Between two rounds over all libraries. */
  readonly roundMilliseconds: number;
  /** A sketch is drawn anew after so long, */
  readonly maxAgeMilliseconds: number;
  /** or when so large a share of the points has come or gone. */
  readonly drift: number;
  /** At least so long after the last time: reading it costs its cluster. Five times as long while it still grows. */
  readonly restMilliseconds: number;
  /** Libraries of so many points are seen in full, larger ones by a sample. */
  readonly wholePoints: number;
  readonly samplePoints: number;
  readonly cells: number;
  /** Share of the true neighbours that routing must find. */
  readonly target: number;
};

export const SKETCH_LIMITS: SketchLimits = {
  roundMilliseconds: 15_000,
  maxAgeMilliseconds: 15 * 60_000,
  drift: 0.05,
  restMilliseconds: 60_000,
  wholePoints: 5000,
  samplePoints: 2000,
  cells: 64,
  target: 0.98,
};

export type SketchesDeps = {
  readonly asking: Asking;
  readonly libraries: () => readonly Library[];
  /** Vector that is searched where none is named, and whose vectors can be compared with which others'. */
  readonly vectorOf: (library: Library, facts: Facts) => { readonly using: string; readonly space: string } | undefined;
  readonly limits: SketchLimits;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
  readonly now: () => number;
};

/** Points kept of each library, and of all together. */
const KEPT = { each: 256, all: 16_384 };

/** Draws sketches of all libraries in the background, one after the other, and again as points change. */
export class Sketches {
  readonly #deps: SketchesDeps;
  readonly #known = new Map<string, Known>();
  readonly #written = new Map<string, number>();
  #margins = new Map<string, Margin | undefined>();
  #firstRound = false;

  constructor(deps: SketchesDeps) {
    this.#deps = deps;
  }

  /** Whether every library was looked at once. */
  get warm(): boolean {
    return this.#firstRound;
  }

  /** undefined while nothing is known, or what is known is of another generation. */
  of(library: Library): Known | undefined {
    const known = this.#known.get(library.uid);
    if (known === undefined || known.generation !== library.generation) return undefined;
    const written = this.#written.get(library.uid) ?? 0;
    return written >= known.at ? { ...known, whole: false } : known;
  }

  /** How far below the best library's score one of this space must be asked. */
  margin(space: string): Margin | undefined {
    return this.#margins.get(space);
  }

  /** A client writes to the library: what was seen of it is not all any more. */
  wrote({ uid }: Library): void {
    this.#written.set(uid, this.#deps.now());
  }

  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        await this.round(signal).catch((error: unknown) => {
          signal.throwIfAborted();
          this.#deps.log.warn({ err: error }, 'a round of sketches failed');
        });
        await sleep(this.#deps.limits.roundMilliseconds, undefined, { signal });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Looks at every library once. */
  async round(signal: AbortSignal): Promise<void> {
    const libraries = this.#deps.libraries();
    let drew = this.#forget(libraries);
    for (const library of libraries) {
      signal.throwIfAborted();
      try {
        drew = (await this.#look(library, signal)) || drew;
      } catch (error) {
        signal.throwIfAborted();
        const { code } = error as { code?: unknown };
        this.#deps.log.debug(
          { library: library.collection, namespace: library.key.namespace, code },
          'no sketch drawn',
        );
      }
    }
    if (drew) await this.#calibrate(libraries, signal);
    this.#firstRound = true;
    const fresh = libraries.filter((library) => this.of(library) !== undefined).length;
    this.#deps.metrics.sketches.set({ state: 'drawn' }, fresh);
    this.#deps.metrics.sketches.set({ state: 'missing' }, libraries.length - fresh);
  }

  /** @returns whether a sketch was drawn */
  async #look(library: Library, signal: AbortSignal): Promise<boolean> {
    if (library.binding === undefined) return false;
    const { asking, vectorOf, now } = this.#deps;
    const at = now();
    const facts = await asking.facts(library, signal);
    const vector = vectorOf(library, facts);
    const shape = vector === undefined ? undefined : facts.vectors.get(vector.using);
    if (vector === undefined || shape === undefined || facts.points === 0) return this.#known.delete(library.uid);
    const known = this.of(library);
    if (known !== undefined && known.using === vector.using && !this.#outdated(known, facts, at)) {
      const drifted = driftedBy(known.sketch, facts.points, this.#deps.limits.drift);
      const whole = known.whole && known.facts.points === facts.points;
      this.#known.set(library.uid, { ...known, facts, whole, drifted });
      return false;
    }
    const drawing = { library, using: vector.using, distance: shape.distance, points: facts.points };
    const { sketch, sample } = await this.#draw(drawing, signal);
    const whole = isComplete(sketch) && sketch.population >= facts.points;
    const { generation } = library;
    this.#known.set(library.uid, { facts, using: vector.using, at, generation, sketch, sample, whole, drifted: false });
    return true;
  }

  #outdated({ at, facts: before, whole, sketch }: Known, { points }: Facts, now: number): boolean {
    const { maxAgeMilliseconds, drift, restMilliseconds, wholePoints } = this.#deps.limits;
    const age = now - at;
    if (age > maxAgeMilliseconds) return true;
    if (age < restMilliseconds) return false;
    const rests = points === before.points;
    // What is drawn of a library that still grows is soon of no use; until then it is asked in any case.
    if (driftedBy(sketch, points, drift)) return rests || age >= RESTS_WHILE_GROWING * restMilliseconds;
    // A small library is soon seen again: then it can be proved again that nothing of it was missed.
    return points <= wholePoints && !whole && rests;
  }

  async #draw(
    { library, using, distance, points }: { library: Library; using: string; distance: Distance; points: number },
    signal: AbortSignal,
  ): Promise<{ sketch: Sketch; sample: Matrix }> {
    const { asking, limits } = this.#deps;
    const { cells, samplePoints, wholePoints } = limits;
    if (points > wholePoints) {
      const sample = await asking.sample(library, using, samplePoints, signal);
      const sketch = await sketchOf(sample, {
        distance,
        cells,
        seed: SEED,
        population: Math.max(points, sample.rows),
        signal,
      });
      return { sketch, sample: this.#kept(sample) };
    }
    // Centres from the first page that is large enough would follow the order of ids: a random sample doesn't.
    const sample = await asking.sample(library, using, Math.min(points, samplePoints), signal);
    const centres = await sketchOf(sample, { distance, cells, seed: SEED, signal });
    let sketch: Sketch = {
      ...centres,
      counts: centres.counts.map(() => 0),
      radii: centres.radii.map(() => 0),
      seen: 0,
      blank: 0,
      population: 0,
    };
    for await (const page of asking.all(library, using, signal)) sketch = await widened(sketch, page, signal);
    return { sketch: { ...sketch, population: Math.max(points, sketch.seen) }, sample: this.#kept(sample) };
  }

  #kept(sample: Matrix): Matrix {
    const most = Math.min(KEPT.each, Math.floor(KEPT.all / Math.max(1, this.#deps.libraries().length)));
    if (sample.rows <= most) return sample;
    return pick(sample, drawn(sample.rows, most, randomNumbers(SEED)));
  }

  async #calibrate(libraries: readonly Library[], signal: AbortSignal): Promise<void> {
    const spaces = new Map<string, Known[]>();
    for (const library of libraries) {
      const known = this.of(library);
      const space = known === undefined ? undefined : this.#deps.vectorOf(library, known.facts)?.space;
      if (known === undefined || space === undefined) continue;
      spaces.set(space, [...(spaces.get(space) ?? []), known]);
    }
    const margins = new Map<string, Margin | undefined>();
    for (const [space, members] of spaces) {
      const distance = members[0]?.sketch.distance ?? 'Cosine';
      const sampled = members.map(({ sketch, sample: points }) => ({ sketch, points }));
      margins.set(space, await calibrate(sampled, { distance, target: this.#deps.limits.target, signal }));
    }
    this.#margins = margins;
  }

  /** @returns whether a library is gone */
  #forget(libraries: readonly Library[]): boolean {
    const present = new Set(libraries.map(({ uid }) => uid));
    const gone = [...this.#known.keys()].filter((uid) => !present.has(uid));
    for (const uid of gone) {
      this.#known.delete(uid);
      this.#written.delete(uid);
    }
    return gone.length > 0;
  }
}

const driftedBy = ({ population }: Sketch, points: number, drift: number): boolean =>
  Math.abs(points - population) > drift * population;

const RESTS_WHILE_GROWING = 5;
const SEED = 20_261_121;
