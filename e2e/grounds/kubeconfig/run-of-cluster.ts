/** Marks what a run makes in somebody's cluster. */
export const RUN_LABEL = 'qdrant-librarian.io/e2e-run';

/** What the processes of a run must know of it; in the environment. */
export type ClusterRun = {
  /** Distinguishes the names of this run's objects. */
  readonly id: string;
  readonly namespace: string;
  /** Image of the operator; the manifests' one when not given. */
  readonly image?: string;
  /** Repository of Qdrant's images, without tag. */
  readonly qdrantRepository?: string;
  readonly storageClass?: string;
};

const VARIABLE = 'E2E_CLUSTER_RUN';

export const asEnvironment = (run: ClusterRun): Record<string, string> => ({ [VARIABLE]: JSON.stringify(run) });

export function runOfEnvironment(): ClusterRun {
  const text = process.env[VARIABLE];
  if (text === undefined) throw new Error('no run was prepared');
  return JSON.parse(text) as ClusterRun;
}

/** What the user chose, by flags of the run or by the variables behind them. */
export function newRun(environment: NodeJS.ProcessEnv = process.env): ClusterRun {
  const id = Math.random().toString(36).slice(2, 8).padEnd(6, '0');
  const { E2E_IMAGE: image, E2E_QDRANT_REPOSITORY: qdrantRepository, E2E_STORAGE_CLASS: storageClass } = environment;
  return {
    id,
    namespace: `e2e-${id}-operator`,
    ...(image === undefined ? {} : { image }),
    ...(qdrantRepository === undefined ? {} : { qdrantRepository }),
    ...(storageClass === undefined ? {} : { storageClass }),
  };
}
