import { dump } from 'js-yaml';
import { KINDS } from '../../../src/api/index.ts';
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  EVENTS,
  JOBS,
  type KubeClient,
  type KubeObject,
  LEASES,
  NETWORK_POLICIES,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  POD_DISRUPTION_BUDGETS,
  PODS,
  type ResourceType,
  ROLE_BINDINGS,
  ROLES,
  resourceType,
  SECRETS,
  SERVICE_ACCOUNTS,
  SERVICES,
  STATEFUL_SETS,
} from '../../../src/kube/index.ts';
import type { Inquiry } from './inquiry.ts';

const OWN = KINDS.map((descriptor) => resourceType<KubeObject>(descriptor));
const WORKLOAD = [PODS, STATEFUL_SETS, JOBS, SERVICES, ENDPOINT_SLICES, CONFIG_MAPS, SECRETS, EVENTS];
const REST = [
  PERSISTENT_VOLUME_CLAIMS,
  POD_DISRUPTION_BUDGETS,
  NETWORK_POLICIES,
  SERVICE_ACCOUNTS,
  ROLES,
  ROLE_BINDINGS,
];
const OF_OPERATOR = [DEPLOYMENTS, PODS, LEASES, EVENTS];
const OF_CLUSTER = [NODES, PERSISTENT_VOLUMES];

const ANY = (types: readonly unknown[]) => types as readonly ResourceType<KubeObject>[];

type Where = { readonly client: KubeClient; readonly namespace: string; readonly operatorNamespace: string };

/** All objects of the kinds that a scenario is about, as YAML. */
export async function inquireObjects(inquiry: Inquiry, { client, namespace, operatorNamespace }: Where): Promise<void> {
  const places = [
    { types: [...OWN, ...ANY(WORKLOAD), ...ANY(REST)], folder: 'objects', namespace },
    { types: ANY(OF_OPERATOR), folder: 'operator/objects', namespace: operatorNamespace },
    { types: ANY(OF_CLUSTER), folder: 'cluster', namespace: '' },
  ];
  await Promise.all(
    places.flatMap(({ types, folder, namespace: where }) =>
      types.map(async (type) => {
        const scope = where === '' ? {} : { namespace: where };
        const { signal } = inquiry;
        const objects = await inquiry.ask(`${folder}/${type.plural}`, () => client.listAll(type, { ...scope, signal }));
        if (objects === undefined || objects.length === 0) return;
        inquiry.files.set(`${folder}/${type.plural}.yaml`, asYaml(objects));
      }),
    ),
  );
}

/** One document each. Nothing of what a Secret holds but the names of its entries. */
export const asYaml = (objects: readonly KubeObject[]): string =>
  objects.map((object) => `---\n${dump(shown(object), { lineWidth: 160, noRefs: true })}`).join('');

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

type Shown = KubeObject & { data?: Record<string, string>; stringData?: unknown };

function shown(object: KubeObject): KubeObject {
  const copy: Shown = structuredClone(object);
  delete copy.metadata.managedFields;
  delete copy.metadata.annotations?.[LAST_APPLIED];
  if (copy.kind !== 'Secret') return copy;
  delete copy.stringData;
  copy.data = Object.fromEntries(Object.keys(copy.data ?? {}).map((key) => [key, '[left out]']));
  return copy;
}
