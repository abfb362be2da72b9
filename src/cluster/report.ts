import type { ClusterOperation, QdrantClusterStatus } from '../api/index.ts';
import { foundAgainNonce } from './decide/found.ts';
import type { Decision } from './decide.ts';
import { PORTS, selectorLabels, serviceHost } from './names.ts';
import { conditionsOf } from './report/conditions.ts';
import { type Ending, factsOf } from './report/facts.ts';
import { peersStatus } from './report/peers.ts';
import { type Topology, versionsOf } from './topology.ts';
import { isExternal, type World } from './world.ts';

export type Pass = {
  readonly world: World;
  readonly topology: Topology;
  /** Undefined when the pass ended before anything was decided. */
  readonly decision: Decision | undefined;
  readonly ending: Ending;
};

/** The status that a pass comes to. Pure; the same pass over the same world gives the same status, whenever it runs. */
export function statusOf(pass: Pass): QdrantClusterStatus {
  const { world, topology, decision } = pass;
  const { cluster } = world;
  const previous = cluster.status ?? {};
  const now = new Date(world.now).toISOString().replace(/\.\d{3}Z$/, 'Z');
  const generation = cluster.metadata.generation ?? 0;
  const founded = foundedOf(pass, now);
  const operation = operationOf(decision, previous.operation, now);
  const version = oldestVersion(topology) ?? previous.version;
  const lastHandled = lastHandledOf(pass, founded);
  return {
    observedGeneration: generation,
    conditions: conditionsOf(factsOf(pass), { previous: previous.conditions ?? [], generation, now }),
    ...(isExternal(cluster) ? {} : { selector: selectorText(pass) }),
    replicas: isExternal(cluster)
      ? topology.members.filter(({ standing }) => standing === 'answers').length
      : world.pods.filter(({ running, terminating }) => running && !terminating).length,
    ...(version === undefined ? {} : { version }),
    endpoints: endpoints(world),
    ...counts(pass, previous),
    ...(founded === undefined ? {} : { founded }),
    peers: peersStatus(world, topology),
    ...(operation === undefined ? {} : { operation }),
    ...(lastHandled === undefined ? {} : { lastHandled }),
  };
}

const selectorText = ({ world }: Pass): string =>
  Object.entries(selectorLabels(world.cluster))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');

/** Set once. Set anew only when the founder was told to found again, and did. */
function foundedOf(pass: Pass, now: string): QdrantClusterStatus['founded'] {
  const { cluster } = pass.world;
  const before = cluster.status?.founded;
  const [first] = pass.topology.views;
  if (isExternal(cluster) || first === undefined) return before;
  if (before === undefined || foundAnew(pass)) return { at: now, peerId: first.peerId };
  return before;
}

/** The annotation's nonce is obeyed when a peer answers that the cluster didn't have. */
function foundAnew({ world, topology }: Pass): boolean {
  const known = new Set((world.cluster.status?.peers ?? []).map(({ peerId }) => peerId));
  const told = foundAgainNonce(world) !== undefined && world.announced?.founder !== undefined;
  return told && topology.views.length > 0 && topology.views.every(({ peerId }) => !known.has(peerId));
}

function lastHandledOf(pass: Pass, founded: QdrantClusterStatus['founded']): Record<string, string> | undefined {
  const { status } = pass.world.cluster;
  const nonce = foundAgainNonce(pass.world);
  if (nonce === undefined || founded === undefined || !foundAnew(pass)) return status?.lastHandled;
  return { ...status?.lastHandled, 'found-again': nonce };
}

function operationOf(
  decision: Decision | undefined,
  before: ClusterOperation | undefined,
  now: string,
): ClusterOperation | undefined {
  if (decision === undefined) return before;
  const { operation } = decision;
  if (operation === undefined) return undefined;
  const { name, step, target, blockedBy } = operation;
  return {
    name,
    step,
    startedAt: before?.name === name ? before.startedAt : now,
    ...(target === undefined ? {} : { target }),
    ...(blockedBy.length === 0
      ? {}
      : { blockedBy: blockedBy.map((blocker) => ({ name: blocker.name, reason: blocker.reason })) }),
  };
}

function endpoints({ cluster }: World): NonNullable<QdrantClusterStatus['endpoints']> {
  const { external } = cluster.spec;
  if (external !== undefined) return { rest: external.url };
  const host = serviceHost(cluster);
  return { rest: `http://${host}:${PORTS.http}`, grpc: `http://${host}:${PORTS.grpc}` };
}

/** Numbers of a cluster that answers; else those known last. */
function counts(
  { topology }: Pass,
  previous: QdrantClusterStatus,
): Pick<QdrantClusterStatus, 'collections' | 'points'> {
  if (topology.views.length === 0) {
    const { collections, points } = previous;
    return { ...(collections === undefined ? {} : { collections }), ...(points === undefined ? {} : { points }) };
  }
  const names = new Set(topology.views.flatMap(({ collections }) => collections.map(({ name }) => name)));
  return { collections: names.size, points: topology.shards.reduce((sum, { points }) => sum + points, 0) };
}

function oldestVersion(topology: Topology): string | undefined {
  const numbers = (version: string) => version.split(/[.-]/).map((part) => Number.parseInt(part, 10) || 0);
  return versionsOf(topology).toSorted((a, b) => {
    const [x, y] = [numbers(a), numbers(b)];
    const at = x.findIndex((value, index) => value !== y[index]);
    return at < 0 ? 0 : (x[at] ?? 0) - (y[at] ?? 0);
  })[0];
}

/** Parts of a status that may change at any time without meaning anything by themselves. */
export function withoutVolatile(status: QdrantClusterStatus): QdrantClusterStatus {
  const { points: _, operation, ...rest } = status;
  if (operation === undefined) return rest;
  // Reasons hold seconds that pass.
  const blockedBy = operation.blockedBy?.map(({ name }) => ({ name, reason: '' }));
  const conditions = rest.conditions?.map((condition) => ({
    ...condition,
    message: condition.message.replace(/\d+(?:\.\d+)? s\b/g, ''),
  }));
  return {
    ...rest,
    ...(conditions === undefined ? {} : { conditions }),
    operation: { ...operation, ...(blockedBy === undefined ? {} : { blockedBy }) },
  };
}
