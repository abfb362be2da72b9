import { CLUSTERS, LIBRARIES } from '../../sandbox/run/wait.ts';
import { EVENTS } from '../../src/kube/index.ts';
import type { Stage } from './stage.ts';

const LINES = 40;

/** What a person needs to understand a failure: the statuses, the last events, the end of the operator's log. */
export async function whatHappened(stage: Stage): Promise<string> {
  const { admin, namespace } = stage;
  try {
    const objects = [
      ...(await admin.listAll(CLUSTERS, { namespace })),
      ...(await admin.listAll(LIBRARIES, { namespace })),
    ].map(({ kind, metadata, status }) => `${kind} ${metadata.name} ${JSON.stringify(status)}`);
    const events = (await admin.listAll(EVENTS, { namespace })).map(
      ({ regarding, reason, note }) => `${regarding?.kind} ${regarding?.name} ${reason}: ${note}`,
    );
    const logs = await Promise.all((await stage.operator.pods()).map(({ metadata }) => log(stage, metadata.name)));
    return [...objects, ...events.slice(-LINES), ...logs].join('\n');
  } catch (error) {
    return `nothing could be read: ${String(error)}`;
  }
}

async function log({ admin, ground }: Stage, pod: string): Promise<string> {
  const { text } = await admin.raw(
    'GET',
    `/api/v1/namespaces/${ground.operator.namespace}/pods/${pod}/log?tailLines=${LINES}`,
  );
  return text;
}
