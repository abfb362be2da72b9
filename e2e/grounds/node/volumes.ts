import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type KubeClient,
  type ObjectKey,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  PODS,
} from '../../../src/kube/index.ts';
import { processesOf, signalPod } from './pod-processes.ts';

/**
 * Empties the directory behind a claim, as if its disk had been exchanged. Pods that use it crash, and find it empty when
 * they are started again.
 */
export async function loseVolume(admin: KubeClient, directory: string, claim: ObjectKey): Promise<void> {
  const { spec } = await admin.get(PERSISTENT_VOLUME_CLAIMS, claim);
  const volume = await admin.get(PERSISTENT_VOLUMES, { namespace: '', name: spec?.volumeName ?? '' });
  const path = volume.spec?.hostPath?.path ?? volume.spec?.local?.path;
  if (path === undefined || !path.startsWith(`${directory}/`))
    throw new Error(`${claim.name} is no directory of the node`);
  const pods = (await admin.listAll(PODS, { namespace: claim.namespace })).filter((pod) =>
    pod.spec?.volumes?.some(({ persistentVolumeClaim: used }) => used?.claimName === claim.name),
  );
  // Stopped first, so that no new one comes up in between, then emptied, then ended.
  const keys = pods.map(({ metadata: { namespace = '', name } }) => ({ namespace, name }));
  for (const key of keys)
    if ((await processesOf(directory, key)).length > 0) await signalPod(directory, key, 'SIGSTOP');
  await empty(path);
  for (const key of keys)
    if ((await processesOf(directory, key)).length > 0) await signalPod(directory, key, 'SIGKILL');
}

async function empty(path: string): Promise<void> {
  for (const entry of await readdir(path)) await rm(join(path, entry), { recursive: true, force: true });
}
