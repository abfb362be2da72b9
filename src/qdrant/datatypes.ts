import { QdrantError } from './errors.ts';
import { isObject } from './rest.ts';

/**
 * Storage types of vectors that every supported Qdrant can apply. S1: 1.18 accepts `turbo4`, panics while its consensus
 * applies it, and after a restart no peer of the cluster starts again. So a list of what is safe, not of what is not.
 */
const SAFE: ReadonlySet<unknown> = new Set(['float32', 'float16', 'uint8']);

/** @throws QdrantError `BadRequest` for a request to create a collection that could stop a whole cluster */
export function refuseUnsafeDatatypes(body: object, operation: string): void {
  const unsafe = datatypesIn(body).find((datatype) => !SAFE.has(datatype));
  if (unsafe === undefined) return;
  const message = `datatype ${JSON.stringify(unsafe)} is none of ${[...SAFE].join(', ')}, and others have stopped clusters for good`;
  throw new QdrantError({ code: 'BadRequest', operation, peer: 'client', message });
}

/** Values of all fields `datatype`, wherever Qdrant's schema has or may get them. */
function datatypesIn(value: unknown): unknown[] {
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    if (name === 'metadata') return [];
    return name === 'datatype' && !isObject(inner) && inner !== undefined && inner !== null
      ? [inner]
      : datatypesIn(inner);
  });
}
