import type { Pod } from '../../src/kube/index.ts';
import type { Logger } from '../../src/telemetry/index.ts';
import type { RestartBackoff } from './backoff.ts';
import type { ContainerEvent } from './container-event.ts';
import type { ClaimDirectory } from './pod-volumes.ts';
import type { Runtime } from './process-specification.ts';
import type { TokenRequest } from './volume-content.ts';
import type { Watchdog } from './watchdog.ts';
import type { PodStatus, References } from './wire.ts';

/** What a pod needs from the node it runs on. */
export type PodHost = {
  readonly nodeName: string;
  readonly hostIP: string;
  /** Holds one directory per pod. */
  readonly directory: string;
  /** By image repository. */
  readonly runtimes: Readonly<Record<string, Runtime>>;
  readonly watchdog: Watchdog;
  readonly backoff: RestartBackoff;
  readonly logBytes: number;
  readonly log: Logger;
  /** Aborts when the node agent stops. */
  readonly signal: AbortSignal;
  readonly allocateAddress: () => string;
  readonly releaseAddress: (address: string) => void;
  /** Variables that every container of every pod gets. */
  readonly environment: Readonly<Record<string, string>>;
  readonly references: (namespace: string) => References;
  readonly claimDirectory: (namespace: string, claim: string) => ClaimDirectory;
  readonly requestToken: (pod: Pod, request: Omit<TokenRequest, 'path'>) => Promise<string>;
  /** A kubeconfig that names the API server and carries the token. */
  readonly kubeconfig: (token: string, namespace: string) => string;
  readonly writeStatus: (pod: Pod, status: PodStatus) => Promise<void>;
  /** Takes the object away after its processes have ended. */
  readonly removePod: (pod: Pod) => Promise<void>;
  readonly onEvent: (pod: Pod, event: ContainerEvent) => void;
};
