import type { ApiObject } from '../objects.ts';

/** Field of events.k8s.io/v1 -> field of the core/v1 event that is stored. Source: `pkg/apis/core/v1/conversion.go`. */
const RENAMED: readonly (readonly [string, string])[] = [
  ['note', 'message'],
  ['regarding', 'involvedObject'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
];

function renamed(object: ApiObject, names: ReadonlyMap<string, string>, apiVersion: string): ApiObject {
  const view: ApiObject = { apiVersion, kind: 'Event', metadata: object.metadata };
  for (const [name, value] of Object.entries(object)) {
    if (name !== 'apiVersion' && name !== 'kind' && name !== 'metadata') view[names.get(name) ?? name] = value;
  }
  return view;
}

const TO_STORED = new Map(RENAMED);
const FROM_STORED = new Map(RENAMED.map(([view, stored]) => [stored, view]));

export const eventToStored = (event: ApiObject): ApiObject => renamed(event, TO_STORED, 'v1');
export const eventFromStored = (event: ApiObject): ApiObject => renamed(event, FROM_STORED, 'events.k8s.io/v1');
