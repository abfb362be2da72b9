import { CONFIG_MAPS, type KubeClient, KubeError, type ObjectKey } from '../kube/index.ts';
import { ProgressConflict, type ProgressStore } from './keeper.ts';
import { PROGRESS_KEY, parseProgress } from './progress.ts';

/** Progress in a ConfigMap that the operator has made: the worker may read and patch this one only. */
export function configMapProgress(client: Pick<KubeClient, 'get' | 'patch'>, key: ObjectKey): ProgressStore {
  return {
    read: async () => {
      const { metadata, data } = await client.get(CONFIG_MAPS, key);
      return { progress: parseProgress(data?.[PROGRESS_KEY]), version: metadata.resourceVersion ?? '' };
    },
    write: async (progress, version) => {
      const body = { metadata: { resourceVersion: version }, data: { [PROGRESS_KEY]: JSON.stringify(progress) } };
      try {
        const written = await client.patch(CONFIG_MAPS, key, body, { type: 'merge' });
        return written.metadata.resourceVersion ?? '';
      } catch (error) {
        if (error instanceof KubeError && error.isConflict) throw new ProgressConflict(error.message, { cause: error });
        throw error;
      }
    },
  };
}
