import { asNumber, at, clone, isObject, type JsonObject, put } from '../json.ts';
import type { ApiObject } from '../objects.ts';
import type { Call } from '../state.ts';
import { badRequest, invalid, noSuchPath, notModelled } from '../status.ts';
import type { Scale } from '../types/resource.ts';
import { age } from '../view/age.ts';
import { selectorText } from '../view/selector-text.ts';
import { APPLY_PATCH, parseJson, patchDocument } from './patch.ts';
import { get, update } from './write.ts';

const steps = (path: string): string[] => path.split('.').filter((step) => step !== '');

function scaleOf(call: Call): Scale {
  if (call.resource.scale === undefined) throw noSuchPath();
  return call.resource.scale;
}

/** An object as its autoscaling/v1 Scale. */
export function readScale(call: Call, object: ApiObject): ApiObject {
  const scale = scaleOf(call);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = asNumber(at(object, ...steps(scale.specReplicasPath))) ?? 0;
  const selector =
    scale.labelSelectorPath === undefined ? '' : selectorText(at(object, ...steps(scale.labelSelectorPath)));
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid, resourceVersion, creationTimestamp },
    // Go leaves a zero out here, not in the status.
    spec: replicas === 0 ? {} : { replicas },
    status: {
      replicas: asNumber(at(object, ...steps(scale.statusReplicasPath))) ?? 0,
      ...(selector === '' ? {} : { selector }),
    },
  };
}

const SCALE_COLUMNS = ['Name', 'Desired', 'Available', 'Age'];

/** The scale as a row for people. */
export function scaleTable(call: Call, scale: ApiObject): JsonObject {
  const { name, creationTimestamp, resourceVersion } = scale.metadata;
  const counts = [at(scale, 'spec', 'replicas') ?? 0, at(scale, 'status', 'replicas') ?? 0];
  const columnDefinitions = SCALE_COLUMNS.map((title) => {
    const type = title === 'Desired' || title === 'Available' ? 'integer' : 'string';
    return { name: title, type, format: title === 'Name' ? 'name' : '', description: '', priority: 0 };
  });
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion },
    columnDefinitions,
    rows: [{ cells: [name, ...counts, age(creationTimestamp, call.state.now())], object: scale }],
  };
}

/** Replaces or patches the number of replicas. */
export function writeScale(call: Call, text: string): ApiObject {
  const live = get(call);
  if (call.contentType === APPLY_PATCH) throw notModelled('server-side apply of a scale');
  const current = readScale(call, live);
  const body = parseJson(text);
  const wanted = call.verb === 'patch' ? patchDocument(call, current, body) : body;
  if (!isObject(wanted)) throw badRequest('the scale is not an object');
  return readScale(call, setReplicas(call, live, wanted));
}

function setReplicas(call: Call, live: ApiObject, wanted: JsonObject): ApiObject {
  const replicas = asNumber(at(wanted, 'spec', 'replicas')) ?? 0;
  if (!Number.isInteger(replicas) || (replicas < 0 && call.resource.custom === undefined)) {
    const message = `Invalid value: ${replicas}: must be greater than or equal to 0`;
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, live.metadata.name, [
      { field: 'spec.replicas', type: 'FieldValueInvalid', message },
    ]);
  }
  const next = clone<JsonObject>(live);
  put(next, steps(scaleOf(call).specReplicasPath), replicas);
  put(
    next,
    ['metadata', 'resourceVersion'],
    at(wanted, 'metadata', 'resourceVersion') ?? live.metadata.resourceVersion,
  );
  put(next, ['metadata', 'uid'], at(wanted, 'metadata', 'uid') ?? live.metadata.uid);
  put(next, ['metadata', 'managedFields'], undefined);
  return update(call, live, { body: next });
}
