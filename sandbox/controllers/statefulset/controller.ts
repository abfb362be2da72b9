import { isDeepStrictEqual } from 'node:util';
import {
  Controller,
  controllerOf,
  DONE,
  Expectations,
  isControlledBy,
  KubeError,
  keyOf,
  type ObjectKey,
  type Outcome,
  ownerReference,
  PERSISTENT_VOLUME_CLAIMS,
  type PersistentVolumeClaim,
  PODS,
  type Pod,
  STATEFUL_SETS,
  type StatefulSet,
  toController,
  watching,
} from '../../../src/kube/index.ts';
import type { ControllerParts, Startable } from '../context.ts';
import { matches } from '../selector.ts';
import { writeStatus } from '../write-status.ts';
import { decide, type StatefulSetStep, statusOf } from './decide.ts';
import {
  CONTROLLER_REVISIONS,
  type ControllerRevision,
  claimName,
  claimObjects,
  ownersOfClaim,
  podObject,
  revisionName,
  revisionObject,
} from './objects.ts';
import { ordinalOf, revisionOf, wantedOrdinals } from './ordinals.ts';

const HISTORY_LIMIT = 10;
const WAIT_FOR_CACHE: Outcome = {
  kind: 'wait',
  seconds: 0.2,
  reason: 'CacheBehind',
  message: 'own writes not seen yet',
};

/** Makes the pods and claims of StatefulSets, and their status. */
export function statefulSetController({ client, informers, log, now }: ControllerParts): Startable {
  const sets = informers.of(STATEFUL_SETS);
  const pods = informers.of(PODS);
  const claims = informers.of(PERSISTENT_VOLUME_CLAIMS);
  const revisions = informers.of(CONTROLLER_REVISIONS);
  const expectations = new Expectations({ log, timeoutSeconds: 10 });

  const setsOfOrphan = (pod: Pod): ObjectKey[] =>
    controllerOf(pod) === undefined
      ? sets.store
          .list(pod.metadata.namespace)
          .filter((set) => matches(set.spec?.selector, pod.metadata.labels))
          .map(keyOf)
      : [];

  const setsOfClaim = (claim: PersistentVolumeClaim): ObjectKey[] =>
    sets.store
      .list(claim.metadata.namespace)
      .filter((set) => claim.metadata.name.includes(`-${set.metadata.name}-`))
      .map(keyOf);

  return new Controller({
    name: 'statefulset',
    primary: sets,
    watches: [
      watching({ informer: pods, map: (pod) => [...toController(STATEFUL_SETS)(pod), ...setsOfOrphan(pod)] }),
      watching({ informer: revisions, map: (revision) => toController(STATEFUL_SETS)(revision) }),
      // A claim in deletion holds up its pod.
      watching({ informer: claims, map: setsOfClaim, filter: ({ type }) => type === 'deleted' }),
    ],
    workers: 4,
    backoffFloorSeconds: 0.1,
    log,
    reconcile,
  });

  async function reconcile(key: ObjectKey): Promise<Outcome> {
    const set = sets.store.get(key);
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return DONE;
    if (expectations.pending(key).length > 0) return WAIT_FOR_CACHE;
    if (await adoptOrphans(set)) return WAIT_FOR_CACHE;
    const update = await ensureRevision(set);
    const known = set.status?.currentRevision;
    const currentRevision = known === undefined || known === '' ? update.metadata.name : known;
    const view = {
      set,
      pods: pods.store.list(key.namespace).filter((pod) => isControlledBy(pod, set)),
      currentRevision,
      updateRevision: update.metadata.name,
      now: now(),
    };
    const status = statusOf(view);
    for (const step of decide(view)) await carryOut(set, step);
    await keepClaimOwners(set, view.pods);
    await writeStatus(client, STATEFUL_SETS, { object: set, status });
    await pruneRevisions(set, [status.currentRevision, status.updateRevision, ...view.pods.map(revisionOf)]);
    const settling = (status.availableReplicas ?? 0) < (status.readyReplicas ?? 0);
    return settling ? { kind: 'wait', seconds: 1, reason: 'MinReadySeconds', message: 'pods settle' } : DONE;
  }

  async function adoptOrphans(set: StatefulSet): Promise<boolean> {
    const orphans = pods.store
      .list(set.metadata.namespace)
      .filter((pod) => controllerOf(pod) === undefined && pod.metadata.deletionTimestamp === undefined)
      .filter((pod) => matches(set.spec?.selector, pod.metadata.labels))
      .filter((pod) => ordinalOf(set.metadata.name, pod.metadata.name) !== undefined);
    for (const pod of orphans) {
      const { uid, ownerReferences = [] } = pod.metadata;
      const body = { metadata: { uid, ownerReferences: [...ownerReferences, ownerReference(set)] } };
      const adopted = await client.patch(PODS, keyOf(pod), body, { type: 'merge' });
      expectations.wrote(keyOf(set), pods, adopted);
    }
    return orphans.length > 0;
  }

  function revisionsOf(set: StatefulSet): ControllerRevision[] {
    return revisions.store.list(set.metadata.namespace).filter((revision) => isControlledBy(revision, set));
  }

  async function ensureRevision(set: StatefulSet): Promise<ControllerRevision> {
    const name = revisionName(set);
    const history = revisionsOf(set);
    const known = revisions.store.get({ namespace: set.metadata.namespace ?? '', name });
    if (known !== undefined) return isControlledBy(known, set) ? known : adoptRevision(set, known);
    const template = set.spec?.template ?? {};
    const next = Math.max(0, ...history.map(({ revision }) => revision)) + 1;
    const created = await client.create(CONTROLLER_REVISIONS, revisionObject(set, template, next));
    expectations.wrote(keyOf(set), revisions, created);
    return created;
  }

  /** One that a set of this name left behind. */
  async function adoptRevision(set: StatefulSet, revision: ControllerRevision): Promise<ControllerRevision> {
    const { uid, resourceVersion } = revision.metadata;
    const body = { metadata: { uid, resourceVersion, ownerReferences: [ownerReference(set)] } };
    return client.patch(CONTROLLER_REVISIONS, keyOf(revision), body, { type: 'merge' });
  }

  async function pruneRevisions(set: StatefulSet, used: readonly (string | undefined)[]): Promise<void> {
    const unused = revisionsOf(set)
      .filter(({ metadata }) => !used.includes(metadata.name))
      .toSorted((one, other) => other.revision - one.revision);
    for (const old of unused.slice(set.spec?.revisionHistoryLimit ?? HISTORY_LIMIT)) {
      await client.delete(CONTROLLER_REVISIONS, keyOf(old));
    }
  }

  async function carryOut(set: StatefulSet, step: StatefulSetStep): Promise<void> {
    if (step.kind === 'createPod') return createPod(set, step.ordinal, step.revision);
    const { pod, reason } = step;
    log.info({ set: set.metadata.name, pod: pod.metadata.name, reason }, 'pod deleted');
    if (reason === 'scaled down') await updateClaimOwners(set, pod, true);
    await client.delete(PODS, keyOf(pod), { uid: pod.metadata.uid ?? '' });
  }

  async function createPod(set: StatefulSet, ordinal: number, revision: string): Promise<void> {
    const stored = revisions.store.get({ namespace: set.metadata.namespace ?? '', name: revision });
    const template = stored?.data.template ?? set.spec?.template ?? {};
    for (const claim of claimObjects(set, ordinal)) {
      const known = claims.store.get(keyOf(claim));
      // The claim's deletion must end before its name can be used again.
      if (known?.metadata.deletionTimestamp !== undefined) return;
      if (known === undefined) await createOnce(() => client.create(PERSISTENT_VOLUME_CLAIMS, claim));
    }
    const pod = await createOnce(() => client.create(PODS, podObject(set, { ordinal, revision, template })));
    if (pod !== undefined) expectations.wrote(keyOf(set), pods, pod);
  }

  /** Claims follow a change of the retention policy, and forget that their pod was once scaled away. */
  async function keepClaimOwners(set: StatefulSet, members: readonly Pod[]): Promise<void> {
    const wanted = wantedOrdinals(set).map((ordinal) => `${set.metadata.name}-${ordinal}`);
    for (const pod of members) {
      if (wanted.includes(pod.metadata.name)) await updateClaimOwners(set, pod, false);
    }
  }

  async function updateClaimOwners(set: StatefulSet, pod: Pod, condemned: boolean): Promise<void> {
    const ordinal = ordinalOf(set.metadata.name, pod.metadata.name) ?? 0;
    for (const template of set.spec?.volumeClaimTemplates ?? []) {
      const name = claimName(set, template.metadata?.name ?? '', ordinal);
      const claim = claims.store.get({ namespace: set.metadata.namespace ?? '', name });
      if (claim === undefined) continue;
      const options = { set, podName: pod.metadata.name, condemned: condemned ? pod : undefined };
      const ownerReferences = ownersOfClaim(claim, options);
      if (isDeepStrictEqual(ownerReferences, claim.metadata.ownerReferences ?? [])) continue;
      const body = { metadata: { uid: claim.metadata.uid, ownerReferences } };
      await client.patch(PERSISTENT_VOLUME_CLAIMS, keyOf(claim), body, { type: 'merge' });
    }
  }
}

/** Undefined when it exists already: the cache will show it. */
async function createOnce<T>(create: () => Promise<T>): Promise<T | undefined> {
  try {
    return await create();
  } catch (error) {
    if (error instanceof KubeError && error.alreadyExists) return undefined;
    throw error;
  }
}
