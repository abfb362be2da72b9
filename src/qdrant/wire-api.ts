import { create, type DescMessage, type DescMethodUnary, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import type { CallOptions as RpcOptions, Transport } from '@connectrpc/connect';
import type { PointsOperationResponse, Qdrant, RetrievedPoint, PointId as WireId } from '@qdrant/js-client-grpc';
import type { GetInit, QueryInit, ScrollInit, UpsertInit } from './grpc-types.ts';
import { fromGrpcPoint } from './point-grpc.ts';
import { type PointVersion, versionOf, WirePoint } from './wire-point.ts';
import { varintSize } from './wire-reader.ts';

type UnknownField = NonNullable<Message['$unknown']>[number];
type Service = (typeof Qdrant)['file']['services'][number];

/** The points service with points left as bytes: as fields that the message which holds them doesn't know. */
export type WireApi = {
  readonly read: {
    (method: 'scroll', request: ScrollInit, options: RpcOptions | undefined): Promise<readonly UnknownField[]>;
    (method: 'query', request: QueryInit, options: RpcOptions | undefined): Promise<readonly UnknownField[]>;
    (method: 'get', request: GetInit, options: RpcOptions | undefined): Promise<readonly UnknownField[]>;
  };
  readonly points: (fields: readonly UnknownField[], number: number) => WirePoint[];
  /** Of the points in the answer to a query. */
  readonly versions: (fields: readonly UnknownField[]) => PointVersion[];
  readonly id: (field: UnknownField) => WireId;
  readonly upsert: (
    request: UpsertInit,
    points: readonly Buffer[],
    options: RpcOptions | undefined,
  ) => Promise<PointsOperationResponse>;
};

/** @throws TypeError when the package's description of Qdrant has not what is needed */
export function wireApi(service: Service, transport: Transport, opaque: DescMessage): WireApi {
  const method = (name: string): DescMethodUnary => {
    const found = service.method[name];
    if (found === undefined || found.methodKind !== 'unary') throw new TypeError(`Qdrant's service has no ${name}`);
    return found as DescMethodUnary;
  };
  const get = method('get');
  const scroll = method('scroll');
  const reads = { get, scroll, query: method('query') };
  const upsert = method('upsert');
  const point = messageOf(get.output, 'result');
  const id = messageOf(scroll.output, 'next_page_offset');
  const decode = (bytes: Buffer) => fromGrpcPoint(fromBinary(point, bytes) as RetrievedPoint);
  return {
    read: async (name: keyof typeof reads, request: object, options: RpcOptions | undefined) => {
      const called = { ...reads[name], output: opaque } as DescMethodUnary;
      const answer = await transport.unary(called, options?.signal, undefined, options?.headers, request as never);
      return answer.message.$unknown ?? [];
    },
    points: (fields, number) =>
      fields.flatMap((field) => (field.no === number ? [new WirePoint(contentOf(field), decode)] : [])),
    versions: (fields) => fields.flatMap((field) => (field.no === 1 ? [versionOf(contentOf(field))] : [])),
    id: (field) => fromBinary(id, contentOf(field)) as WireId,
    upsert: async (request, points, options) => {
      const head = fromBinary(opaque, toBinary(upsert.input, create(upsert.input, request)));
      const written = points.map((data): UnknownField => ({ no: 3, wireType: 2, data }));
      const message = Object.assign(create(opaque), { $unknown: [...(head.$unknown ?? []), ...written] });
      const called = { ...upsert, input: opaque } as DescMethodUnary;
      const answer = await transport.unary(called, options?.signal, undefined, options?.headers, message);
      return answer.message as PointsOperationResponse;
    },
  };
}

/** Without the length before it. */
function contentOf({ data }: UnknownField): Buffer {
  const start = varintSize(data);
  return Buffer.from(data.buffer, data.byteOffset + start, data.length - start);
}

function messageOf(message: DescMessage, field: string): DescMessage {
  const found = message.fields.find(({ name }) => name === field)?.message;
  if (found === undefined) throw new TypeError(`${message.typeName} has no ${field}`);
  return found;
}
