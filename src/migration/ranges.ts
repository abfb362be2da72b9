import type { PointId } from '../qdrant/types.ts';

/**
 * Where an id stands in Qdrant's order: integers ascending, then UUIDs ascending (measured).
 * Integers are their own position, UUIDs begin at 2^128.
 */
export type Position = bigint;

const UUID_BASE = 1n << 128n;
const END = 1n << 129n;
const INTEGER_BITS = 64;
/** Ranges within one power of two: the fullest range of ids 1..n holds a 32nd of them. */
const STEPS_BITS = 4;
const UUID_PREFIX_BITS = 8;

export function positionOf(id: PointId): Position {
  if (typeof id !== 'string') return BigInt(id);
  return UUID_BASE + BigInt(`0x${id.replaceAll('-', '')}`);
}

/** The smallest id at or after a position; undefined when there is none. */
export function idFrom(position: Position): PointId | undefined {
  if (position >= END) return undefined;
  if (position < 1n << BigInt(INTEGER_BITS)) {
    return position <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(position) : position;
  }
  const digits = (position < UUID_BASE ? 0n : position - UUID_BASE).toString(16).padStart(32, '0');
  return [8, 12, 16, 20, 32].map((end, at) => digits.slice([0, 8, 12, 16, 20][at], end)).join('-');
}

/**
 * First positions of all ranges, ascending. They are fixed: the same for every collection and every run, so that
 * what was done before a crash means the same after it (a resumed copy over sampled ranges lost points: peers.md 5).
 */
export const RANGE_STARTS: readonly Position[] = [...integerStarts(), ...uuidStarts()];

export const RANGE_COUNT = RANGE_STARTS.length;

function integerStarts(): Position[] {
  const steps = 1 << STEPS_BITS;
  const starts = Array.from({ length: steps }, (_, at) => BigInt(at));
  for (let bit = STEPS_BITS; bit < INTEGER_BITS; bit += 1) {
    const width = 1n << BigInt(bit - STEPS_BITS);
    for (let step = 0; step < steps; step += 1) starts.push((1n << BigInt(bit)) + BigInt(step) * width);
  }
  return starts;
}

function uuidStarts(): Position[] {
  const width = 1n << BigInt(128 - UUID_PREFIX_BITS);
  return Array.from({ length: 1 << UUID_PREFIX_BITS }, (_, prefix) => UUID_BASE + BigInt(prefix) * width);
}

/** First position after a range. */
export const rangeEnd = (range: number): Position => RANGE_STARTS[range + 1] ?? END;

export const rangeStart = (range: number): Position => RANGE_STARTS[range] ?? END;

/** The range that a position belongs to. */
export function rangeOf(position: Position): number {
  let low = 0;
  let high = RANGE_COUNT - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((RANGE_STARTS[middle] ?? END) <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}
