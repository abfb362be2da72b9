import { EngineError } from '../base/errors.ts';
import { isObject, type JsonObject } from '../base/json.ts';
import { BAD_CHARACTERS, DATATYPES, DISTANCES, MAX_DIMENSION } from './create-request.ts';

const MAX_NAME_BYTES = 200;
const NO_VARIANT = 'data did not match any variant of untagged enum VectorNameConfig';

export function checkVectorName(name: string): void {
  const bad = BAD_CHARACTERS.find((character) => name.includes(character));
  const wrong =
    Buffer.byteLength(name) > MAX_NAME_BYTES
      ? `vector name must be at most ${MAX_NAME_BYTES} bytes long`
      : bad === undefined
        ? undefined
        : `vector name cannot contain ${JSON.stringify(bad)} char`;
  if (wrong !== undefined) throw new EngineError('PathValidation', `[vector_name: ${wrong}]`);
}

/** `{dense: {...}}` or `{sparse: {...}}`; the first wins, what else stands in it is ignored, as the server does. */
export function readNewVector(body: JsonObject): JsonObject {
  const dense = readDense(body);
  if (dense !== undefined) return { dense };
  const sparse = readSparse(body);
  if (sparse !== undefined) return { sparse };
  throw new EngineError('Format', NO_VARIANT);
}

function readDense({ dense }: JsonObject): JsonObject | undefined {
  if (!isObject(dense)) return undefined;
  const { size, distance, datatype, multivector_config: multi } = dense;
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 0) return undefined;
  if (typeof distance !== 'string' || !DISTANCES.includes(distance) || !isDatatype(datatype)) return undefined;
  if (isObject(multi) && multi.comparator !== 'max_sim') return undefined;
  if (size < 1 || size > MAX_DIMENSION) {
    throw new EngineError('Validation', `[dense.size: value ${size} invalid, must be from 1 to ${MAX_DIMENSION}]`);
  }
  return {
    size,
    distance,
    ...(typeof datatype === 'string' ? { datatype } : {}),
    ...(isObject(multi) ? { multivector_config: { comparator: 'max_sim' } } : {}),
  };
}

function readSparse({ sparse }: JsonObject): JsonObject | undefined {
  if (!isObject(sparse)) return undefined;
  const { modifier, datatype } = sparse;
  const known = modifier === undefined || modifier === null || modifier === 'none' || modifier === 'idf';
  if (!known || !isDatatype(datatype)) return undefined;
  if (datatype === 'turbo4') {
    throw new EngineError('Validation', '[sparse.datatype: sparse vectors do not support the `turbo4` datatype]');
  }
  return {
    ...(typeof datatype === 'string' ? { index: { datatype } } : {}),
    ...(typeof modifier === 'string' ? { modifier } : {}),
  };
}

const isDatatype = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'string' && DATATYPES.includes(value));
