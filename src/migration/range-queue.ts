import type { PointId } from '../qdrant/types.ts';
import { RANGE_COUNT } from './ranges.ts';

/** What is done of all ranges: finished ones as `first-last` runs, and where each begun one goes on. */
export type RangeProgress = { done: string[]; cursors: Record<string, string> };

type State = 'open' | 'claimed' | 'done';
type Run = { readonly first: number; readonly length: number };

const NO_RUN: Run = { first: 0, length: 0 };
const WORTH_A_LANE = 32;
const RUN = /^(\d{1,5})(?:-(\d{1,5}))?$/;
const CURSOR = /^(?:i(\d{1,20})|u([0-9a-fA-F-]{32,36}))$/;

/** Hands out ranges to lanes that work side by side; each range to one lane only. */
export class RangeQueue {
  readonly #states: State[] = new Array<State>(RANGE_COUNT).fill('open');
  readonly #cursors = new Map<number, PointId>();
  #open = RANGE_COUNT;

  constructor(progress?: RangeProgress, ranges?: readonly number[]) {
    if (ranges !== undefined) {
      const wanted = new Set(ranges);
      this.#states.forEach((_, range) => {
        if (!wanted.has(range)) this.finish(range);
      });
    }
    for (const run of progress?.done ?? []) {
      const match = RUN.exec(run);
      if (match === null) continue;
      const first = Number(match[1]);
      const last = Math.min(Number(match[2] ?? match[1]), RANGE_COUNT - 1);
      for (let range = first; range <= last; range += 1) this.finish(range);
    }
    for (const [range, text] of Object.entries(progress?.cursors ?? {})) {
      const cursor = parseCursor(text);
      if (cursor !== undefined) this.#cursors.set(Number(range), cursor);
    }
  }

  get isDone(): boolean {
    return this.#open === 0;
  }

  /**
   * The range right after `after` while nobody has it. Else the first of a run that no lane is on its way to. Else the
   * middle of the longest run that is worth a lane of its own: a page spans many sparse ranges, and a lane that takes
   * some out of its middle reads all of it again.
   */
  claim(after = -1): number | undefined {
    if (this.claimRange(after + 1)) return after + 1;
    const runs = this.#openRuns();
    const orphan = runs.find(({ first }) => this.#states[first - 1] !== 'claimed');
    const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), NO_RUN);
    const range = orphan?.first ?? (longest.length < WORTH_A_LANE ? undefined : longest.first + (longest.length >> 1));
    if (range !== undefined) this.#states[range] = 'claimed';
    return range;
  }

  #openRuns(): Run[] {
    const runs: Run[] = [];
    for (let first = 0; first < RANGE_COUNT; first += 1) {
      if (this.#states[first] !== 'open') continue;
      let end = first + 1;
      while (this.#states[end] === 'open') end += 1;
      runs.push({ first, length: end - first });
      first = end;
    }
    return runs;
  }

  claimRange(range: number): boolean {
    if (this.#states[range] !== 'open') return false;
    this.#states[range] = 'claimed';
    return true;
  }

  /** Where to begin in a claimed range; undefined = at its start. */
  cursor(range: number): PointId | undefined {
    return this.#cursors.get(range);
  }

  /** Everything of the range before `id` is acknowledged by the target. */
  advance(range: number, id: PointId): void {
    this.#cursors.set(range, id);
  }

  finish(range: number): void {
    if (this.#states[range] === 'done' || this.#states[range] === undefined) return;
    this.#states[range] = 'done';
    this.#open -= 1;
    this.#cursors.delete(range);
  }

  /** A read from before `from` met nothing before `to`: the open ranges between hold no points. */
  finishEmpty(from: number, to: number): void {
    for (let range = from; range < to; range += 1) if (this.#states[range] === 'open') this.finish(range);
  }

  progress(): RangeProgress {
    const done: string[] = [];
    for (let first = 0; first < RANGE_COUNT; first += 1) {
      if (this.#states[first] !== 'done') continue;
      let last = first;
      while (this.#states[last + 1] === 'done') last += 1;
      done.push(first === last ? String(first) : `${first}-${last}`);
      first = last;
    }
    const cursors = Object.fromEntries([...this.#cursors].map(([range, id]) => [String(range), cursorText(id)]));
    return { done, cursors };
  }
}

const cursorText = (id: PointId): string => (typeof id === 'string' ? `u${id}` : `i${id}`);

function parseCursor(text: string): PointId | undefined {
  const match = CURSOR.exec(text);
  if (match === null) return undefined;
  if (match[2] !== undefined) return match[2];
  const value = BigInt(match[1] ?? '0');
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}
