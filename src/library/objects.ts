import type { DomainLibrary, QdrantCluster } from '../api/index.ts';
import {
  type ConfigMap,
  type Job,
  type KubeObject,
  ownerReference,
  type Role,
  type RoleBinding,
  type ServiceAccount,
} from '../kube/index.ts';
import { API_KEY_FILE, CA_FILE, KEY_DIRECTORIES, type Projection, type WorkerConfig } from '../migration/index.ts';
import type { PeerAddress } from '../qdrant/index.ts';
import { jobName, libraryLabels, publicName, workerNames } from './names.ts';
import { workerRules } from './rbac.ts';
import { mountedSecrets } from './secrets.ts';

/** One end of a copy. */
export type CopyEnd = {
  readonly cluster: QdrantCluster;
  readonly peers: readonly PeerAddress[];
  /** Physical name. */
  readonly collection: string;
};

export type CopyPlan = {
  readonly library: DomainLibrary;
  readonly source: CopyEnd;
  readonly target: CopyEnd;
  readonly generation: number;
  readonly attempt: number;
  /** The target was filled before: it is compared at once. */
  readonly again?: boolean;
  readonly projection: Projection;
  /** How the bulk of the data is to travel; undefined: point by point. */
  readonly engine?: WorkerConfig['engine'] | undefined;
  readonly maxFreezeSeconds: number;
  /** Most points that Qdrant gives in one answer; undefined: as many as are asked for. */
  readonly pageLimit?: number | undefined;
  readonly image: string;
  /** Names of Secrets in the library's namespace; none when not given. */
  readonly pullSecrets?: readonly string[];
  /** Further variables of the worker: its log level, where its traces go. */
  readonly environment?: Readonly<Record<string, string>>;
};

export type CopyObjects = {
  readonly account: ServiceAccount;
  readonly role: Role;
  readonly roleBinding: RoleBinding;
  readonly config: ConfigMap;
  /** Empty; made once and from then on the worker's. */
  readonly progress: ConfigMap;
  readonly job: Job;
};

const CONFIG_FILE = 'config.json';
const CONFIG_PATH = '/etc/qdrant-librarian/worker';
const KEYS_PATH = '/etc/qdrant-librarian/keys';
const LEASE_SECONDS = 20;
const LANES = 4;
const PAGE_SIZE = 256;

/** Everything one copy needs, all owned by the library. */
export function copyObjects(plan: CopyPlan): CopyObjects {
  const { library, generation } = plan;
  const names = workerNames(library.metadata.name, generation);
  const subject = { kind: 'ServiceAccount', name: names.account, namespace: library.metadata.namespace ?? '' };
  const apiGroup = 'rbac.authorization.k8s.io';
  return {
    account: { ...owned(library, names.account), apiVersion: 'v1', kind: 'ServiceAccount' },
    role: {
      ...owned(library, names.account),
      apiVersion: `${apiGroup}/v1`,
      kind: 'Role',
      rules: workerRules(names.progress),
    },
    roleBinding: {
      ...owned(library, names.account),
      apiVersion: `${apiGroup}/v1`,
      kind: 'RoleBinding',
      roleRef: { apiGroup, kind: 'Role', name: names.account },
      subjects: [subject],
    },
    config: {
      ...owned(library, names.config),
      apiVersion: 'v1',
      kind: 'ConfigMap',
      data: { [CONFIG_FILE]: JSON.stringify(workerConfig(plan, names.progress)) },
    },
    progress: { ...owned(library, names.progress), apiVersion: 'v1', kind: 'ConfigMap' },
    job: copyJob(plan, names),
  };
}

function owned(library: DomainLibrary, name: string): Pick<KubeObject, 'metadata'> {
  const { namespace } = library.metadata;
  return {
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: libraryLabels(library.metadata.name),
      ownerReferences: [ownerReference(library)],
    },
  };
}

function workerConfig(plan: CopyPlan, progress: string): WorkerConfig {
  const { library, generation } = plan;
  const side = ({ cluster, peers, collection }: CopyEnd) => ({
    collection,
    peers: peers.map(({ name, rest, grpc }) => ({ name, rest, ...(grpc === undefined ? {} : { grpc }) })),
    apiKey: mountedSecrets(cluster).apiKey !== undefined,
    ca: mountedSecrets(cluster).ca !== undefined,
  });
  return {
    version: 1,
    change: `${library.metadata.uid}/${generation}`,
    alias: publicName(library),
    progress: { namespace: library.metadata.namespace ?? '', name: progress },
    ...(plan.again === true ? { again: true } : {}),
    source: side(plan.source),
    target: side(plan.target),
    projection: {
      vectors: Object.fromEntries(Object.entries(plan.projection.vectors).map(([name, rule]) => [name, { ...rule }])),
      keepShardKeys: plan.projection.keepShardKeys,
    },
    ...(plan.engine === undefined ? {} : { engine: plan.engine }),
    maxFreezeSeconds: plan.maxFreezeSeconds,
    leaseSeconds: LEASE_SECONDS,
    lanes: LANES,
    pageSize: Math.min(PAGE_SIZE, plan.pageLimit ?? PAGE_SIZE),
  };
}

const BACKOFF_LIMIT = 2;

function copyJob(plan: CopyPlan, names: ReturnType<typeof workerNames>): Job {
  const { library, generation, attempt, pullSecrets = [] } = plan;
  const object = owned(library, jobName(library.metadata.name, generation, attempt));
  return {
    ...object,
    apiVersion: 'batch/v1',
    kind: 'Job',
    spec: {
      backoffLimit: BACKOFF_LIMIT,
      completions: 1,
      parallelism: 1,
      // Two workers at once would write over each other; the lease in the progress is the second guard.
      podReplacementPolicy: 'Failed',
      template: {
        metadata: { labels: libraryLabels(library.metadata.name) },
        spec: {
          restartPolicy: 'Never',
          serviceAccountName: names.account,
          enableServiceLinks: false,
          ...(pullSecrets.length === 0 ? {} : { imagePullSecrets: pullSecrets.map((name) => ({ name })) }),
          terminationGracePeriodSeconds: 30,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65532,
            runAsGroup: 65532,
            fsGroup: 65532,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [container(plan)],
          volumes: [
            { name: 'config', configMap: { name: names.config } },
            ...SIDES.flatMap((side) => keyVolume(side, plan[side].cluster)),
          ],
        },
      },
    },
  };
}

type Container = NonNullable<Job['spec']>['template']['spec'] extends { containers: (infer C)[] } | undefined
  ? C
  : never;

const SIDES = ['source', 'target'] as const;
type SideName = (typeof SIDES)[number];

const container = ({ image, environment = {}, ...ends }: CopyPlan): Container => {
  const sides = SIDES.filter((side) => keySources(ends[side].cluster).length > 0);
  return {
    name: 'copy',
    image,
    args: ['worker', 'copy', '--config', `${CONFIG_PATH}/${CONFIG_FILE}`],
    env: [
      { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
      ...sides.map((side) => ({ name: KEY_DIRECTORIES[side], value: `${KEYS_PATH}/${side}` })),
      ...Object.entries(environment).map(([name, value]) => ({ name, value })),
    ],
    volumeMounts: [
      { name: 'config', mountPath: CONFIG_PATH, readOnly: true },
      ...sides.map((side) => ({ name: `${side}-keys`, mountPath: `${KEYS_PATH}/${side}`, readOnly: true })),
    ],
    resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
  };
};

function keyVolume(side: SideName, cluster: QdrantCluster) {
  const sources = keySources(cluster);
  return sources.length === 0 ? [] : [{ name: `${side}-keys`, projected: { defaultMode: 0o440, sources } }];
}

function keySources(cluster: QdrantCluster) {
  const { apiKey, ca } = mountedSecrets(cluster);
  const source = (reference: { name: string; key: string } | undefined, path: string) =>
    reference === undefined ? [] : [{ secret: { name: reference.name, items: [{ key: reference.key, path }] } }];
  return [...source(apiKey, API_KEY_FILE), ...source(ca, CA_FILE)];
}
