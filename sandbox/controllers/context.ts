import type { KubeClient } from '../../src/kube/index.ts';
import type { Logger } from '../../src/telemetry/index.ts';
import type { SharedInformers } from './informers.ts';

/** What every controller here is made of. */
export type ControllerParts = {
  readonly client: KubeClient;
  readonly informers: SharedInformers;
  readonly log: Logger;
  /** Holds the directories of persistent volumes. */
  readonly directory: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
};

/** A controller that was made and waits to be started; resolves when it has stopped. */
export type Startable = { start(signal: AbortSignal): Promise<void> };
