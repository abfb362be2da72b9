import type { DiscoveryProgress } from './progress.ts';

/** What a pass knows of discovery. */
export type DiscoveryWorld = {
  /** What the report's ConfigMap tells, of whatever discovery it is. */
  readonly progress: DiscoveryProgress | undefined;
  /** Whether a Job or its configuration is there. */
  readonly objects: boolean;
};
