import { isDeepStrictEqual } from 'node:util';
import { ANNOTATIONS, type DomainLibrary, FIELD_MANAGERS, type RebalancePolicy } from '../api/index.ts';
import {
  CONFIG_MAPS,
  type ConfigMap,
  type Expectations,
  isControlledBy,
  KubeError,
  keyOf,
  type ReconcileContext,
} from '../kube/index.ts';
import type { Step } from './decide/step.ts';
import type { Decision } from './decide.ts';
import { DOMAIN_LIBRARIES, REBALANCE_POLICIES, type RebalanceDeps } from './deps.ts';
import { NOTHING_KEPT } from './kept.ts';
import type { RebalanceMemory } from './memory.ts';
import { ASSIGNMENT_MANAGER, loadName } from './names.ts';
import { KEPT_KEY, loadMap, planMap } from './objects.ts';
import type { World } from './world.ts';

export type Acting = {
  readonly deps: RebalanceDeps;
  readonly context: ReconcileContext;
  readonly expectations: Expectations;
  readonly world: World;
};

/**
 * Keeps the records first: what is ordered is known to whoever comes after a crash, and ordered again where the order
 * was lost. The annotation goes last, once what it asked for stands in the status: see `clearVerb`.
 */
export async function act(acting: Acting, decision: Decision): Promise<void> {
  await keepRecords(acting, decision);
  for (const step of decision.steps) if (step.kind !== 'clearVerb') await carryOut(acting, step);
}

/** Removes the annotation that was obeyed; one that was set meanwhile stays. */
export async function clearVerb({ deps, context, expectations, world }: Acting, value: string): Promise<void> {
  const { policy } = world;
  const path = `/metadata/annotations/${ANNOTATIONS.plan.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const body = [
    { op: 'test', path, value },
    { op: 'remove', path },
  ];
  try {
    const options = { type: 'json', signal: context.signal } as const;
    const written = await deps.kube.patch(REBALANCE_POLICIES, keyOf(policy), body, options);
    expectations.wrote(keyOf(policy), deps.informers.policies, written);
  } catch (error) {
    // It has another value by now, or is gone: the next pass looks at it.
    if (!(error instanceof KubeError) || (error.status !== 422 && error.status !== 404)) throw error;
  }
}

async function keepRecords({ deps, context, expectations, world }: Acting, decision: Decision): Promise<void> {
  const { policy } = world;
  const { document, execution, kept } = decision;
  const known = document ?? (world.plan.kind === 'plan' && decision.state !== 'None' ? world.plan.document : undefined);
  const wanted = planMap(policy, { document: known, execution, kept });
  const stored = deps.informers.configMaps.store.get(keyOf(wanted));
  if (stored !== undefined && !isControlledBy(stored, policy)) return;
  // A policy that has nothing to remember needs no ConfigMap.
  if (stored === undefined && isDeepStrictEqual(wanted.data, { [KEPT_KEY]: JSON.stringify(NOTHING_KEPT) })) return;
  if (isDeepStrictEqual(stored?.data, wanted.data)) return;
  await apply({ deps, context, expectations, world }, wanted);
}

async function apply({ deps, context, expectations, world }: Acting, object: ConfigMap): Promise<void> {
  const options = { fieldManager: FIELD_MANAGERS.objects, signal: context.signal };
  const written = await deps.kube.apply(CONFIG_MAPS, object, options);
  expectations.wrote(keyOf(world.policy), deps.informers.configMaps, written);
}

async function carryOut(acting: Acting, step: Exclude<Step, { kind: 'clearVerb' }>): Promise<void> {
  const { deps, context, expectations, world } = acting;
  const library = world.libraries.find(({ name }) => name === step.library)?.object;
  if (library === undefined) return;
  context.assertLeading();
  const { policy } = world;
  const status =
    step.kind === 'assign'
      ? { assignment: { cluster: step.cluster, policy: policy.metadata.name, planDigest: step.digest } }
      : {};
  const { name, namespace = '', uid = '' } = library.metadata;
  const { apiVersion, kind } = library;
  const object = { apiVersion, kind, metadata: { name, namespace, uid }, status } as DomainLibrary;
  const options = { fieldManager: ASSIGNMENT_MANAGER, subresource: 'status', signal: context.signal } as const;
  const written = await deps.kube.apply(DOMAIN_LIBRARIES, object, options);
  expectations.wrote(keyOf(policy), deps.informers.libraries, written);
  context.log.info({ library: name, step: step.kind, assignment: status.assignment }, 'assignment written');
}

/** Writes what is known of the load of each cluster, and drops what is kept of others. */
export async function saveHistory(acting: Acting, memory: RebalanceMemory): Promise<void> {
  const { deps, context, world } = acting;
  const { policy, clusters, libraries } = world;
  for (const { name, history, seen } of clusters) {
    if (seen === undefined || world.taken.includes(loadName(policy.metadata.name, name))) continue;
    const here = libraries.filter(({ object }) => object.status?.cluster === name);
    const demands = new Map(here.map((library) => [library.name, memory.demand(library.name)]));
    await apply(acting, loadMap(policy, name, { history, libraries: demands }));
  }
  const wanted = new Set(clusters.map(({ name }) => loadName(policy.metadata.name, name)));
  const { namespace = '' } = policy.metadata;
  const mine = deps.informers.configMaps.store
    .list()
    .filter((map) => map.metadata.namespace === namespace && isControlledBy(map, policy))
    .map(({ metadata }) => metadata.name)
    .filter((name) => name.startsWith(loadPrefix(policy)) && !wanted.has(name));
  for (const name of mine) await deps.kube.delete(CONFIG_MAPS, { namespace, name }, { signal: context.signal });
}

const loadPrefix = ({ metadata }: RebalancePolicy): string => `${metadata.name}-load-`;
