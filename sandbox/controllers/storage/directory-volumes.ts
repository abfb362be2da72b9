import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  type KubeClient,
  KubeError,
  keyOf,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  type PersistentVolume,
  type PersistentVolumeClaim,
} from '../../../src/kube/index.ts';
import { writeStatus } from '../write-status.ts';

/** Makes a volume and its directory; one that is there is left as it is. */
export async function provision(client: KubeClient, volume: PersistentVolume): Promise<void> {
  await mkdir(volume.spec?.hostPath?.path ?? '', { recursive: true });
  try {
    await client.create(PERSISTENT_VOLUMES, volume);
  } catch (error) {
    if (!(error instanceof KubeError && error.alreadyExists)) throw error;
  }
}

/** A directory holds as much as there is room: only what is said of it changes. */
export async function expand(
  client: KubeClient,
  claim: PersistentVolumeClaim,
  { volume, storage }: { readonly volume: PersistentVolume; readonly storage: string },
): Promise<void> {
  const capacity = { ...volume.spec?.capacity, storage };
  await client.patch(PERSISTENT_VOLUMES, keyOf(volume), { spec: { capacity } }, { type: 'merge' });
  await writeStatus(client, PERSISTENT_VOLUME_CLAIMS, { object: claim, status: { ...claim.status, capacity } });
}

/** Deletes the volume and what it holds, when that lies in `directory`. */
export async function remove(client: KubeClient, volume: PersistentVolume, directory: string): Promise<void> {
  const path = volume.spec?.hostPath?.path ?? '';
  if (dirname(path) === directory) await rm(path, { recursive: true, force: true });
  await client.delete(PERSISTENT_VOLUMES, keyOf(volume), { uid: volume.metadata.uid ?? '' });
}
