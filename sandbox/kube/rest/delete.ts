import { CLEANUP } from '../definitions.ts';
import { asString, asStrings, at, isObject, type Json, type JsonObject } from '../json.ts';
import { type ApiObject, wireTime } from '../objects.ts';
import type { Call } from '../state.ts';
import { conflict, invalidOptions } from '../status.ts';
import { integer } from './options.ts';
import { selected } from './read.ts';
import { get, isFinished, isHeldNamespace, overwrite, remove } from './write.ts';

export type DeleteOptions = {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly policy: string;
  readonly grace: number | undefined;
  readonly dryRun: readonly string[];
};

const POLICIES = ['', 'Orphan', 'Background', 'Foreground'];

/** Options of a deletion: the body wins over the query. */
export function deleteOptions(call: Call, body: Json | undefined): DeleteOptions {
  const text = (name: string): string => asString(at(body, name)) || (call.query.get(name) ?? '');
  const policy = text('propagationPolicy');
  if (!POLICIES.includes(policy)) {
    const message = `Unsupported value: "${policy}": supported values: "Foreground", "Background", "Orphan", "nil"`;
    throw invalidOptions('DeleteOptions', { field: 'propagationPolicy', type: 'FieldValueNotSupported', message });
  }
  const dryRun = asStrings(at(body, 'dryRun'));
  for (const value of dryRun) if (!call.query.has('dryRun')) call.query.append('dryRun', value);
  const grace = at(body, 'gracePeriodSeconds');
  const orphan = at(body, 'orphanDependents');
  return {
    uid: asString(at(body, 'preconditions', 'uid')),
    resourceVersion: asString(at(body, 'preconditions', 'resourceVersion')),
    policy: policy === '' && orphan === true ? 'Orphan' : policy,
    grace: typeof grace === 'number' ? grace : integer(call, 'gracePeriodSeconds'),
    dryRun,
  };
}

const OWNER_FINALIZERS: { readonly [policy: string]: string } = { Orphan: 'orphan', Foreground: 'foregroundDeletion' };

/** Finalizers after the wish of the deleter: the garbage collector reads them. */
function finalizersFor(object: ApiObject, policy: string): string[] {
  const own = object.metadata.finalizers ?? [];
  const isDefinition = object.kind === 'CustomResourceDefinition' && !own.includes(CLEANUP);
  const kept = isDefinition ? [...own, CLEANUP] : own;
  if (policy === '') return kept;
  const others = kept.filter((finalizer) => !Object.values(OWNER_FINALIZERS).includes(finalizer));
  const added = OWNER_FINALIZERS[policy];
  return added === undefined ? others : [...others, added];
}

/** Seconds that a pod gets to stop: none where no node agent would ever confirm it. */
function graceOf(call: Call, object: ApiObject, asked: number | undefined): number {
  if (call.resource.storedAs !== '/pods') return 0;
  const spec = at(object, 'spec', 'terminationGracePeriodSeconds');
  const phase = asString(at(object, 'status', 'phase'));
  if (asString(at(object, 'spec', 'nodeName')) === '' || phase === 'Succeeded' || phase === 'Failed') return 0;
  return asked ?? (typeof spec === 'number' ? spec : 30);
}

/** Deletes one object: at once, or marked while finalizers or a pod's time to stop are open. */
export function deleteObject(call: Call, options: DeleteOptions): { object: ApiObject; gone: boolean } {
  const live = get(call);
  checkPreconditions(call, live, options);
  const grace = graceOf(call, live, options.grace);
  const finalizers = finalizersFor(live, options.policy);
  // What nothing holds is never marked.
  if (finalizers.length === 0 && grace === 0 && !isHeldNamespace(live))
    return { object: remove(call, live), gone: true };
  const marked = mark(call, live, { grace, finalizers });
  if (isFinished(marked)) return { object: remove(call, marked), gone: true };
  return { object: marked === live ? live : overwrite(call, marked), gone: false };
}

function checkPreconditions(call: Call, live: ApiObject, options: DeleteOptions): void {
  const { uid, resourceVersion, name } = live.metadata;
  // The kind stands where the resource belongs. Source: apiserver `registry/rest/delete.go`.
  const type = { group: call.resource.group, plural: call.resource.kind };
  if (options.uid !== '' && options.uid !== uid) {
    const why = `the UID in the precondition (${options.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
    throw conflict(type, name, why);
  }
  if (options.resourceVersion !== '' && options.resourceVersion !== resourceVersion) {
    const why = `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`;
    throw conflict(type, name, why);
  }
}

function mark(call: Call, live: ApiObject, { grace, finalizers }: { grace: number; finalizers: string[] }): ApiObject {
  const { deletionTimestamp, deletionGracePeriodSeconds, generation } = live.metadata;
  const same = finalizers.length === (live.metadata.finalizers ?? []).length;
  // A second deletion may shorten the time, never lengthen it.
  if (deletionTimestamp !== undefined && (deletionGracePeriodSeconds ?? 0) <= grace && same) return live;
  const now = call.state.now();
  const metadata = {
    ...live.metadata,
    deletionTimestamp: wireTime(now + grace * 1000),
    deletionGracePeriodSeconds: Math.min(
      grace,
      deletionTimestamp === undefined ? grace : (deletionGracePeriodSeconds ?? 0),
    ),
    ...(generation === undefined || deletionTimestamp !== undefined ? {} : { generation: generation + 1 }),
  };
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
  const marked: ApiObject = { ...live, metadata };
  if (call.resource.storedAs === '/namespaces') marked['status'] = { ...statusOf(live), phase: 'Terminating' };
  return marked;
}

const statusOf = (object: ApiObject): JsonObject => (isObject(object['status']) ? object['status'] : {});

/** Deletes all that the selectors of the call name and returns them. */
export function deleteCollection(call: Call, options: DeleteOptions): ApiObject[] {
  return selected(call).map((object) => {
    const one = { ...call, namespace: object.metadata.namespace ?? '', name: object.metadata.name };
    return deleteObject(one, options).object;
  });
}

/** The answer to a deletion that is complete. */
export function deletedStatus(call: Call, object: ApiObject): JsonObject {
  const { group, plural } = call.resource;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: object.metadata.name, ...(group === '' ? {} : { group }), kind: plural, uid: object.metadata.uid },
  };
}
