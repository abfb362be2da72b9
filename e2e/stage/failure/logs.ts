import type { KubeClient, Pod } from '../../../src/kube/index.ts';
import type { Inquiry } from './inquiry.ts';

const LINES = 20_000;

/** The log of every container, and of the one before it, if there was one. */
export async function inquireLogs(
  inquiry: Inquiry,
  { client, pods, folder }: { readonly client: KubeClient; readonly pods: readonly Pod[]; readonly folder: string },
): Promise<void> {
  const logs = pods.flatMap(({ metadata, spec, status }) =>
    [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].flatMap(({ name }) => {
      const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
      const restarts = statuses.find((one) => one.name === name)?.restartCount ?? 0;
      const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/log?container=${name}&tailLines=${LINES}`;
      const file = `${folder}/${metadata.name}.${name}`;
      return [
        { path, file: `${file}.log` },
        ...(restarts > 0 ? [{ path: `${path}&previous=true`, file: `${file}.previous.log` }] : []),
      ];
    }),
  );
  await Promise.all(
    logs.map(async ({ path, file }) => {
      const text = await inquiry.ask(file, async () => {
        const answer = await client.raw('GET', path, { signal: inquiry.signal });
        if (answer.status === 200) return answer.text;
        throw new Error(`${answer.status} ${answer.text.slice(0, 300)}`);
      });
      if (text !== undefined) inquiry.files.set(file, text);
    }),
  );
}
