import type { Benchmark, BenchmarkOptions, Report } from './benchmark.ts';
import { brokenInvariants } from './scale/invariants.ts';
import { type Measured, measure } from './scale/measure.ts';
import { curve, details } from './scale/report.ts';

const LIBRARIES_PER_CLUSTER = 10;
const FULL = { sizes: [10, 50, 100], resyncSeconds: 10 };
const SHORT = { sizes: [10], resyncSeconds: 5 };

export const operatorScale: Benchmark = {
  name: 'operator-scale',
  measures: `passes, API requests, memory of the operator with ${LIBRARIES_PER_CLUSTER} libraries a cluster; writes at rest`,
  embedded: 'API server (in this process), Qdrant (all clusters, one peer each, in one process); the operator is real',
  run,
};

async function run({ short, profiles, signal, progress }: BenchmarkOptions): Promise<Report> {
  const { sizes, resyncSeconds } = short ? SHORT : FULL;
  const all: Measured[] = [];
  for (const clusters of sizes) {
    const options = { clusters, librariesPerCluster: LIBRARIES_PER_CLUSTER, resyncSeconds, signal, progress };
    all.push(await measure(profiles === undefined ? options : { ...options, profiles }));
  }
  return { text: `${curve(all, resyncSeconds)}\n${details(all)}`, broken: all.flatMap(brokenInvariants) };
}
