import { doublesToJson } from '../base/doubles.ts';
import type { JsonObject } from '../base/json.ts';
import type { FoundPoint } from '../collection/points.ts';
import type { ScoredPoint } from '../collection/query.ts';
import { shortFloat, vectorsToJson } from '../shard/vectors.ts';
import type { Selection } from './points-request.ts';

/** A point as scroll and retrieve show it. */
export function recordOf(found: FoundPoint, selection: Selection): JsonObject {
  const { point, shardKey } = found;
  return {
    id: point.id,
    ...selected(found, selection),
    ...(shardKey === undefined ? {} : { shard_key: shardKey }),
  };
}

export function scoredOf(found: ScoredPoint, selection: Selection): JsonObject {
  const { point, shardKey, score } = found;
  return {
    id: point.id,
    // The real number counts operations of a replica; this one orders them in time.
    version: point.version,
    score: shortFloat(Math.fround(score)),
    ...selected(found, selection),
    ...(shardKey === undefined ? {} : { shard_key: shardKey }),
  };
}

function selected({ point }: FoundPoint, selection: Selection): JsonObject {
  const { vectors } = selection;
  const payload = selectPayload(point.payload, selection.payload);
  return {
    ...(payload === undefined ? {} : { payload: doublesToJson(payload) as JsonObject }),
    ...(vectors === false ? {} : { vector: vectorsToJson(point.vectors, vectors === true ? undefined : vectors) }),
  };
}

export function selectPayload(payload: JsonObject, selection: Selection['payload']): JsonObject | undefined {
  if (selection === false) return undefined;
  if (selection === true) return payload;
  const keep =
    'exclude' in selection
      ? (key: string) => !selection.exclude.includes(key)
      : (key: string) => selection.includes(key);
  return Object.fromEntries(Object.entries(payload).filter(([key]) => keep(key)));
}
