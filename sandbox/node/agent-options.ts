import type { KubeClient } from '../../src/kube/index.ts';
import type { Logger } from '../../src/telemetry/index.ts';
import type { RestartBackoff } from './backoff.ts';
import type { ApiServerAddress } from './kubeconfig.ts';
import type { LogEndpointOptions } from './log-endpoint.ts';
import type { Network } from './network.ts';
import type { Runtime } from './process-specification.ts';

export type NodeAgentOptions = {
  readonly client: KubeClient;
  /** Everything the agent writes lies under it. */
  readonly directory: string;
  /** How images are run, by repository. */
  readonly runtimes: Readonly<Record<string, Runtime>>;
  readonly network: Network;
  /** What pods with a service account of their own are told about the API server. */
  readonly apiServer: ApiServerAddress;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** `sandbox` when not given. */
  readonly nodeName?: string;
  readonly backoff?: RestartBackoff;
  /** Kept of one run of one container; 1 MiB when not given. */
  readonly logBytes?: number;
  /** `slices` when not given; `pods` where the API server takes no loopback addresses in EndpointSlices. */
  readonly endpointsFrom?: 'slices' | 'pods';
  /** For an API server of another process, which asks the node for logs over HTTPS. */
  readonly logEndpoint?: LogEndpointOptions;
  /** Given to every container. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Removed when this process dies without `stop`; nothing when not given. */
  readonly removeOnDeath?: string;
};
