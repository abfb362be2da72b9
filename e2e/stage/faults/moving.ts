import { setTimeout as sleep } from 'node:timers/promises';
import { followingAccess } from '../../../sandbox/load/following-access.ts';
import { gatewayAccess } from '../../../sandbox/load/library-access.ts';
import { isReady, LIBRARIES } from '../../../sandbox/run/wait.ts';
import type { DomainLibrary } from '../../../src/api/index.ts';
import type { ClusterClient } from '../../../src/qdrant/index.ts';
import { watchOnePlace } from '../one-place.ts';
import { SCENARIO_SECONDS } from '../patience.ts';
import type { Stage } from '../stage.ts';
import { type Cell, MOVE_STATES, type MovePlan, type MoveState, toldOfMove } from './move-plan.ts';
import type { Outcome, Struck } from './round.ts';
import { type Contradiction, SeededLoad, type SeededReport, type SeededVerdict } from './seeded-load.ts';
import { killGateway, killOperator, killPeer, killWorker, refuseByApi } from './strike.ts';
import { inTime, Watched } from './watched.ts';

const CLUSTERS_OF = { there: ['desk', 'shelf'], back: ['shelf', 'desk'] } as const;
const PEERS = 2;
/** Of the scenario's time; the rest is for reading back. */
const MOST_SECONDS = SCENARIO_SECONDS * 0.8;
const GOES_ON = 5;
/**
 * A peer that was killed learns a moment after the others that its replica has missed writes, and is read until then:
 * Qdrant promises no more. So long that moment may last, and so long after a kill it may come.
 */
const BEHIND_MILLISECONDS = 5000;
const AFTER_KILL_MILLISECONDS = 15_000;

export type MoveOutcome = Outcome<MovePlan, Cell>;

type Moving = {
  readonly stage: Stage;
  /** Always the same peer of both clusters is killed, so that what is replicated can always be read. */
  readonly mortal: number;
  readonly clients: ReadonlyMap<string, ClusterClient>;
  readonly libraries: Watched<DomainLibrary>;
  /** When a peer of either cluster was killed. */
  readonly kills: number[];
};

/** Plays moves beside each other between two clusters of two peers. What is struck for one hits all. */
export async function playMoves(stage: Stage, plans: readonly MovePlan[]): Promise<readonly MoveOutcome[]> {
  for (const name of CLUSTERS_OF.there) await stage.createCluster(name, { size: PEERS });
  for (const name of CLUSTERS_OF.there) await stage.clusterReady(name, PEERS);
  const clients = new Map<string, ClusterClient>();
  for (const name of CLUSTERS_OF.there) clients.set(name, await stage.qdrant(name));
  const libraries = new Watched(stage, LIBRARIES);
  stage.defer(() => libraries.stop());
  const moving = { stage, clients, libraries, mortal: (plans[0]?.seed ?? 0) % PEERS, kills: [] };
  const loads = await Promise.all(plans.map((plan) => prepared(moving, plan)));
  const outcomes = await Promise.all(plans.map((plan, index) => played(moving, plan, loads[index])));
  for (const name of CLUSTERS_OF.there) await stage.clusterReady(name, PEERS);
  return outcomes;
}

const nameOf = ({ seed }: MovePlan): string => `seed-${seed}`;

async function prepared({ stage }: Moving, plan: MovePlan): Promise<SeededLoad> {
  const name = nameOf(plan);
  const { shards, replicationFactor, direction, access, mix, seed } = plan;
  await stage.createLibrary(name, CLUSTERS_OF[direction][0], { shards: { number: shards, replicationFactor } });
  await stage.libraryReady(name);
  const key = { namespace: stage.namespace, library: name };
  const { gatewayUrl } = stage.ground;
  const through =
    access === 'gateway' && gatewayUrl !== undefined
      ? await gatewayAccess(stage.admin, key, gatewayUrl)
      : await followingAccess(stage.admin, key);
  const load = new SeededLoad({ ...through, seed, mix });
  let closed = false;
  stage.defer(async () => {
    if (!closed) await load.stop();
    closed = true;
    await load.close();
  });
  await load.begin();
  // What takes shard snapshots asks first how large they are.
  if (plan.engine === 'ShardSnapshot')
    await stage.untilLibrary(name, ({ status }) => status?.vectorsBytes !== undefined, 'of a known size');
  return load;
}

async function played(moving: Moving, plan: MovePlan, load: SeededLoad | undefined): Promise<MoveOutcome> {
  if (load === undefined) throw new Error('no load');
  const { stage, libraries, clients } = moving;
  const name = nameOf(plan);
  const target = CLUSTERS_OF[plan.direction][1];
  const shown = (): MoveState | undefined => {
    const library = libraries.now(name);
    return library === undefined ? undefined : stateOf(library, target);
  };
  const reaches = (state: MoveState): Promise<MoveState> =>
    libraries.reaches(name, state, { order: MOVE_STATES, shown: (library) => stateOf(library, target) });
  const struck: Struck<Cell>[] = [];
  const wrong: string[] = [];
  let engine = '';
  let waitsFor: string | undefined;
  let switching = false;
  const stop = watchOnePlace(name, clients, () => (switching ? 40 : 400));
  const striking = plan.faults.map(async (fault) => {
    const state = await reaches(fault.state);
    await sleep(fault.afterMilliseconds);
    const isOver = (): boolean => shown() === 'Moved';
    if (await strike(moving, plan, { victim: fault.victim, isOver }))
      struck.push({ victim: fault.victim, state, shownThen: shown() ?? '' });
  });
  const unwatch = libraries.watch(name, (library) => {
    const { change } = library.status ?? {};
    engine = change?.engine ?? engine;
    switching = ['Fenced', 'Verified', 'Switched'].includes(change?.step ?? '');
  });
  await sleep(plan.startMilliseconds);
  const began = performance.now();
  try {
    stage.diary.note('step', toldOfMove(plan));
    await stage.changeLibrary(name, orderOf(plan, target));
    const settled = (library: DomainLibrary): boolean => isReady(library) && moved(library, target);
    const ends = async (): Promise<void> => {
      await Promise.all([...striking, reaches('Moved')]);
      waitsFor = 'it is not Ready again';
      await libraries.until(name, settled);
      waitsFor = 'the application does not go on';
      await wentOn(load, load.report.acknowledged + GOES_ON);
    };
    await inTime(MOST_SECONDS, ends(), () => waitsFor ?? `it is at ${shown()}`);
  } catch (error) {
    wrong.push(String(error));
  }
  const seconds = (performance.now() - began) / 1000;
  unwatch();
  wrong.push(...(await stop()));
  const report = await load.stop();
  const verdict = await load.verify().catch((error: unknown) => {
    wrong.push(`can't be read back: ${String(error)}`);
    return undefined;
  });
  const behind = report.contradictions.filter((read) => plan.replicationFactor > 1 && isBehind(read, moving.kills));
  const untrue = report.contradictions.filter((read) => !behind.includes(read));
  wrong.push(...contradictions({ ...report, contradictions: untrue }, verdict));
  const { acknowledged, repeatedWrites, checked } = report;
  const counts = `${acknowledged} writes, ${repeatedWrites} sent again, ${checked} points checked, ${behind.length} of them from a peer that was behind, ${verdict?.expected ?? '?'} at the end`;
  return { plan, struck, did: `${toldOfMove(plan)}; went by ${engine}, ${counts}`, seconds, wrong };
}

/** Another number of shards can only travel point by point. */
const orderOf = ({ engine, shards }: MovePlan, target: string): unknown => ({
  spec: {
    placement: { clusterRef: { name: target } },
    ...(engine === 'Scroll' ? { shards: { number: shards + 1 } } : {}),
  },
});

async function wentOn(load: SeededLoad, acknowledged: number): Promise<void> {
  while (load.report.acknowledged < acknowledged) await sleep(100);
}

function isBehind({ at, lasted }: Contradiction, kills: readonly number[]): boolean {
  const since = Math.min(...kills.map((kill) => Date.parse(at) - kill).filter((age) => age >= 0));
  return lasted !== undefined && lasted <= BEHIND_MILLISECONDS && since <= AFTER_KILL_MILLISECONDS;
}

function contradictions(report: SeededReport, verdict: SeededVerdict | undefined): string[] {
  const { lost = [], undeleted = [], phantoms = [] } = verdict ?? {};
  const wrong: [string, readonly unknown[]][] = [
    ['acknowledged and lost', lost],
    ['deleted and there', undeleted],
    ['never written and there', phantoms],
    ['reads that failed', report.failedReads],
    ['reads that contradict', report.contradictions],
  ];
  return wrong
    .filter(([, found]) => found.length > 0)
    .map(([what, found]) => `${what}: ${found.length}: ${JSON.stringify(found.slice(0, 5))}`);
}

/** @returns false when there was nobody (any more) to strike */
async function strike(
  { stage, mortal, kills }: Moving,
  plan: MovePlan,
  { victim, isOver }: Pick<Cell, 'victim'> & { readonly isOver: () => boolean },
): Promise<boolean> {
  const [from, to] = CLUSTERS_OF[plan.direction];
  const name = nameOf(plan);
  switch (victim) {
    case 'worker':
      return killWorker(stage, new RegExp(`^${name}-g\\d+-a\\d+$`), isOver);
    case 'operator':
      await killOperator(stage);
      break;
    case 'gateway':
      await killGateway(stage);
      break;
    case 'source peer':
      await killPeer(stage, `${from}-${mortal}`);
      kills.push(Date.now());
      break;
    case 'target peer':
      await killPeer(stage, `${to}-${mortal}`);
      kills.push(Date.now());
      break;
    case 'API server':
      refuseByApi(stage, [stage.ground.operator.user, `system:serviceaccount:${stage.namespace}:${name}-copy`]);
  }
  return true;
}

const moved = ({ status }: DomainLibrary, target: string): boolean =>
  status?.cluster === target && status.change === undefined;

const stateOf = (library: DomainLibrary, target: string): MoveState | undefined =>
  moved(library, target) ? 'Moved' : library.status?.change?.step;
