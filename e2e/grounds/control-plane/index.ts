import {
  allNeedsBut,
  type Basics,
  type Capabilities,
  type GroundOptions,
  type Need,
  type Prepared,
} from '../../ground.ts';
import { tools } from '../../tools/tools.ts';
import { missingOnProcesses, nodeParts, processesGround, startProcesses } from '../processes.ts';
import { startRealControlPlane } from './control-plane.ts';

export const parts = (): string => `control plane REAL (etcd, kube-apiserver, kube-controller-manager), ${nodeParts()}`;

export const provides = (): ReadonlySet<Need> => allNeedsBut(['object-store', ...missingOnProcesses()]);

const PROGRAMS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'] as const;

/** Builds what is not there yet. @throws CannotStart without Go */
export async function prepare(say: (text: string) => void): Promise<Prepared> {
  await tools(PROGRAMS, say);
  return { environment: {}, stop: async () => undefined };
}

/** Kubernetes' own control plane as processes of this machine; the sandbox's node agent plays the node. */
export async function start(options: GroundOptions): Promise<Basics & Partial<Capabilities>> {
  const programs = await tools(PROGRAMS);
  const sandbox = await startProcesses(options, (parts) => startRealControlPlane(programs, parts));
  return {
    ...processesGround('control-plane', sandbox),
    controlPlane: sandbox.controlPlane,
    faults: sandbox.controlPlane.faults,
    kubectl: programs.kubectl,
  };
}
