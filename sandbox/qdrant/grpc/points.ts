import type {
  CountPoints,
  DeletePoints,
  GetPoints,
  PointsSelector,
  QueryPoints,
  ScrollPoints,
  SetPayloadPoints,
  UpsertPoints,
  WithPayloadSelector,
  WithVectorsSelector,
} from '@qdrant/js-client-grpc';
import { EngineError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import { countPoints, type FoundPoint, retrievePoints, scrollPoints, writePoints } from '../collection/points.ts';
import { queryPoints } from '../collection/query.ts';
import type { Engine } from '../engine.ts';
import { selectPayload } from '../routes/points-answer.ts';
import type { Selection } from '../routes/points-request.ts';
import type { ShardOperation, Target, UpdateMode } from '../shard/operations.ts';
import { vectorToJson } from '../shard/vectors.ts';
import type { CollectionState } from '../state/types.ts';
import type { Call } from './call.ts';
import {
  fromWireFields,
  fromWireId,
  fromWireKeys,
  fromWireVector,
  fromWireVectors,
  toWireFields,
  toWireId,
  toWireKey,
  toWireVectors,
} from './convert.ts';
import { fromWireFilter } from './filter.ts';

const MODES: readonly UpdateMode[] = ['upsert', 'insert_only', 'update_only'];
const ACKNOWLEDGED = 1;
const COMPLETED = 2;
const DEFAULT_LIMIT = 10;

/** The Points service over the same functions as REST. */
export function pointCalls(engine: Engine): Record<string, Call> {
  const write = (read: (message: never, collection: CollectionState) => ShardOperation): Call => ({
    right: 'write',
    answer: async (message: never) => {
      const { collectionName, wait, shardKeySelector } = message as Writing;
      const collection = engine.collection(collectionName);
      const operation = read(message, collection);
      const shardKey = fromWireKeys(shardKeySelector)?.[0];
      const result = await writePoints(engine, collection, { operation, shardKey, wait: wait ?? false });
      return { result: { operationId: BigInt(result.operation_id), status: wait ? COMPLETED : ACKNOWLEDGED }, time: 0 };
    },
  });
  return {
    upsert: write(readUpsert),
    delete: write(({ points }: DeletePoints) => ({ kind: 'delete', target: targetOf(points) })),
    setPayload: write((message: SetPayloadPoints) => ({
      kind: 'setPayload',
      target: targetOf(message.pointsSelector),
      payload: fromWireFields(message.payload),
      ...(message.key === undefined ? {} : { key: message.key }),
    })),
    get: { right: 'read', answer: (message: GetPoints) => get(engine, message) },
    scroll: { right: 'read', answer: (message: ScrollPoints) => scroll(engine, message) },
    count: { right: 'read', answer: (message: CountPoints) => count(engine, message) },
    query: { right: 'read', answer: (message: QueryPoints) => query(engine, message) },
  };
}

type Writing = Pick<UpsertPoints, 'collectionName' | 'wait' | 'shardKeySelector'>;

function readUpsert(message: UpsertPoints, { config }: CollectionState): ShardOperation {
  const filter = fromWireFilter(message.updateFilter);
  const mode = MODES[message.updateMode ?? 0];
  return {
    kind: 'upsert',
    points: message.points.map(({ id, vectors, payload }) => ({
      id: fromWireId(id),
      vectors: fromWireVectors(vectors, config.params),
      payload: fromWireFields(payload),
    })),
    ...(mode === undefined ? {} : { mode }),
    ...(filter === undefined ? {} : { filter }),
  };
}

function targetOf(selector: PointsSelector | undefined): Target {
  const one = selector?.pointsSelectorOneOf;
  if (one?.case === 'points') return { ids: one.value.ids.map(fromWireId) };
  const filter = one?.case === 'filter' ? fromWireFilter(one.value) : undefined;
  if (filter === undefined) throw new EngineError('BadInput', 'PointSelector is missing');
  return { filter };
}

function selectionOf(
  payload: WithPayloadSelector | undefined,
  vectors: WithVectorsSelector | undefined,
  byDefault: boolean,
): Selection {
  const wanted = payload?.selectorOptions;
  const shown = vectors?.selectorOptions;
  return {
    payload:
      wanted?.case === 'enable'
        ? wanted.value
        : wanted?.case === 'include'
          ? wanted.value.fields
          : wanted?.case === 'exclude'
            ? { exclude: wanted.value.fields }
            : byDefault,
    vectors: shown?.case === 'include' ? shown.value.names : shown?.case === 'enable' && shown.value,
  };
}

function pointOf({ point, shardKey }: FoundPoint, selection: Selection): object {
  const payload = selectPayload(point.payload, selection.payload);
  const { vectors } = selection;
  return {
    id: toWireId(point.id),
    payload: payload === undefined ? {} : toWireFields(payload),
    ...(vectors === false ? {} : { vectors: toWireVectors(point.vectors, vectors === true ? undefined : vectors) }),
    ...(shardKey === undefined ? {} : { shardKey: toWireKey(shardKey) }),
  };
}

async function get(engine: Engine, message: GetPoints): Promise<object> {
  const selection = selectionOf(message.withPayload, message.withVectors, true);
  const found = await retrievePoints(engine, engine.collection(message.collectionName), {
    ids: message.ids.map(fromWireId),
    shardKeys: fromWireKeys(message.shardKeySelector),
  });
  return { result: found.map((point) => pointOf(point, selection)), time: 0 };
}

async function scroll(engine: Engine, message: ScrollPoints): Promise<object> {
  if (message.orderBy) throw new EngineError('NotBuilt', 'scroll with order_by');
  const selection = selectionOf(message.withPayload, message.withVectors, true);
  const { points, next } = await scrollPoints(engine, engine.collection(message.collectionName), {
    limit: message.limit ?? DEFAULT_LIMIT,
    explicitLimit: message.limit,
    offset: message.offset === undefined ? undefined : fromWireId(message.offset),
    filter: fromWireFilter(message.filter),
    shardKeys: fromWireKeys(message.shardKeySelector),
  });
  return {
    result: points.map((point) => pointOf(point, selection)),
    ...(next === undefined ? {} : { nextPageOffset: toWireId(next) }),
    time: 0,
  };
}

async function count(engine: Engine, message: CountPoints): Promise<object> {
  const found = await countPoints(engine, engine.collection(message.collectionName), {
    filter: fromWireFilter(message.filter),
    shardKeys: fromWireKeys(message.shardKeySelector),
  });
  return { result: { count: BigInt(found) }, time: 0 };
}

async function query(engine: Engine, message: QueryPoints): Promise<object> {
  if (message.prefetch.length > 0) throw new EngineError('NotBuilt', 'gRPC query with prefetch');
  const collection = engine.collection(message.collectionName);
  const selection = selectionOf(message.withPayload, message.withVectors, false);
  const limit = message.limit === undefined ? undefined : Number(message.limit);
  const points = await queryPoints(engine, collection, {
    query: queryOf(message, collection),
    using: message.using ?? '',
    filter: fromWireFilter(message.filter),
    limit: limit ?? DEFAULT_LIMIT,
    explicitLimit: limit,
    offset: Number(message.offset ?? 0n),
    scoreThreshold: message.scoreThreshold,
    prefetch: [],
    shardKeys: fromWireKeys(message.shardKeySelector),
  });
  const result = points.map((found) => ({
    ...pointOf(found, selection),
    score: found.score,
    version: BigInt(found.point.version),
  }));
  return { result, time: 0 };
}

function queryOf(message: QueryPoints, { config }: CollectionState): Json | undefined {
  const variant = message.query?.variant;
  if (variant === undefined) return undefined;
  if (variant.case !== 'nearest') throw new EngineError('NotBuilt', `gRPC query by ${variant.case ?? 'nothing'}`);
  const input = variant.value.variant;
  if (input.case === 'id') return fromWireId(input.value);
  return vectorToJson(fromWireVector(message.using ?? '', { vector: input }, config.params));
}
