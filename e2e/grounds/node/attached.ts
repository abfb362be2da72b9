import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectionFromKubeconfigFile, KubeClient } from '../../../src/kube/index.ts';
import type { Basics, Capabilities, GroundOptions } from '../../ground.ts';
import { QUICK_OPERATOR } from '../../stage/operator-settings.ts';
import { commandLines } from '../command-lines.ts';
import { AuditLog } from '../control-plane/audit-log.ts';
import { leaveNamespaces, namespacesOf } from '../leave-namespaces.ts';
import { startObjectStore } from '../object-store.ts';
import { OutsideEmbeddings } from '../outside-embedders.ts';
import { OutsideServer } from '../outside-server.ts';
import { metricsOfPods, qdrantFaults } from '../pod-calls.ts';
import { command } from './command.ts';
import { layoutOf, NETWORK } from './layout.ts';
import { installChart, OPERATOR } from './operator.ts';
import { processesOfPods, signalPod } from './pod-processes.ts';
import { type Handle, restartProcess } from './processes.ts';
import { loseVolume } from './volumes.ts';

const PATIENCE_MILLISECONDS = 120_000;

/** The node as a ground for one file of scenarios, which plays inside its network. */
export async function attach(handle: Handle, options: GroundOptions): Promise<Basics & Partial<Capabilities>> {
  const { directory, programs } = handle;
  const layout = layoutOf(directory);
  const admin = new KubeClient({ config: connectionFromKubeconfigFile(layout.admin), userAgent: 'scenarios' });
  const environment = { ...QUICK_OPERATOR, ...options.operator };
  const gateways = options.gateways ?? 0;
  await installChart(admin, { helm: programs.helm, directory, environment, gateways });
  const others = new Set(await namespacesOf(admin));
  const audit = new AuditLog(layout.audit);
  // What other files did is theirs.
  audit.reset();
  const outside: (OutsideServer | OutsideEmbeddings)[] = [];
  let store: ReturnType<typeof startObjectStore> | undefined;
  const objectStore = (): ReturnType<typeof startObjectStore> => {
    const place = { directory: join(directory, `object-store-${process.pid}`), address: NETWORK.node };
    store ??= startObjectStore({ file: programs.versitygw, ...place });
    return store;
  };
  return {
    name: 'node',
    admin,
    kubeconfigFile: layout.admin,
    operator: OPERATOR,
    prefix: `${basename(process.argv[1] ?? '', '.test.ts').replaceAll(/[^a-z0-9]+/g, '-')}-`,
    kill: (pod) => signalPod(directory, pod, 'SIGKILL'),
    pause: (pod) => signalPod(directory, pod, 'SIGSTOP'),
    resume: (pod) => signalPod(directory, pod, 'SIGCONT'),
    loseVolume: (claim) => loseVolume(admin, directory, claim),
    controlPlane: {
      restart: ({ awayMilliseconds = 1000 } = {}) => restartApiServer(handle, admin, awayMilliseconds),
      compact,
    },
    audit,
    gatewayUrl: `http://qdrant-librarian-gateway.${OPERATOR.namespace}.svc:6333`,
    outsideQdrant() {
      const server = outsideServer(directory, outside.length);
      outside.push(server);
      return server;
    },
    outsideEmbedder() {
      const server = new OutsideEmbeddings(placeOutside(outside.length));
      outside.push(server);
      return server;
    },
    ...qdrantFaults(admin),
    commandLines: async () =>
      commandLines([...(await processesOfPods(directory)), ...outside.flatMap(({ pids }) => pids)]),
    kubectl: programs.kubectl,
    objectStore,
    strikeObjectStore: async (fault) => (await objectStore()).strike(fault),
    restartKubelet: () => restartProcess(handle, 'kubelet'),
    operatorMetrics: () => metricsOfPods(admin, OPERATOR.namespace),
    async stop() {
      audit.close();
      const names = await namespacesOf(admin);
      // While what libraries lie on is still there: else the operator does not let go of those that change.
      await leaveNamespaces(
        admin,
        names.filter((name) => !others.has(name)),
      );
      await Promise.all(outside.map((server) => server.stop()));
      await store?.then(
        (started) => started.stop(),
        () => undefined,
      );
      await admin.close();
    },
  };
}

async function restartApiServer(handle: Handle, admin: KubeClient, awayMilliseconds: number): Promise<void> {
  await restartProcess(handle, 'kube-apiserver', { awayMilliseconds, crash: true });
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    const status = await admin.raw('GET', '/readyz').then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return;
    if (performance.now() > deadline) throw new Error('the API server does not come back');
    await sleep(100);
  }
}

const ETCD = 'http://127.0.0.1:2379';

/** Source: etcd's gRPC gateway. */
async function compact(): Promise<void> {
  type Range = { readonly header: { readonly revision: string } };
  const call = async (path: string, body: object): Promise<unknown> => {
    const answer = await fetch(`${ETCD}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`etcd answers ${answer.status} to ${path}: ${await answer.text()}`);
    return answer.json();
  };
  const { header } = (await call('range', { key: Buffer.from('\0').toString('base64') })) as Range;
  await call('compaction', { revision: header.revision, physical: true });
}

/** An address of the node's network. */
function placeOutside(index: number) {
  const address = NETWORK.outside(index);
  const prepare = async (): Promise<void> => {
    await command('ip', ['address', 'replace', `${address}/32`, 'dev', 'lo']);
  };
  return { address, prepare };
}

const outsideServer = (directory: string, index: number): OutsideServer =>
  new OutsideServer({ directory: join(directory, `outside-${process.pid}-${index}`), ...placeOutside(index) });
