/** Evenly spaced values, the oldest dropped first; NaN where nothing is known. A plain value: `push` gives a new one. */
export type Ring = {
  readonly stepSeconds: number;
  /** Most values kept. */
  readonly capacity: number;
  /** End of the last step, in milliseconds since the epoch; 0 while it is empty. */
  readonly endsAt: number;
  readonly values: readonly number[];
};

/** Minutes of a day, and five minutes of eight days: a week's season and a day more. */
export const FINE = { stepSeconds: 60, capacity: 1440 } as const;
export const COARSE = { stepSeconds: 300, capacity: 2304 } as const;

export const emptyRing = ({ stepSeconds, capacity }: Pick<Ring, 'stepSeconds' | 'capacity'>): Ring => ({
  stepSeconds,
  capacity,
  endsAt: 0,
  values: [],
});

/**
 * The ring with a value for the step in which `at` lies; steps that nobody looked at are gaps. Several values of one
 * step: the highest counts. A value older than the last step is left out.
 */
export function push(ring: Ring, at: number, value: number): Ring {
  const step = ring.stepSeconds * 1000;
  const endsAt = (Math.floor(at / step) + 1) * step;
  const last = ring.values.at(-1);
  if (last === undefined) return { ...ring, endsAt, values: [value] };
  const passed = (endsAt - ring.endsAt) / step;
  if (passed < 0) return ring;
  if (passed === 0)
    return { ...ring, values: [...ring.values.slice(0, -1), Number.isNaN(last) ? value : Math.max(last, value)] };
  const gap = new Array<number>(Math.min(passed - 1, ring.capacity)).fill(Number.NaN);
  return { ...ring, endsAt, values: [...ring.values, ...gap, value].slice(-ring.capacity) };
}

/** The values of the last `seconds` before `now`, gaps at the end for steps that nobody looked at. */
export function lastValues(ring: Ring, now: number, seconds: number): number[] {
  const step = ring.stepSeconds * 1000;
  const wanted = Math.max(1, Math.round(seconds / ring.stepSeconds));
  const missed = ring.values.length === 0 ? wanted : Math.max(0, Math.floor((now - ring.endsAt) / step));
  const known = ring.values.slice(Math.max(0, ring.values.length - Math.max(0, wanted - missed)));
  const tail = new Array<number>(Math.min(missed, wanted)).fill(Number.NaN);
  return missed >= wanted ? tail : [...known, ...tail];
}

/** How much of the last `seconds` is known, 0 to 1. */
export function completeness(ring: Ring, now: number, seconds: number): number {
  const wanted = Math.max(1, Math.round(seconds / ring.stepSeconds));
  return Math.min(1, lastValues(ring, now, seconds).filter((value) => !Number.isNaN(value)).length / wanted);
}

/** The value below which the share of the last `seconds` lies, by linear interpolation; undefined: nothing is known. */
export function percentile(
  ring: Ring,
  share: number,
  { now, seconds }: { now: number; seconds: number },
): number | undefined {
  return percentileOf(lastValues(ring, now, seconds), share);
}

export function percentileOf(values: readonly number[], share: number): number | undefined {
  const sorted = values.filter((value) => !Number.isNaN(value)).toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below === undefined || above === undefined ? undefined : below + (above - below) * (place - Math.floor(place));
}

/** As JSON: values as half floats of the largest one, in base64; at most 0.1 % off, six bytes of text for two values. */
export type EncodedRing = Omit<Ring, 'values'> & { readonly scale: number; readonly data: string };

export function encodeRing({ values, ...ring }: Ring): EncodedRing {
  const scale = values.reduce((most, value) => (Number.isNaN(value) ? most : Math.max(most, Math.abs(value))), 0);
  const view = new DataView(new ArrayBuffer(values.length * 2));
  for (const [index, value] of values.entries()) view.setFloat16(index * 2, scale === 0 ? value : value / scale, true);
  return { ...ring, scale, data: Buffer.from(view.buffer).toString('base64') };
}

export function decodeRing({ data, scale, ...ring }: EncodedRing): Ring {
  const bytes = Buffer.from(data, 'base64');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = Array.from({ length: Math.floor(bytes.byteLength / 2) }, (_, index) => {
    const value = view.getFloat16(index * 2, true);
    return scale === 0 ? value : value * scale;
  });
  return { ...ring, values: values.slice(-ring.capacity) };
}
