import {
  addFinalizer,
  Controller,
  DONE,
  keyOf,
  type ObjectKey,
  type Outcome,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  type PersistentVolume,
  type PersistentVolumeClaim,
  PODS,
  removeFinalizer,
  STORAGE_CLASSES,
  watching,
} from '../../../src/kube/index.ts';
import type { ControllerParts, Startable } from '../context.ts';
import { writeStatus } from '../write-status.ts';
import { type ClaimStep, decideClaim, decideVolume, PROTECTION } from './decide.ts';
import { expand, provision, remove } from './directory-volumes.ts';

/** Gives each claim a directory, guards it while pods use it, and lets it grow. */
export function claimController({ client, informers, log, directory }: ControllerParts): Startable {
  const claims = informers.of(PERSISTENT_VOLUME_CLAIMS);
  const volumes = informers.of(PERSISTENT_VOLUMES);
  const classes = informers.of(STORAGE_CLASSES);
  const pods = informers.of(PODS);
  return new Controller({
    name: 'persistent-volume-claim',
    primary: claims,
    watches: [
      watching({ informer: volumes, map: claimOf }),
      watching({
        informer: pods,
        map: ({ metadata, spec }) =>
          (spec?.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) =>
            claim === undefined ? [] : [{ namespace: metadata.namespace ?? '', name: claim.claimName }],
          ),
      }),
      watching({ informer: classes, map: () => [] }),
    ],
    workers: 2,
    backoffFloorSeconds: 0.05,
    log,
    reconcile,
  });

  async function reconcile(key: ObjectKey): Promise<Outcome> {
    const claim = claims.store.get(key);
    if (claim === undefined) return DONE;
    const className = claim.spec?.storageClassName ?? '';
    const step = decideClaim({
      claim,
      volumes: volumes.store.list(),
      storageClass: classes.store.get({ namespace: '', name: className }),
      pods: pods.store.list(key.namespace),
      directory,
    });
    if (step !== undefined) await carryOut(claim, step);
    return DONE;
  }

  async function carryOut(claim: PersistentVolumeClaim, step: ClaimStep): Promise<void> {
    const target = { type: PERSISTENT_VOLUME_CLAIMS, object: claim };
    switch (step.kind) {
      case 'protect':
        await addFinalizer(client, target, PROTECTION);
        return;
      case 'release':
        await removeFinalizer(client, target, PROTECTION);
        return;
      case 'provision':
        await provision(client, step.volume);
        return;
      case 'bind':
        await bind(claim, step.volume);
        return;
      case 'expand':
        await expand(client, claim, step);
        return;
      case 'lost':
        await writeStatus(client, PERSISTENT_VOLUME_CLAIMS, {
          object: claim,
          status: { ...claim.status, phase: 'Lost' },
        });
    }
  }

  async function bind(claim: PersistentVolumeClaim, volume: PersistentVolume): Promise<void> {
    const { namespace = '', name, uid = '' } = claim.metadata;
    const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid };
    let bound = volume;
    if (volume.spec?.claimRef?.uid !== uid) {
      bound = await client.patch(PERSISTENT_VOLUMES, keyOf(volume), { spec: { claimRef } }, { type: 'merge' });
    }
    await writeStatus(client, PERSISTENT_VOLUMES, { object: bound, status: { ...bound.status, phase: 'Bound' } });
    const annotations = { 'pv.kubernetes.io/bind-completed': 'yes' };
    const body = { metadata: { uid, annotations }, spec: { volumeName: volume.metadata.name } };
    const named = await client.patch(PERSISTENT_VOLUME_CLAIMS, keyOf(claim), body, { type: 'merge' });
    const { accessModes = [], capacity = {} } = volume.spec ?? {};
    const status = { ...named.status, phase: 'Bound', accessModes, capacity };
    await writeStatus(client, PERSISTENT_VOLUME_CLAIMS, { object: named, status });
  }
}

const claimOf = ({ spec }: PersistentVolume): ObjectKey[] => {
  const { namespace = '', name } = spec?.claimRef ?? {};
  return name === undefined ? [] : [{ namespace, name }];
};

/** Deletes the directory of a volume whose claim is gone, or keeps it, by the volume's reclaim policy. */
export function volumeController({ client, informers, log, directory }: ControllerParts): Startable {
  const claims = informers.of(PERSISTENT_VOLUME_CLAIMS);
  const volumes = informers.of(PERSISTENT_VOLUMES);
  return new Controller({
    name: 'persistent-volume',
    primary: volumes,
    watches: [
      watching({
        informer: claims,
        filter: ({ type }) => type === 'deleted',
        map: ({ spec }) => (spec?.volumeName === undefined ? [] : [{ namespace: '', name: spec.volumeName }]),
      }),
    ],
    backoffFloorSeconds: 0.05,
    log,
    reconcile,
  });

  async function reconcile(key: ObjectKey): Promise<Outcome> {
    const volume = volumes.store.get(key);
    const [claimKey] = volume === undefined ? [] : claimOf(volume);
    if (volume === undefined || claimKey === undefined) return DONE;
    // Volumes come after their claims, but the two caches don't: ask the server before data is deleted.
    if (decideVolume(volume, claims.store.get(claimKey)) === undefined) return DONE;
    const step = decideVolume(volume, await client.find(PERSISTENT_VOLUME_CLAIMS, claimKey));
    if (step === 'release') {
      await writeStatus(client, PERSISTENT_VOLUMES, {
        object: volume,
        status: { ...volume.status, phase: 'Released' },
      });
    }
    if (step !== 'delete') return DONE;
    await remove(client, volume, directory);
    return DONE;
  }
}
