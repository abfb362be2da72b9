import { mkdir } from 'node:fs/promises';
import {
  Controller,
  DONE,
  type KubeClient,
  type ObjectKey,
  type Outcome,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  STORAGE_CLASSES,
  type StorageClass,
  watching,
} from '../../../src/kube/index.ts';
import type { Logger } from '../../../src/telemetry/index.ts';
import { SharedInformers } from '../informers.ts';
import { decideProvisioning, isReclaimed, PROVISIONER } from './decide.ts';
import { expand, provision, remove } from './directory-volumes.ts';

export type ProvisionerOptions = {
  /** May do everything with claims, volumes and storage classes; is closed by the caller. */
  readonly client: KubeClient;
  /** Gets a directory per persistent volume. */
  readonly directory: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
};

const CLASS: StorageClass & { readonly [field: string]: unknown } = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'sandbox', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner: PROVISIONER,
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'Immediate',
  allowVolumeExpansion: true,
};

/**
 * Plays the provisioner and the resizer of a storage class, which becomes the default one, beside a real
 * kube-controller-manager: makes directories for claims, lets them grow, deletes them when they are released.
 * Resolves when the class is there.
 *
 * @returns resolves when the signal aborted and everything has ended
 */
export async function startProvisioner({
  client,
  directory,
  log,
  signal,
}: ProvisionerOptions): Promise<{ readonly stopped: Promise<void> }> {
  await mkdir(directory, { recursive: true });
  await client.apply(STORAGE_CLASSES, CLASS, { fieldManager: 'sandbox' });
  const informers = new SharedInformers({ client, log, signal });
  const claims = informers.of(PERSISTENT_VOLUME_CLAIMS);
  const volumes = informers.of(PERSISTENT_VOLUMES);
  const common = { backoffFloorSeconds: 0.05, log };

  const provisioning = new Controller({
    ...common,
    name: 'provisioner',
    primary: claims,
    watches: [
      watching({
        informer: volumes,
        map: ({ spec }) => {
          const { namespace = '', name } = spec?.claimRef ?? {};
          return name === undefined ? [] : [{ namespace, name }];
        },
      }),
    ],
    workers: 2,
    async reconcile(key: ObjectKey): Promise<Outcome> {
      const claim = claims.store.get(key);
      if (claim === undefined) return DONE;
      const view = { claim, volumes: volumes.store.list(), storageClass: CLASS, directory };
      const step = decideProvisioning(view);
      if (step?.kind === 'provision') await provision(client, step.volume);
      if (step?.kind === 'expand') await expand(client, claim, step);
      return DONE;
    },
  });
  const reclaiming = new Controller({
    ...common,
    name: 'reclaimer',
    primary: volumes,
    async reconcile(key: ObjectKey): Promise<Outcome> {
      const volume = volumes.store.get(key);
      if (volume !== undefined && isReclaimed(volume)) await remove(client, volume, directory);
      return DONE;
    },
  });
  const running = [provisioning, reclaiming].map((controller) => controller.start(signal));
  const stopped = Promise.all(running).then(() => informers.ended());
  stopped.catch((error: unknown) => log.error({ err: error }, 'provisioner ended'));
  return { stopped };
}
