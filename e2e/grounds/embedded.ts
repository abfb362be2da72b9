import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EmbeddedControlPlane, startEmbeddedControlPlane } from '../../sandbox/control-plane.ts';
import { startObjectStore } from '../../sandbox/object-store/server.ts';
import {
  allNeedsBut,
  type Basics,
  type Capabilities,
  type ControlPlane,
  type GroundOptions,
  type Need,
} from '../ground.ts';
import { hasKubectl } from './has-kubectl.ts';
import { missingOnProcesses, nodeParts, processesGround, startProcesses } from './processes.ts';

export const parts = (): string => `control plane embedded, ${nodeParts()}`;

/** What only machines with the real thing have. */
const REAL_ONLY: readonly Need[] = ['real-controllers', 'flow-control', 'pod-security', 'volume-expansion'];

export const provides = (): ReadonlySet<Need> =>
  allNeedsBut([...REAL_ONLY, ...missingOnProcesses(), ...(hasKubectl() ? [] : (['kubectl'] as const))]);

/** The sandbox as a ground: everything in one process tree. */
export async function start(options: GroundOptions): Promise<Basics & Partial<Capabilities>> {
  const sandbox = await startProcesses(options, startEmbeddedControlPlane);
  const ground = processesGround('embedded', sandbox);
  let store: ReturnType<typeof startObjectStore> | undefined;
  const objectStore = (): ReturnType<typeof startObjectStore> => {
    const directory = join(sandbox.directory, 'object-store');
    store ??= startObjectStore({ directory, address: sandbox.network.pods.allocate() });
    return store;
  };
  return {
    ...ground,
    objectStore,
    strikeObjectStore: async (fault) => (await objectStore()).strike(fault),
    stop: async () => {
      await (await store)?.stop();
      await ground.stop();
    },
    faults: sandbox.controlPlane.api.faults,
    controlPlane: controlPlane(sandbox.controlPlane),
    ...(hasKubectl() ? { kubectl: 'kubectl' } : {}),
  };
}

/** One in-process server with its storage in memory: away, it loses connections and watches, as a restart does. */
function controlPlane({ api }: EmbeddedControlPlane): ControlPlane {
  return {
    async restart({ awayMilliseconds = 1000 } = {}) {
      api.faults.outage(awayMilliseconds);
      await sleep(awayMilliseconds);
      api.faults.endOutage();
    },
    compact: async () => api.compact(),
  };
}
