import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadAll } from 'js-yaml';
import { applyAll, asInstalled } from '../../../sandbox/install.ts';
import { DEPLOYMENTS, type KubeClient, type KubeObject, NAMESPACES, PODS } from '../../../src/kube/index.ts';
import { isReady, OPERATOR_PODS } from '../../stage/operator.ts';
import { command } from './command.ts';

const CHART = resolve(import.meta.dirname, '../../../charts/qdrant-librarian');
const PATIENCE_MILLISECONDS = 120_000;

export const OPERATOR = {
  namespace: 'qdrant-librarian-system',
  deployment: 'qdrant-librarian',
  user: 'system:serviceaccount:qdrant-librarian-system:qdrant-librarian',
} as const;

type Installation = {
  readonly helm: string;
  /** Helm keeps what it writes there. */
  readonly directory: string;
  /** Settings that the chart has no values for. */
  readonly environment: Readonly<Record<string, string>>;
  /** How many gateways run. */
  readonly gateways?: number;
};

/** Installs the chart with its default values, or changes what is installed; resolves when only the new operator runs. */
export async function installChart(
  admin: KubeClient,
  { helm, directory, environment, gateways = 0 }: Installation,
): Promise<void> {
  const { namespace, deployment: name } = OPERATOR;
  const folders = ['CACHE', 'CONFIG', 'DATA'].map((kind) => [`HELM_${kind}_HOME`, join(directory, 'helm')]);
  const args = ['template', name, CHART, `--namespace=${namespace}`, '--include-crds'];
  const rendered = await command(helm, args, { PATH: process.env['PATH'], ...Object.fromEntries(folders) });
  const objects = (loadAll(rendered) as (KubeObject | null)[]).filter((object) => object !== null);
  await admin.apply(
    NAMESPACES,
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { fieldManager: 'helm' },
  );
  await applyAll(
    admin,
    objects.map((object) => asInstalled(object, { environment, gateways: { replicas: gateways, environment: {} } })),
  );
  await untilOnlyNew(admin);
}

async function untilOnlyNew(admin: KubeClient): Promise<void> {
  const { namespace, deployment: name } = OPERATOR;
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    const { metadata, spec, status } = await admin.get(DEPLOYMENTS, { namespace, name });
    const pods = await admin.listAll(PODS, { namespace, labelSelector: OPERATOR_PODS });
    const isNew = status?.observedGeneration === metadata.generation && status?.updatedReplicas === spec?.replicas;
    if (isNew && pods.length === spec?.replicas && pods.every(isReady)) return;
    if (performance.now() > deadline) {
      const states = pods.map((pod) => `${pod.metadata.name}: ${JSON.stringify(pod.status?.containerStatuses)}`);
      throw new Error(`the operator does not come up: ${states.join('; ')} ${JSON.stringify(status?.conditions)}`);
    }
    await sleep(200);
  }
}
