import { CONFIG_MAPS, type KubeClient, type ObjectKey } from '../kube/index.ts';
import { configMapProgress, type ProgressStore } from '../migration/index.ts';
import { parseVectorizeProgress, VECTORIZE_PROGRESS_KEY, type VectorizeProgress } from './progress.ts';

/** Where a job's progress is, and what it keeps from run to run. */
export interface RunStore extends ProgressStore<VectorizeProgress> {
  /** What is kept under a key of its own. */
  kept(key: string): Promise<string | undefined>;
  /** Goes out with the next write of the progress. */
  keep(key: string, text: string): void;
}

/** All in one ConfigMap. */
export function configMapStore(client: Pick<KubeClient, 'get' | 'patch'>, object: ObjectKey): RunStore {
  let more: Record<string, string> = {};
  const progress = configMapProgress(client, object, {
    key: VECTORIZE_PROGRESS_KEY,
    parse: parseVectorizeProgress,
    more: () => more,
  });
  return {
    read: () => progress.read(),
    write: async (value, version) => {
      const sent = more;
      const written = await progress.write(value, version);
      if (more === sent) more = {};
      return written;
    },
    kept: async (key) => (await client.get(CONFIG_MAPS, object)).data?.[key],
    keep: (key, text) => {
      more = { ...more, [key]: text };
    },
  };
}
