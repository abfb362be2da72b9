import { setTimeout as sleep } from 'node:timers/promises';
import { isReady } from '../../sandbox/run/wait.ts';
import { OPERATOR_USER } from '../../sandbox/sandbox.ts';
import type { Condition } from '../../src/api/index.ts';
import type { KubeObject } from '../../src/kube/index.ts';
import { RequestCount } from '../requests.ts';
import { Operator, type OperatorOptions } from './operator.ts';
import { type Phase, PhaseMeter } from './phase.ts';
import { startWorld, type World, type WorldOptions } from './world.ts';

export type MeasureOptions = WorldOptions & OperatorOptions & { readonly progress: (text: string) => void };

/** An operator's life with so many objects. */
export type Measured = {
  readonly clusters: number;
  readonly objects: number;
  /** From the start of the process until every object is Ready. */
  readonly creation: Phase;
  /** The resync after it in which nothing was written: late news, such as the size of vectors, have settled. */
  readonly settling: Phase;
  /** Two resyncs with nothing to do. */
  readonly rest: Phase;
  /** From the start of a second process, over what the first has made, until it has looked at every object. */
  readonly restart: Phase;
};

const KINDS = ['qdrantclusters', 'domainlibraries'].map((plural) => `qdrant-librarian.io/${plural}`);
const POLL_MILLISECONDS = 200;
/** A resync lasts up to so much longer than its period. Source: spread of `src/cluster` and `src/library`. */
const SPREAD = 1.1;
const RESYNCS_TO_SETTLE = 5;
const SECONDS_TO_READY = { base: 60, perObject: 0.1 };
const SECONDS_TO_RESTART = 60;
/** How much longer than it should a resync may take on a busy machine. */
const SECONDS_LATE = 30;

/** Measures one size. Leaves nothing running, whatever happens. */
export async function measure(options: MeasureOptions): Promise<Measured> {
  const { clusters, librariesPerCluster, signal, progress } = options;
  progress(`${clusters} clusters: starting Qdrants, writing objects`);
  const world = await startWorld(options);
  const requests = new RequestCount(world.api.audit, OPERATOR_USER);
  try {
    const objects = clusters * (1 + librariesPerCluster);
    const first = await lifeOf(world, requests, options, async (operator, meter) => {
      await untilReady(world, operator, { objects, signal });
      const creation = await meter.cut();
      progress(`${clusters} clusters: all Ready after ${creation.seconds.toFixed(1)} s; now at rest`);
      const settling = await untilSettled(objects, options, meter);
      return { creation, settling, rest: await afterResyncs({ count: 2, objects }, options, meter) };
    });
    const restart = await lifeOf(world, requests, options, async (operator, meter) => {
      await untilLookedAt(operator, { objects, signal });
      return meter.cut();
    });
    return { clusters, objects, ...first, restart };
  } finally {
    requests.stop();
    await world.stop();
  }
}

async function lifeOf<T>(
  world: World,
  requests: RequestCount,
  options: OperatorOptions,
  live: (operator: Operator, meter: PhaseMeter) => Promise<T>,
): Promise<T> {
  const operator = await Operator.start(world, options);
  const meter = new PhaseMeter(operator, requests);
  try {
    return await live(operator, meter);
  } finally {
    meter.stop();
    await operator.stop();
  }
}

/** The last of so many resyncs whatever it brought: what is written for ever is seen at rest. */
async function untilSettled(objects: number, options: MeasureOptions, meter: PhaseMeter): Promise<Phase> {
  for (let resync = 1; ; resync += 1) {
    const phase = await afterResyncs({ count: 1, objects }, options, meter);
    if (phase.requests.writes === 0 || resync === RESYNCS_TO_SETTLE) return phase;
  }
}

/** By the clock, and by as many passes over every object. */
async function afterResyncs(
  { count, objects }: { readonly count: number; readonly objects: number },
  { resyncSeconds, signal }: MeasureOptions,
  meter: PhaseMeter,
): Promise<Phase> {
  await sleep(count * resyncSeconds * SPREAD * 1000, undefined, { signal });
  const deadline = performance.now() + SECONDS_LATE * 1000;
  while ((await meter.passes()) < count * objects) {
    if (performance.now() > deadline) throw new Error(`resyncs of ${objects} objects take ${SECONDS_LATE} s too long`);
    await sleep(POLL_MILLISECONDS, undefined, { signal });
  }
  return meter.cut();
}

type WaitOptions = { readonly objects: number; readonly signal: AbortSignal };

async function untilReady(world: World, operator: Operator, { objects, signal }: WaitOptions): Promise<void> {
  const { base, perObject } = SECONDS_TO_READY;
  const deadline = performance.now() + (base + perObject * objects) * 1000;
  for (;;) {
    operator.process.assertRunning();
    world.engines.assertRunning();
    const all = readAll(world);
    const waiting = all.filter((object) => !isReady(object));
    if (all.length === objects && waiting.length === 0) return;
    if (performance.now() > deadline) {
      const sample = waiting.slice(0, 3).map(describe).join('\n');
      throw new Error(`${waiting.length} of ${objects} objects did not become Ready:\n${sample}`);
    }
    await sleep(POLL_MILLISECONDS, undefined, { signal });
  }
}

type WithConditions = KubeObject & { readonly status?: { readonly conditions?: readonly Condition[] } };

function readAll({ api }: World): WithConditions[] {
  const snapshot = api.snapshot();
  // Stored objects have the wire form of their kind.
  return KINDS.flatMap((kind) => (snapshot[kind] ?? []) as unknown as WithConditions[]);
}

function describe({ kind, metadata, status }: WithConditions): string {
  const conditions = (status?.conditions ?? []).map(
    ({ type, status: holds, reason, message }) => `${type}=${holds} ${reason}: ${message}`,
  );
  return `${kind} ${metadata.name}: ${conditions.join('; ') || 'no condition'}`;
}

/** As many passes as objects, and nothing waits: each was in the queue from the first list on. */
async function untilLookedAt(operator: Operator, { objects, signal }: WaitOptions): Promise<void> {
  const deadline = performance.now() + SECONDS_TO_RESTART * 1000;
  while (performance.now() < deadline) {
    await sleep(POLL_MILLISECONDS, undefined, { signal });
    operator.process.assertRunning();
    const metrics = await operator.metrics().catch(() => undefined);
    const passes = metrics?.sum('controller_runtime_reconcile_total') ?? 0;
    if (passes >= objects && metrics?.sum('workqueue_depth') === 0) return;
  }
  throw new Error(`after ${SECONDS_TO_RESTART} s a restarted operator had not looked at all ${objects} objects`);
}
