import type { Engine } from './engine.ts';
import { isHealthy } from './state/types.ts';

/** How long one question waits, and how long a peer is given to tell its commit. Source: Qdrant `common/health.rs`. */
const ASK_MILLISECONDS = 500;
const COMMIT_MILLISECONDS = 10_000;

type Check = {
  /** The highest commit heard of. */
  commit: number | undefined;
  /** It was reached, and nobody has heard of a higher one since. */
  caughtUp: boolean;
  waitFor: Set<string> | undefined;
  latched: boolean;
  running: Promise<void> | undefined;
};
const checks = new WeakMap<Engine, Check>();

/**
 * Whether this peer calls itself ready. Once it did, it does so for good (S9): later Dead replicas, a lost majority or a
 * removal change nothing. Driven by being asked.
 */
export async function isReady(engine: Engine): Promise<boolean> {
  const check = checks.get(engine) ?? {
    commit: undefined,
    caughtUp: false,
    waitFor: undefined,
    latched: false,
    running: undefined,
  };
  checks.set(engine, check);
  if (check.latched || !engine.settings.clusterEnabled || engine.consensus.removed) return true;
  check.running ??= goOn(engine, check).finally(() => {
    check.running = undefined;
  });
  await Promise.race([check.running, new Promise((resolve) => setTimeout(resolve, ASK_MILLISECONDS).unref())]);
  return check.latched;
}

async function goOn(engine: Engine, check: Check): Promise<void> {
  if (!check.caughtUp && !(await catchUp(engine, check))) return;
  check.waitFor ??= unhealthyReplicas(engine);
  const now = unhealthyReplicas(engine);
  // Each replica need be healthy once, not all at the same time.
  for (const replica of check.waitFor) if (!now.has(replica)) check.waitFor.delete(replica);
  check.latched = check.waitFor.size === 0;
}

/** The commit that anybody tells is reached first; then half of the others must know of none that is newer. */
async function catchUp(engine: Engine, check: Check): Promise<boolean> {
  const { consensus } = engine;
  check.commit ??= await clusterCommit(engine, 1);
  const self = consensus.state.peers[engine.peerId];
  if (self?.voter !== true || consensus.applied < check.commit) return false;
  const half = Math.floor(Object.keys(consensus.state.peers).length / 2);
  const newest = await clusterCommit(engine, half);
  check.caughtUp = newest <= check.commit;
  check.commit = newest;
  return check.caughtUp;
}

/** The highest commit that so many others tell; those that can't be reached don't hold readiness up. */
async function clusterCommit({ consensus, client, peerId }: Engine, wanted: number): Promise<number> {
  const commits: number[] = [];
  const enough = Promise.withResolvers<void>();
  const others = Object.entries(consensus.state.peers).filter(([id]) => Number(id) !== peerId);
  const answers = others.map(async ([, { uri }]) => {
    const answer = await client.call(uri, 'applied', { body: {}, timeoutMs: COMMIT_MILLISECONDS });
    commits.push((answer as { commit: number }).commit);
    if (commits.length >= wanted) enough.resolve();
  });
  await Promise.race([enough.promise, Promise.allSettled(answers)]);
  return Math.max(0, ...commits);
}

function unhealthyReplicas(engine: Engine): Set<string> {
  const found = new Set<string>();
  for (const { uuid, shards } of Object.values(engine.consensus.state.collections)) {
    for (const { id, replicas } of shards) {
      const state = replicas[engine.peerId];
      if (state !== undefined && !isHealthy(state)) found.add(`${uuid}/${id}`);
    }
  }
  return found;
}
