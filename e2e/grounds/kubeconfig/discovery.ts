import { type KubeClient, NODES, STORAGE_CLASSES } from '../../../src/kube/index.ts';
import { allNeedsBut, NEEDS, type Need } from '../../ground.ts';
import { hasKubectl } from '../has-kubectl.ts';

const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';

/**
 * What somebody's cluster offers to scenarios. Nothing that disturbs more than the scenario's own namespace: who lends
 * a cluster lends neither its control plane nor its nodes.
 *
 * @param namespace one that asks for restricted pods
 */
export async function discovered(admin: KubeClient, namespace: string, storageClass?: string): Promise<Set<Need>> {
  const realNode = await hasRealNodes(admin);
  const asked: readonly (readonly [Need, boolean])[] = [
    ['kubectl', hasKubectl()],
    ['real-controllers', await serves(admin, '/apis/autoscaling/v2')],
    ['pod-network', realNode],
    // Where all pods share one network, a gateway takes the port of every Qdrant.
    ['gateway', realNode],
    ['memory-limits', realNode],
    ['pod-security', await refusesPrivileged(admin, namespace)],
    ['volume-expansion', await canExpand(admin, storageClass)],
  ];
  return new Set(asked.filter(([, there]) => there).map(([need]) => need));
}

const serves = async (admin: KubeClient, path: string): Promise<boolean> =>
  (await admin.raw('GET', path)).status === 200;

/** Pods that are processes of this machine live on its loopback addresses. */
async function hasRealNodes(admin: KubeClient): Promise<boolean> {
  const nodes = await admin.listAll(NODES, {});
  const addresses = nodes.flatMap(({ status }) => status?.addresses ?? []);
  return addresses.some(({ type, address }) => type === 'InternalIP' && !address.startsWith('127.'));
}

async function refusesPrivileged(admin: KubeClient, namespace: string): Promise<boolean> {
  const container = { name: 'c', image: 'none', securityContext: { privileged: true } };
  const body = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'privileged', namespace },
    spec: { containers: [container] },
  };
  const { status } = await admin.raw('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, { body });
  return status === 403;
}

async function canExpand(admin: KubeClient, wanted: string | undefined): Promise<boolean> {
  if (!(await serves(admin, '/apis/storage.k8s.io/v1'))) return false;
  const classes = await admin.listAll(STORAGE_CLASSES, {});
  const used = classes.find(({ metadata }) =>
    wanted === undefined ? metadata.annotations?.[DEFAULT_CLASS] === 'true' : metadata.name === wanted,
  );
  return used?.allowVolumeExpansion === true;
}

const VARIABLE = 'E2E_CLUSTER_PROVIDES';

export const needsAsEnvironment = (needs: ReadonlySet<Need>): Record<string, string> => ({
  [VARIABLE]: [...needs].join(','),
});

export function needsOfEnvironment(): ReadonlySet<Need> {
  const there = new Set((process.env[VARIABLE] ?? '').split(','));
  return allNeedsBut((Object.keys(NEEDS) as Need[]).filter((need) => !there.has(need)));
}
