import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

export type ReceivedSpan = {
  readonly trace: string;
  readonly id: string;
  /** Undefined for the root of a trace. */
  readonly parent: string | undefined;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** The word of a failure; undefined where nothing failed. */
  readonly failure: string | undefined;
};

export type OtlpReceiver = {
  readonly endpoint: string;
  readonly paths: readonly string[];
  readonly spans: readonly ReceivedSpan[];
  /** All that came, as text, to search it for what must not be there. */
  readonly text: () => string;
  close(): Promise<void>;
};

/** A collector on loopback that takes traces by OTLP over HTTP with protobuf. */
export async function startReceiver(): Promise<OtlpReceiver> {
  const paths: string[] = [];
  const bodies: Buffer[] = [];
  const spans: ReceivedSpan[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      paths.push(request.url ?? '');
      bodies.push(body);
      spans.push(...spansOf(body));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    paths,
    spans,
    text: () => Buffer.concat(bodies).toString('latin1'),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Source: opentelemetry-proto, `trace/v1/trace.proto`; the numbers are those of its fields. */
function spansOf(request: Uint8Array): ReceivedSpan[] {
  return fieldsOf(request)
    .all(1)
    .flatMap((resource) => fieldsOf(resource).all(2))
    .flatMap((scope) => fieldsOf(scope).all(2))
    .map((bytes) => {
      const span = fieldsOf(bytes);
      const hex = (field: number): string => Buffer.from(span.all(field)[0] ?? []).toString('hex');
      const status = fieldsOf(span.all(15)[0] ?? new Uint8Array());
      const parent = hex(4);
      return {
        trace: hex(1),
        id: hex(2),
        parent: parent === '' ? undefined : parent,
        name: span.text(5),
        attributes: Object.fromEntries(span.all(9).map((pair) => attributeOf(fieldsOf(pair)))),
        failure: status.number(3) === FAILED ? status.text(2) : undefined,
      };
    });
}

const FAILED = 2;

function attributeOf(pair: Fields): [string, string] {
  const value = fieldsOf(pair.all(2)[0] ?? new Uint8Array());
  const text = value.all(1).length > 0 ? value.text(1) : String(value.number(3));
  return [pair.text(1), text];
}

type Fields = {
  all(field: number): Uint8Array[];
  text(field: number): string;
  number(field: number): number | undefined;
};

function fieldsOf(message: Uint8Array): Fields {
  const bytes = new Map<number, Uint8Array[]>();
  const numbers = new Map<number, number>();
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (type === WireType.LengthDelimited) bytes.set(field, [...(bytes.get(field) ?? []), reader.bytes()]);
    else if (type === WireType.Varint) numbers.set(field, Number(reader.int64()));
    else reader.skip(type, field);
  }
  const all = (field: number): Uint8Array[] => bytes.get(field) ?? [];
  return {
    all,
    text: (field) => Buffer.from(all(field)[0] ?? []).toString('utf8'),
    number: (field) => numbers.get(field),
  };
}
