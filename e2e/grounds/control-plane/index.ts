import { join } from 'node:path';
import {
  allNeedsBut,
  type Basics,
  CannotStart,
  type Capabilities,
  type GroundOptions,
  type Need,
  type Prepared,
} from '../../ground.ts';
import { tools } from '../../tools/tools.ts';
import { startObjectStore } from '../object-store.ts';
import { missingOnProcesses, nodeParts, processesGround, startProcesses } from '../processes.ts';
import { startRealControlPlane } from './control-plane.ts';

export const parts = (): string => `control plane REAL (etcd, kube-apiserver, kube-controller-manager), ${nodeParts()}`;

export const provides = (): ReadonlySet<Need> => allNeedsBut(missingOnProcesses());

const PROGRAMS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl', 'versitygw'] as const;

/** Builds what is not there yet. @throws CannotStart without Go, or without Linux */
export async function prepare(say: (text: string) => void): Promise<Prepared> {
  if (process.platform !== 'linux') {
    throw new CannotStart('pods need loopback addresses of their own (127.x.y.z), which only Linux has by itself');
  }
  await tools(PROGRAMS, say);
  return { environment: {}, stop: async () => undefined };
}

/** Kubernetes' own control plane as processes of this machine; the sandbox's node agent plays the node. */
export async function start(options: GroundOptions): Promise<Basics & Partial<Capabilities>> {
  const programs = await tools(PROGRAMS);
  const sandbox = await startProcesses(options, (parts) => startRealControlPlane(programs, parts));
  const { directory, network } = sandbox;
  const ground = processesGround('control-plane', sandbox);
  let store: ReturnType<typeof startObjectStore> | undefined;
  const objectStore = (): ReturnType<typeof startObjectStore> => {
    const place = { directory: join(directory, 'object-store'), address: network.nodeAddress };
    store ??= startObjectStore({ file: programs.versitygw, ...place });
    return store;
  };
  return {
    ...ground,
    controlPlane: sandbox.controlPlane,
    faults: sandbox.controlPlane.faults,
    kubectl: programs.kubectl,
    objectStore,
    strikeObjectStore: async (fault) => (await objectStore()).strike(fault),
    async stop() {
      await store?.then(
        (started) => started.stop(),
        () => undefined,
      );
      await ground.stop();
    },
  };
}
