import type { DomainLibrary, RebalancePolicy } from '../api/index.ts';
import { applyDefaults, publicName, validate } from '../api/index.ts';
import { isControlledBy, isTrue, keyOf, keyText } from '../kube/index.ts';
import { connectionOf, secretLookup } from '../qdrant/index.ts';
import { capacityOfCluster } from './capacity.ts';
import type { RebalanceDeps } from './deps.ts';
import { lookAtClusters, type Question } from './gather/peers.ts';
import { type Execution, type Kept, NOTHING_KEPT, parseRecord } from './kept.ts';
import type { RebalanceMemory } from './memory.ts';
import { loadName, planName } from './names.ts';
import { EXECUTION_KEY, HISTORY_KEY, KEPT_KEY, PLAN_KEY } from './objects.ts';
import { decodeHistory, type Tenant } from './observe/history.ts';
import { PlanError, readPlan } from './plan/document.ts';
import { type Selection, select } from './selection.ts';
import type { ClusterFacts, KeptPlan, World } from './world.ts';

/** A cluster that is silent for so many looks is no longer one to move to or from. */
const SILENT_LOOKS = 3;
const LEAST_SILENT_SECONDS = 60;

type Gathering = {
  readonly policy: RebalancePolicy;
  readonly memory: RebalanceMemory;
  readonly signal: AbortSignal;
};

/** What the caches know of a policy; nobody is asked. */
export function gather(deps: RebalanceDeps, { policy, memory }: Omit<Gathering, 'signal'>): World {
  const selection = selectionOf(deps, policy);
  const now = deps.now();
  const names = [
    planName(policy.metadata.name),
    ...selection.clusters.map(({ metadata }) => loadName(policy.metadata.name, metadata.name)),
  ];
  const map = ownMap(deps, policy, planName(policy.metadata.name));
  const intervalSeconds = policy.spec.observe?.intervalSeconds ?? 30;
  const patience = Math.max(SILENT_LOOKS * intervalSeconds, LEAST_SILENT_SECONDS) * 1000;
  return {
    now,
    policy,
    invalid: violationsOf(policy, memory),
    clusters: selection.clusters.map((object): ClusterFacts => {
      const { name } = object.metadata;
      const seen = memory.seen(name);
      const unknown = memory.unknown(name);
      const stale = unknown !== undefined && (seen === undefined || now - seen.at > patience);
      return {
        name,
        object,
        ready: isTrue(object.status?.conditions ?? [], 'Ready') && !stale,
        seen,
        unknown,
        capacity: seen === undefined ? undefined : capacityOfCluster(object, seen.machines),
        version: seen?.version ?? object.status?.version,
        history: memory.history(name),
      };
    }),
    libraries: selection.libraries.map((object) => {
      const { name } = object.metadata;
      return { name, object, demand: memory.demand(name), busy: memory.isBusy(name) };
    }),
    claimed: selection.claimed,
    taken: names.filter((name) => isTaken(deps, policy, name)),
    kept: { ...NOTHING_KEPT, ...parseRecord<Kept>(map?.data?.[KEPT_KEY]) },
    plan: planOf(map?.data?.[PLAN_KEY]),
    execution: parseRecord<Execution>(map?.data?.[EXECUTION_KEY]),
    outlook: memory.outlook,
  };
}

export function selectionOf({ informers }: RebalanceDeps, policy: RebalancePolicy): Selection {
  const namespace = policy.metadata.namespace ?? '';
  const here = <T extends { metadata: { namespace?: string } }>(all: readonly T[]): T[] =>
    all.filter(({ metadata }) => metadata.namespace === namespace);
  return select(policy, {
    clusters: here(informers.clusters.store.list()).map(applyDefaults),
    libraries: here(informers.libraries.store.list()),
    policies: here(informers.policies.store.list()).map(applyDefaults),
  });
}

const mapNamed = ({ informers }: RebalanceDeps, { metadata }: RebalancePolicy, name: string) =>
  informers.configMaps.store.get({ namespace: metadata.namespace ?? '', name });

const isTaken = (deps: RebalanceDeps, policy: RebalancePolicy, name: string): boolean => {
  const map = mapNamed(deps, policy, name);
  return map !== undefined && !isControlledBy(map, policy);
};

const ownMap = (deps: RebalanceDeps, policy: RebalancePolicy, name: string) =>
  isTaken(deps, policy, name) ? undefined : mapNamed(deps, policy, name);

function planOf(text: string | undefined): KeptPlan {
  if (text === undefined) return { kind: 'none' };
  try {
    return { kind: 'plan', document: readPlan(text) };
  } catch (error) {
    if (!(error instanceof PlanError)) throw error;
    return { kind: 'broken', message: error.message };
  }
}

/** Brings back what was kept before this process. */
export function restoreHistory(deps: RebalanceDeps, { policy, memory }: Omit<Gathering, 'signal'>): void {
  for (const { metadata } of selectionOf(deps, policy).clusters) {
    const text = ownMap(deps, policy, loadName(policy.metadata.name, metadata.name))?.data?.[HISTORY_KEY];
    const kept = text === undefined ? undefined : decodeHistory(text);
    if (kept !== undefined) memory.restore(metadata.name, kept);
  }
}

/** Asks every peer of every cluster of the policy for its load. */
export async function observe(deps: RebalanceDeps, { policy, memory, signal }: Gathering): Promise<void> {
  const selection = selectionOf(deps, policy);
  const unreachable = new Map<string, string>();
  const questions = selection.clusters.flatMap((cluster): Question[] => {
    const { name, namespace = '' } = cluster.metadata;
    const way = connectionOf(cluster, secretLookup(deps.informers.secrets.store, namespace));
    if (!way.ok) {
      unreachable.set(name, way.message);
      return [];
    }
    const { peers } = deps.pool.get(keyText(keyOf(cluster)), way.connection);
    return [{ cluster: name, peers }];
  });
  const looks = await lookAtClusters(questions, { signal, now: deps.now });
  const chosen = new Set(selection.libraries.map(({ metadata }) => metadata.name));
  const all = deps.informers.libraries.store
    .list()
    .filter(({ metadata }) => metadata.namespace === policy.metadata.namespace);
  memory.keepOnly(new Set(selection.clusters.map(({ metadata }) => metadata.name)), chosen);
  memory.observed(looks, {
    unreachable,
    tenants: all.map((library) => tenantOf(library, chosen)),
    homes: selection.libraries.map(({ metadata, status }) => ({
      library: metadata.name,
      cluster: status?.cluster,
      collection: status?.collection,
    })),
  });
  memory.lookedAt = deps.now();
}

/** Names by which Qdrant counts requests are those that were asked for: aliases count under their own. */
function tenantOf(library: DomainLibrary, chosen: ReadonlySet<string>): Tenant {
  const { metadata, status } = library;
  return {
    library: chosen.has(metadata.name) ? metadata.name : undefined,
    names: [publicName(library), ...(library.spec.aliases ?? [])],
    collections: (status?.generations ?? []).map(({ collection }) => collection),
  };
}

/** What breaks the rules of the API, which an API server without our definitions would let pass. */
function violationsOf(policy: RebalancePolicy, memory: RebalanceMemory): readonly string[] {
  const { apiVersion, kind, metadata, spec } = policy;
  if (memory.violations === undefined || memory.violations.generation !== metadata.generation) {
    const found = validate({ apiVersion, kind, metadata: { name: metadata.name }, spec }).map(
      ({ field, value, rule }) => `${field}: ${value === undefined ? '' : `${JSON.stringify(value)}: `}${rule}`,
    );
    memory.violations = { generation: metadata.generation, found };
  }
  return memory.violations.found;
}
