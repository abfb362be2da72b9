import type { JsonObject } from '../json.ts';

/** Asked for with an `@`, which is no media type, and answered with a dot. Source: kube-openapi `handler.go`. */
export const OPENAPI_V2_ASKED = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
export const OPENAPI_V2_GIVEN = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/**
 * The old schema document, without any kind. kubectl asks for it when it meets a `List`, finds nothing to check by,
 * and leaves the check to the server, which does it better.
 */
export const OPENAPI_V2: JsonObject = {
  swagger: '2.0',
  info: { title: 'Kubernetes', version: 'v1.36.3' },
  paths: {},
  definitions: {},
};

const text = (field: number, value: string): Buffer => bytes(field, Buffer.from(value));
const bytes = (field: number, value: Buffer): Buffer =>
  Buffer.concat([Buffer.from([(field << 3) | 2, value.length]), value]);

/** The same as a gnostic `Document`: swagger 1, info 2 (title 1, version 2), paths 8, definitions 9. */
export const OPENAPI_V2_BYTES = Buffer.concat([
  text(1, '2.0'),
  bytes(2, Buffer.concat([text(1, 'Kubernetes'), text(2, 'v1.36.3')])),
  bytes(8, Buffer.alloc(0)),
  bytes(9, Buffer.alloc(0)),
]);
