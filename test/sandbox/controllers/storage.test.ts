import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quantity } from '../../../sandbox/controllers/quantity.ts';
import {
  decideClaim,
  decideProvisioning,
  decideVolume,
  isReclaimed,
  PROTECTION,
  PROVISIONED_FOR,
  PROVISIONER,
} from '../../../sandbox/controllers/storage/decide.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../../src/kube/index.ts';
import { podOf } from './objects.ts';

const claimOf = (
  change: Partial<PersistentVolumeClaim> & { finalizers?: string[]; deleting?: boolean } = {},
): PersistentVolumeClaim => {
  const { finalizers = [PROTECTION], deleting = false, ...rest } = change;
  const deletion = deleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {};
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'team-a', uid: 'uid-c', finalizers, ...deletion },
    spec: { resources: { requests: { storage: '1Gi' } } },
    ...rest,
  };
};
const step = (claim: PersistentVolumeClaim, volumes: PersistentVolume[] = [], pods: Pod[] = []) =>
  decideClaim({ claim, volumes, pods, storageClass: undefined, directory: '/V' });

const user = (phase = 'Running'): Pod => {
  const pod = podOf({ name: 'web-0', phase });
  pod.spec = { containers: [], volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] };
  return pod;
};
const provisioned = (): PersistentVolume => {
  const found = step(claimOf());
  assert.equal(found?.kind, 'provision');
  return found.volume;
};
const bound = (volume: PersistentVolume): PersistentVolume => ({ ...volume, status: { phase: 'Bound' } });

test('a new claim is protected, then gets a directory, then is bound to it', () => {
  assert.deepEqual(step(claimOf({ finalizers: [] })), { kind: 'protect' });
  const volume = provisioned();
  assert.equal(volume.spec?.hostPath?.path, '/V/pvc-uid-c');
  assert.equal(step(claimOf(), [volume])?.kind, 'bind');
});

test('a deleted claim is let go when no pod that runs uses it', () => {
  const claim = claimOf({ deleting: true });
  assert.equal(step(claim, [], [user()]), undefined);
  assert.deepEqual(step(claim, [], [user('Succeeded')]), { kind: 'release' });
});

test('a bound claim that asks for more grows; one that asks for less does not shrink', () => {
  const volume = bound(provisioned());
  const spec = (storage: string) => ({ volumeName: volume.metadata.name, resources: { requests: { storage } } });
  const status = { phase: 'Bound', capacity: { storage: '1Gi' } };
  assert.equal(step(claimOf({ spec: spec('2Gi'), status }), [volume])?.kind, 'expand');
  assert.equal(step(claimOf({ spec: spec('500Mi'), status }), [volume]), undefined);
});

test('a volume someone made by hand is taken when it is free and large enough', () => {
  const made = (storage: string): PersistentVolume => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'made' },
    spec: { capacity: { storage }, hostPath: { path: '/elsewhere' } },
    status: { phase: 'Available' },
  });
  assert.equal(step(claimOf(), [made('5Gi')])?.kind, 'bind');
  assert.equal(step(claimOf(), [made('5Mi')])?.kind, 'provision');
});

test('a claim whose volume is gone is lost', () => {
  const claim = claimOf({ spec: { volumeName: 'gone' }, status: { phase: 'Bound' } });
  assert.deepEqual(step(claim), { kind: 'lost', volume: 'gone' });
});

test('a volume goes with its claim, unless it is to be retained or was made by someone else', () => {
  const volume = bound(provisioned());
  assert.equal(decideVolume(volume, claimOf()), undefined);
  assert.equal(decideVolume(volume, undefined), 'delete');
  const successor = claimOf();
  successor.metadata.uid = 'another';
  assert.equal(decideVolume(volume, successor), 'delete');
  const retained = { ...volume, spec: { ...volume.spec, persistentVolumeReclaimPolicy: 'Retain' } };
  assert.equal(decideVolume(retained, undefined), 'release');
  assert.equal(decideVolume({ ...volume, metadata: { name: 'made' } }, undefined), 'release');
});

/** As kube-controller-manager leaves it to the provisioner of its class. */
const left = (change: Parameters<typeof claimOf>[0] = {}): PersistentVolumeClaim => {
  const claim = claimOf(change);
  claim.metadata.annotations = { [PROVISIONED_FOR]: PROVISIONER };
  return claim;
};
const provisioning = (claim: PersistentVolumeClaim, volumes: PersistentVolume[] = []) =>
  decideProvisioning({ claim, volumes, storageClass: undefined, directory: '/V' });

test('beside real controllers a claim that is left to us gets one volume, and who binds them is not us', () => {
  assert.equal(provisioning(claimOf()), undefined, 'not left to us');
  const step = provisioning(left());
  assert.equal(step?.kind, 'provision');
  assert.equal(provisioning(left(), [step.volume]), undefined, 'it is there, and waits to be bound');
  assert.equal(provisioning(left({ deleting: true })), undefined);
});

test('beside real controllers a bound claim that asks for more grows', () => {
  const volume = bound(provisioned());
  const spec = { volumeName: volume.metadata.name, resources: { requests: { storage: '2Gi' } } };
  const status = { phase: 'Bound', capacity: { storage: '1Gi' } };
  assert.equal(provisioning(left({ spec, status }), [volume])?.kind, 'expand');
  assert.equal(provisioning(left({ spec, status: { phase: 'Pending' } }), [volume]), undefined);
});

test('beside real controllers a volume goes when they have released it', () => {
  const volume = provisioned();
  assert.equal(isReclaimed(bound(volume)), false);
  const released = { ...volume, status: { phase: 'Released' } };
  assert.equal(isReclaimed(released), true);
  assert.equal(isReclaimed({ ...released, spec: { ...volume.spec, persistentVolumeReclaimPolicy: 'Retain' } }), false);
  assert.equal(isReclaimed({ ...released, metadata: { name: 'made' } }), false);
});

test('quantities have binary and decimal suffixes', () => {
  assert.deepEqual(['1Gi', '1G', '100m', '2', '1e3', 'much'].map(quantity), [2 ** 30, 1e9, 0.1, 2, 1000, undefined]);
});
