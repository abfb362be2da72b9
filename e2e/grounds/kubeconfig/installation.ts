import { setTimeout as sleep } from 'node:timers/promises';
import { asInstalled, installDefinitions, installOperator } from '../../../sandbox/install.ts';
import { KINDS } from '../../../src/api/index.ts';
import {
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  CUSTOM_RESOURCE_DEFINITIONS,
  DEPLOYMENTS,
  type Deployment,
  type KubeClient,
  type KubeObject,
  NAMESPACES,
  type ResourceType,
} from '../../../src/kube/index.ts';
import { CannotStart } from '../../ground.ts';
import { PATIENCE_SECONDS } from '../../stage/patience.ts';
import { rolledOut } from '../../stage/rollout.ts';
import { type ClusterRun, RUN_LABEL } from './run-of-cluster.ts';

const OPERATOR = 'qdrant-librarian';
const PUBLISHED_NAMESPACE = 'qdrant-librarian-system';
const DEFINITIONS = KINDS.map(({ group, plural }) => `${plural}.${group}`);

/** @throws CannotStart when an operator is there already: two would fight over every object */
export async function refuseSecondOperator(admin: KubeClient): Promise<void> {
  const found = await admin.listAll(DEPLOYMENTS, { labelSelector: `app.kubernetes.io/name=${OPERATOR}` });
  if (found.length === 0) return;
  const places = found.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(', ');
  throw new CannotStart(
    `the cluster runs the operator already (${places}). What a run left that was killed is removed by: ` +
      `kubectl delete namespaces,clusterroles,clusterrolebindings -l ${RUN_LABEL}`,
  );
}

/** The definitions that are not there yet. */
export async function missingDefinitions(admin: KubeClient): Promise<readonly string[]> {
  const found = await admin.listAll(CUSTOM_RESOURCE_DEFINITIONS, {});
  const names = new Set(found.map(({ metadata }) => metadata.name));
  return DEFINITIONS.filter((name) => !names.has(name));
}

export const installRun = async (admin: KubeClient, run: ClusterRun): Promise<void> => {
  await installDefinitions(admin);
  await installWith(admin, run, { environment: {}, gateways: 0 });
};

/** What a file of scenarios wants of what is installed. */
type Settings = {
  /** Variables of the operator. */
  readonly environment: Readonly<Record<string, string>>;
  /** How many gateways run. */
  readonly gateways: number;
};

/** Applies the published manifests under the run's names; resolves when only an operator with these settings runs. */
export async function installWith(admin: KubeClient, run: ClusterRun, settings: Settings): Promise<void> {
  await installOperator(admin, (object) => changed(object, run, settings));
  await rolledOut(admin, { namespace: run.namespace, name: OPERATOR });
}

const CLUSTER_WIDE = new Set(['Namespace', 'ClusterRole', 'ClusterRoleBinding']);

function changed(object: KubeObject, run: ClusterRun, settings: Settings): KubeObject {
  const text = JSON.stringify(object).replaceAll(PUBLISHED_NAMESPACE, run.namespace);
  const copy = JSON.parse(text) as KubeObject & { roleRef?: { kind: string; name: string } };
  if (CLUSTER_WIDE.has(copy.kind)) copy.metadata.labels = { ...copy.metadata.labels, [RUN_LABEL]: run.id };
  if (copy.kind.startsWith('ClusterRole')) copy.metadata.name += `-${run.id}`;
  if (copy.roleRef?.kind === 'ClusterRole') copy.roleRef.name += `-${run.id}`;
  return copy.kind === 'Deployment' ? withSettings(copy as Deployment, run, settings) : copy;
}

function withSettings(deployment: Deployment, run: ClusterRun, settings: Settings): Deployment {
  const images = run.image === undefined ? {} : { QDRANT_LIBRARIAN_IMAGE: run.image };
  const gateways = { replicas: settings.gateways, environment: {} };
  const environment = { ...images, ...settings.environment };
  const installed = asInstalled(deployment, { environment, gateways }) as Deployment;
  for (const container of installed.spec?.template.spec?.containers ?? []) {
    if (run.image !== undefined) container.image = run.image;
  }
  return installed;
}

/** Removes the run's namespaces while its operator still lets go of what is in them, then the rest of the run. */
export async function removeRun(admin: KubeClient, run: ClusterRun, definitions: readonly string[]): Promise<void> {
  await removeNamespaces(admin, scenariosOf(run));
  for (const type of [
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
  ] as readonly unknown[] as readonly ResourceType<KubeObject>[]) {
    for (const { metadata } of await admin.listAll(type, { labelSelector: `${RUN_LABEL}=${run.id}` })) {
      await admin.delete(type, { namespace: '', name: metadata.name });
    }
  }
  await removeNamespaces(admin, run.namespace);
  for (const name of definitions) await admin.delete(CUSTOM_RESOURCE_DEFINITIONS, { namespace: '', name });
  await gone('definitions', async () => {
    const missing = new Set(await missingDefinitions(admin));
    return definitions.filter((name) => !missing.has(name));
  });
}

/** Names of namespaces that scenarios of the run make begin with it. */
export const scenariosOf = (run: ClusterRun): string => `e2e-${run.id}-s-`;

/** Removes the namespaces whose names begin so, and waits until they are gone. */
async function removeNamespaces(admin: KubeClient, prefix: string): Promise<void> {
  await gone('namespaces', async () => {
    const all = await admin.listAll(NAMESPACES, {});
    const left = all.filter(({ metadata }) => metadata.name.startsWith(prefix));
    for (const { metadata } of left) {
      if (metadata.deletionTimestamp === undefined) {
        await admin.delete(NAMESPACES, { namespace: '', name: metadata.name });
      }
    }
    return left.map(({ metadata }) => metadata.name);
  });
}

async function gone(what: string, left: () => Promise<readonly string[]>): Promise<void> {
  const deadline = performance.now() + PATIENCE_SECONDS * 1000;
  for (;;) {
    const names = await left();
    if (names.length === 0) return;
    if (performance.now() > deadline) throw new Error(`${what} do not go: ${names.join(', ')}`);
    await sleep(300);
  }
}
