import type { Engine } from './engine.ts';
import { isHealthy } from './state/types.ts';

const ASK_MILLISECONDS = 500;
type Check = { caughtUpTo: number | undefined; waitFor: Set<string> | undefined; latched: boolean };
const checks = new WeakMap<Engine, Check>();

/**
 * Whether this peer calls itself ready. Once it did, it does so for good (S9): later Dead replicas, a lost majority or a
 * removal change nothing. Driven by being asked.
 */
export async function isReady(engine: Engine): Promise<boolean> {
  const check = checks.get(engine) ?? { caughtUpTo: undefined, waitFor: undefined, latched: false };
  checks.set(engine, check);
  if (check.latched || !engine.settings.clusterEnabled || engine.consensus.removed) return true;
  if (!(await caughtUp(engine, check))) return false;
  check.waitFor ??= unhealthyReplicas(engine);
  const now = unhealthyReplicas(engine);
  // Each replica need be healthy once, not all at the same time.
  for (const replica of check.waitFor) if (!now.has(replica)) check.waitFor.delete(replica);
  check.latched = check.waitFor.size === 0;
  return check.latched;
}

async function caughtUp(engine: Engine, check: Check): Promise<boolean> {
  const { consensus } = engine;
  const self = consensus.state.peers[engine.peerId];
  if (!self) return false;
  check.caughtUpTo ??= await clusterCommit(engine);
  return consensus.applied >= check.caughtUpTo && self.voter;
}

/** The highest commit that the reachable peers know; unreachable ones don't hold readiness up. */
async function clusterCommit(engine: Engine): Promise<number> {
  const others = Object.entries(engine.consensus.state.peers).filter(([id]) => Number(id) !== engine.peerId);
  const commits = await Promise.all(
    others.map(async ([, { uri }]) => {
      try {
        const answer = await engine.client.call(uri, 'applied', { body: {}, timeoutMs: ASK_MILLISECONDS });
        return (answer as { commit: number }).commit;
      } catch {
        return 0;
      }
    }),
  );
  return Math.max(engine.consensus.applied, ...commits);
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
