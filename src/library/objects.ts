import type { DomainLibrary, QdrantCluster } from '../api/index.ts';
import {
  type ConfigMap,
  type Job,
  secretFiles,
  type WorkerAccess,
  type WorkerMount,
  workerAccess,
  workerConfigData,
  workerJob,
} from '../kube/index.ts';
import { API_KEY_FILE, CA_FILE, KEY_DIRECTORIES, type Projection, type WorkerConfig } from '../migration/index.ts';
import type { PeerAddress } from '../qdrant/index.ts';
import { jobName, libraryLabels, publicName, workerNames } from './names.ts';
import { owned } from './owned.ts';
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
  /** What a policy wants to be read under the fence. */
  readonly verify?: WorkerConfig['verify'] | undefined;
  readonly maxFreezeSeconds: number;
  /** Most points that Qdrant gives in one answer; undefined: as many as are asked for. */
  readonly pageLimit?: number | undefined;
  readonly image: string;
  /** Names of Secrets in the library's namespace; none when not given. */
  readonly pullSecrets?: readonly string[];
  /** Further variables of the worker: its log level, where its traces go. */
  readonly environment?: Readonly<Record<string, string>>;
};

export type CopyObjects = WorkerAccess & {
  readonly config: ConfigMap;
  /** Empty; made once and from then on the worker's. */
  readonly progress: ConfigMap;
  readonly job: Job;
};

const KEYS_PATH = '/etc/qdrant-librarian/keys';
const LEASE_SECONDS = 20;
const LANES = 4;
const PAGE_SIZE = 512;
/** Points of which only ids and versions are asked for. */
const LIST_SIZE = 4000;

/** Everything one copy needs, all owned by the library. */
export function copyObjects(plan: CopyPlan): CopyObjects {
  const { library, generation } = plan;
  const names = workerNames(library.metadata.name, generation);
  return {
    ...workerAccess(owned(library, names.account), names.progress),
    config: {
      ...owned(library, names.config),
      apiVersion: 'v1',
      kind: 'ConfigMap',
      data: workerConfigData(workerConfig(plan, names.progress)),
    },
    progress: { ...owned(library, names.progress), apiVersion: 'v1', kind: 'ConfigMap' },
    job: copyJob(plan, names),
  };
}

/** What a worker is told of one end. */
export const sideConfig = ({ cluster, peers, collection }: CopyEnd) => ({
  collection,
  peers: peers.map(({ name, rest, grpc }) => ({ name, rest, ...(grpc === undefined ? {} : { grpc }) })),
  apiKey: mountedSecrets(cluster).apiKey !== undefined,
  ca: mountedSecrets(cluster).ca !== undefined,
});

function workerConfig(plan: CopyPlan, progress: string): WorkerConfig {
  const { library, generation } = plan;
  return {
    version: 1,
    change: `${library.metadata.uid}/${generation}`,
    alias: publicName(library),
    progress: { namespace: library.metadata.namespace ?? '', name: progress },
    ...(plan.again === true ? { again: true } : {}),
    source: sideConfig(plan.source),
    target: sideConfig(plan.target),
    projection: {
      vectors: Object.fromEntries(Object.entries(plan.projection.vectors).map(([name, rule]) => [name, { ...rule }])),
      keepShardKeys: plan.projection.keepShardKeys,
    },
    ...(plan.engine === undefined ? {} : { engine: plan.engine }),
    ...(plan.verify === undefined ? {} : { verify: plan.verify }),
    maxFreezeSeconds: plan.maxFreezeSeconds,
    leaseSeconds: LEASE_SECONDS,
    lanes: LANES,
    pageSize: Math.min(PAGE_SIZE, plan.pageLimit ?? PAGE_SIZE),
    ...(plan.pageLimit === undefined ? {} : { listSize: Math.min(LIST_SIZE, plan.pageLimit) }),
  };
}

const BACKOFF_LIMIT = 2;

function copyJob(plan: CopyPlan, names: ReturnType<typeof workerNames>): Job {
  const { library, generation, attempt, image, pullSecrets = [], environment = {} } = plan;
  return workerJob({
    object: owned(library, jobName(library.metadata.name, generation, attempt)),
    labels: libraryLabels(library.metadata.name),
    task: 'copy',
    account: names.account,
    config: names.config,
    mounts: SIDES.flatMap((side) => keyMount(side, plan[side].cluster)),
    image,
    pullSecrets,
    environment,
    backoffLimit: BACKOFF_LIMIT,
  });
}

export const SIDES = ['source', 'target'] as const;

/** The key and the certificate of one end, as files. */
export function keyMount(side: (typeof SIDES)[number], cluster: QdrantCluster): WorkerMount[] {
  const { apiKey, ca } = mountedSecrets(cluster);
  const volume = secretFiles(`${side}-keys`, { [API_KEY_FILE]: apiKey, [CA_FILE]: ca });
  return volume === undefined ? [] : [{ volume, path: `${KEYS_PATH}/${side}`, variable: KEY_DIRECTORIES[side] }];
}
