import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { loadAll } from 'js-yaml';
import { KINDS } from '../src/api/index.ts';
import {
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  CUSTOM_RESOURCE_DEFINITIONS,
  DEPLOYMENTS,
  type Deployment,
  type KubeClient,
  type KubeObject,
  keyOf,
  NAMESPACES,
  POD_DISRUPTION_BUDGETS,
  type ResourceType,
  ROLE_BINDINGS,
  ROLES,
  resourceType,
  SECRETS,
  SERVICE_ACCOUNTS,
  SERVICES,
} from '../src/kube/index.ts';

const ROOT = resolve(import.meta.dirname, '..');
const MANAGER = 'sandbox';

const TYPES: readonly ResourceType<KubeObject>[] = [
  ...[NAMESPACES, SERVICE_ACCOUNTS, ROLES, ROLE_BINDINGS, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS].map(
    (type) => type as ResourceType<KubeObject>,
  ),
  ...[SERVICES, SECRETS, DEPLOYMENTS, POD_DISRUPTION_BUDGETS, CUSTOM_RESOURCE_DEFINITIONS].map(
    (type) => type as ResourceType<KubeObject>,
  ),
  ...KINDS.map(({ group, version, kind, plural, namespaced }) =>
    resourceType<KubeObject>({ group, version, kind, plural, namespaced }),
  ),
];

export type Change = (object: KubeObject) => KubeObject;

/** Applies the custom resource definitions and waits until the server serves them. */
export async function installDefinitions(client: KubeClient): Promise<void> {
  const names = await kustomizationOf('crds');
  for (const file of names) await applyAll(client, await readObjects(join(ROOT, 'crds', file)));
}

/**
 * Applies `manifests/base` but the definitions, in the order of its kustomization.
 *
 * @param change what differs here from the published manifests: images, settings
 */
export async function installOperator(client: KubeClient, change: Change): Promise<void> {
  for (const file of await kustomizationOf('manifests/base')) {
    if (!file.endsWith('.yaml')) continue;
    const objects = await readObjects(join(ROOT, 'manifests/base', file));
    await applyAll(client, objects.map(change));
  }
}

type Variables = Readonly<Record<string, string>>;

export type Installed = {
  /** More variables of the operator. */
  readonly environment: Variables;
  readonly gateways: { readonly replicas: number; readonly environment: Variables };
};

/** Whether a Deployment is the gateway's; the other one is the operator's. */
export const isGateway = ({ metadata }: KubeObject): boolean =>
  metadata.labels?.['app.kubernetes.io/component'] === 'gateway';

/** A published object as it is installed for a run: with these variables, and so many gateways. */
export function asInstalled(object: KubeObject, { environment, gateways }: Installed): KubeObject {
  if (object.kind !== 'Deployment') return object;
  const deployment = structuredClone(object) as Deployment;
  const gateway = isGateway(deployment);
  const variables = gateway ? gateways.environment : environment;
  if (gateway && deployment.spec !== undefined) deployment.spec.replicas = gateways.replicas;
  for (const container of deployment.spec?.template.spec?.containers ?? []) {
    const kept = (container.env ?? []).filter(({ name }) => variables[name] === undefined);
    container.env = [...kept, ...Object.entries(variables).map(([name, value]) => ({ name, value }))];
  }
  return deployment;
}

/** The objects of a YAML file with one or more documents. */
export async function readObjects(file: string): Promise<KubeObject[]> {
  const documents = loadAll(await readFile(file, 'utf8')) as (KubeObject | null)[];
  return documents.filter((document) => document !== null);
}

/** Applies objects of any kind that the sandbox knows, one after the other. */
export async function applyAll(client: KubeClient, objects: readonly KubeObject[]): Promise<void> {
  for (const object of objects) {
    await client.apply(typeOf(object), object, { fieldManager: MANAGER });
  }
}

/** @throws Error for a kind that the sandbox does not know */
export function typeOf(object: KubeObject): ResourceType<KubeObject> {
  const found = TYPES.find(({ group, version, kind }) => {
    const apiVersion = group === '' ? version : `${group}/${version}`;
    return object.apiVersion === apiVersion && object.kind === kind;
  });
  if (found !== undefined) return found;
  throw new Error(`${object.kind} ${keyOf(object).name}: the sandbox installs no objects of ${object.apiVersion}`);
}

async function kustomizationOf(folder: string): Promise<string[]> {
  const [kustomization] = (await readObjects(join(ROOT, folder, 'kustomization.yaml'))) as unknown as {
    resources?: string[];
  }[];
  return kustomization?.resources ?? [];
}
