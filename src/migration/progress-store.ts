import { CONFIG_MAPS, type KubeClient, KubeError, type ObjectKey } from '../kube/index.ts';
import { type Held, ProgressConflict, type ProgressStore } from './keeper.ts';
import { PROGRESS_KEY, type Progress, parseProgress } from './progress.ts';

/** How progress stands in its ConfigMap. */
export type ProgressForm<P> = {
  readonly key: string;
  /** @returns undefined for a text that is none */
  readonly parse: (json: string | undefined) => P | undefined;
  /** Further keys that go out with the next write. */
  readonly more?: () => Readonly<Record<string, string>>;
};

export const COPY_PROGRESS: ProgressForm<Progress> = { key: PROGRESS_KEY, parse: parseProgress };

/** Progress in a ConfigMap that the operator has made: the worker may read and patch this one only. */
export function configMapProgress<P extends Held>(
  client: Pick<KubeClient, 'get' | 'patch'>,
  key: ObjectKey,
  form: ProgressForm<P>,
): ProgressStore<P> {
  return {
    read: async () => {
      const { metadata, data } = await client.get(CONFIG_MAPS, key);
      return { progress: form.parse(data?.[form.key]), version: metadata.resourceVersion ?? '' };
    },
    write: async (progress, version) => {
      const data = { ...form.more?.(), [form.key]: JSON.stringify(progress) };
      const body = { metadata: { resourceVersion: version }, data };
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
