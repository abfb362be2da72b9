export type Recorded = {
  readonly method: string;
  readonly endpoint: string;
  readonly status: number;
  readonly seconds: number;
  readonly collection?: string | undefined;
};

export const BUCKETS = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 10, 50];

export type Series = {
  readonly method: string;
  readonly endpoint: string;
  readonly status: number;
  readonly collection?: string;
  count: number;
  sum: number;
  min: number;
  max: number;
  last: Date;
  readonly buckets: number[];
};

/** Requests served since the start, by endpoint and status, in all and by collection. */
export class RequestCounters {
  readonly total = new Map<string, Series>();
  readonly perCollection = new Map<string, Series>();

  record(request: Recorded): void {
    const { collection, ...rest } = request;
    count(this.total, rest);
    if (collection !== undefined) count(this.perCollection, request);
  }
}

function count(into: Map<string, Series>, request: Recorded): void {
  const { method, endpoint, status, collection, seconds } = request;
  const key = [method, endpoint, status, collection].join(' ');
  let series = into.get(key);
  if (!series) {
    series = {
      method,
      endpoint,
      status,
      ...(collection === undefined ? {} : { collection }),
      count: 0,
      sum: 0,
      min: Number.POSITIVE_INFINITY,
      max: 0,
      last: new Date(),
      buckets: BUCKETS.map(() => 0),
    };
    into.set(key, series);
  }
  series.count += 1;
  series.sum += seconds;
  series.min = Math.min(series.min, seconds);
  series.max = Math.max(series.max, seconds);
  series.last = new Date();
  for (const [index, limit] of BUCKETS.entries()) {
    if (seconds <= limit) series.buckets[index] = (series.buckets[index] ?? 0) + 1;
  }
}
