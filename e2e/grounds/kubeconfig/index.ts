import { basename, resolve } from 'node:path';
import { connectionFromKubeconfigFile, KubeClient, PODS, type Pod } from '../../../src/kube/index.ts';
import {
  type Basics,
  CannotStart,
  type Capabilities,
  type GroundOptions,
  type Need,
  type Prepared,
} from '../../ground.ts';
import { isReady, OPERATOR_PODS } from '../../stage/operator.ts';
import { QUICK_OPERATOR } from '../../stage/operator-settings.ts';
import { hasKubectl } from '../has-kubectl.ts';
import { leaveNamespaces, namespacesOf } from '../leave-namespaces.ts';
import { discovered, needsAsEnvironment, needsOfEnvironment } from './discovery.ts';
import {
  installRun,
  installWith,
  missingDefinitions,
  refuseSecondOperator,
  removeRun,
  scenariosOf,
} from './installation.ts';
import { reachPods } from './reach.ts';
import { asEnvironment, newRun, runOfEnvironment } from './run-of-cluster.ts';

/** The kubeconfig file is the ground's name. */
const kubeconfigFile = (): string => resolve(process.env['E2E_GROUND'] ?? '');

const newAdmin = (): KubeClient =>
  new KubeClient({ config: connectionFromKubeconfigFile(kubeconfigFile()), userAgent: 'scenarios' });

export const parts = (): string => `the cluster of ${kubeconfigFile()}, as it is; operator from the manifests`;

export const provides = (): ReadonlySet<Need> => needsOfEnvironment();

/**
 * Installs definitions and operator for the run; its end removes them and all else that the run made.
 *
 * @throws CannotStart when nobody answers, or an operator is there already
 */
export async function prepare(say: (text: string) => void): Promise<Prepared> {
  const admin = newAdmin();
  const run = newRun();
  try {
    await refuseSecondOperator(admin).catch((error: unknown) => {
      throw error instanceof CannotStart ? error : new CannotStart(`the cluster does not answer: ${String(error)}`);
    });
    const definitions = await missingDefinitions(admin);
    const stop = async (): Promise<void> => {
      await removeRun(admin, run, definitions);
      await admin.close();
    };
    try {
      await installRun(admin, run);
      const needs = await discovered(admin, run.namespace, run.storageClass);
      say(`the operator runs in namespace ${run.namespace}\n`);
      return { environment: { ...asEnvironment(run), ...needsAsEnvironment(needs) }, stop };
    } catch (error) {
      await stop();
      throw error;
    }
  } catch (error) {
    await admin.close();
    throw error;
  }
}

/** The cluster for one file of scenarios: the operator gets the file's settings. */
export async function start(options: GroundOptions): Promise<Basics & Partial<Capabilities>> {
  const run = runOfEnvironment();
  const { namespace } = run;
  const admin = newAdmin();
  const environment = { ...QUICK_OPERATOR, ...options.operator };
  await installWith(admin, run, { environment, gateways: options.gateways ?? 0 });
  const operators = async (): Promise<Pod[]> =>
    (await admin.listAll(PODS, { namespace, labelSelector: OPERATOR_PODS })).filter(isReady);
  const [sample] = await operators();
  if (sample === undefined) throw new Error('no operator is ready');
  const reach = await reachPods(admin, sample, kubeconfigFile());
  const file = basename(process.argv[1] ?? '').split('.')[0] ?? '';
  const prefix = `${scenariosOf(run)}${file}-`;
  const storage =
    run.storageClass === undefined ? {} : { persistence: { size: '1Gi', storageClassName: run.storageClass } };
  return {
    name: 'kubeconfig',
    admin,
    kubeconfigFile: kubeconfigFile(),
    operator: {
      namespace,
      deployment: 'qdrant-librarian',
      user: `system:serviceaccount:${namespace}:qdrant-librarian`,
    },
    gatewayUrl: `http://qdrant-librarian-gateway.${namespace}.svc:6333`,
    prefix,
    clusters: {
      ...storage,
      ...(run.qdrantRepository === undefined ? {} : { image: { repository: run.qdrantRepository } }),
    },
    ...(hasKubectl() ? { kubectl: 'kubectl' } : {}),
    async operatorMetrics() {
      const addresses = await Promise.all((await operators()).map((pod) => reach.address(pod)));
      const texts = await Promise.all(addresses.map(async (one) => (await fetch(`http://${one}:8080/metrics`)).text()));
      return texts.join('\n');
    },
    async stop() {
      const names = await namespacesOf(admin);
      // The end of the run waits until they are gone.
      await leaveNamespaces(
        admin,
        names.filter((name) => name.startsWith(prefix)),
      );
      await reach.close();
      await admin.close();
    },
  };
}
