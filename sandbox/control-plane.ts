import { join } from 'node:path';
import { connectionFromKubeconfig, KubeClient } from '../src/kube/index.ts';
import type { Logger } from '../src/telemetry/index.ts';
import { startControllers } from './controllers/index.ts';
import { type ApiServer, type Hooks, startApiServer } from './kube/index.ts';
import type { NodeAgentOptions } from './node/agent-options.ts';
import type { Network } from './node/network.ts';

/** What a control plane is given by the sandbox around it. */
export type ControlPlaneParts = {
  /** Everything it writes lies under it; removed by the sandbox. */
  readonly directory: string;
  readonly network: Network;
  readonly log: Logger;
  readonly podLogs: NonNullable<Hooks['podLogs']>;
};

/** API server and controllers, whichever they are. */
export type ControlPlane = Pick<ApiServer, 'url' | 'caPem' | 'audit'> & {
  /** A kubeconfig file for `system:admin` or `system:node:sandbox`. */
  kubeconfig(user: string, namespace?: string): string;
  /** What differs for the node agent under this control plane. */
  readonly node: Pick<NodeAgentOptions, 'apiServer' | 'endpointsFrom' | 'logEndpoint'>;
  /** Resolves when nothing of it runs any more. */
  stop(): Promise<void>;
};

export type StartControlPlane<T extends ControlPlane> = (parts: ControlPlaneParts) => Promise<T>;

/** The API server of this process, with its faults. */
export type EmbeddedControlPlane = ControlPlane & { readonly api: ApiServer };

/** Starts the API server and the controllers in this process. */
export async function startEmbeddedControlPlane(parts: ControlPlaneParts): Promise<EmbeddedControlPlane> {
  const { directory, network, log, podLogs } = parts;
  const api = await startApiServer({
    host: network.nodeAddress,
    allocateClusterIP: () => network.services.allocate(),
    releaseClusterIP: (address) => network.services.release(address),
    podLogs,
  });
  const user = 'system:controllers';
  const client = new KubeClient({ config: connectionFromKubeconfig(api.kubeconfig(user)), userAgent: user, log });
  const stopping = new AbortController();
  const controllers = await startControllers({
    client,
    directory: join(directory, 'volumes'),
    log: log.child({ part: 'controllers' }),
    signal: stopping.signal,
  });
  return {
    api,
    url: api.url,
    caPem: api.caPem,
    audit: api.audit,
    kubeconfig: (name, namespace) => api.kubeconfig(name, namespace),
    node: { apiServer: { url: api.url, caPem: api.caPem } },
    async stop() {
      stopping.abort();
      await controllers.stop();
      await client.close();
      await api.stop();
    },
  };
}
