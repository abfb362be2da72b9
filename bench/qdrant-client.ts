/**
 * How much of a bare connection the Qdrant client leaves: points a second written and read, by REST and by gRPC,
 * beside the same bytes over a bare HTTP/2 loop. The server is a thread that throws away what it gets and answers from
 * memory, so the figures are the client's cost alone. Ratios are worth comparing between machines; points a second are not.
 *
 *     node bench/qdrant-client.ts [seconds for each row, default 2]
 */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { create, toBinary } from '@bufbuild/protobuf';
import { ScrollResponseSchema } from '@qdrant/js-client-grpc';
import { PeerClient, type Point, stringifyJson } from '../src/qdrant/index.ts';
import { toGrpcPoint } from '../src/qdrant/point-grpc.ts';

const DIMENSIONS = 384;
const PAGE = 256;
/** Exact in float32, as real embeddings are after storing. */
const value = (row: number, column: number): number => Math.fround(Math.sin(row * DIMENSIONS + column));
const points: Point[] = Array.from({ length: PAGE }, (_, row) => ({
  id: row,
  vector: Array.from({ length: DIMENSIONS }, (_unused, column) => value(row, column)),
  payload: {
    path: `docs/guide-${row}.md`,
    title: `Chapter ${row}`,
    chunk: row,
    tags: ['a', 'b'],
    text: 'x'.repeat(200),
  },
}));

if (isMainThread) await run(Number(process.argv[2] ?? 2));
else await serve();

/** A message with gRPC's five bytes before it. */
function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

async function serve(): Promise<void> {
  const records = points.map(toGrpcPoint) as never;
  const page = framed(toBinary(ScrollResponseSchema, create(ScrollResponseSchema, { result: records, time: 0 })));
  // PointsOperationResponse { result: { status: Completed } }
  const written = framed(Uint8Array.of(0x0a, 0x02, 0x10, 0x02));
  const jsonPage = `{"result":{"points":[${points.map(stringifyJson).join(',')}],"next_page_offset":null},"status":"ok","time":0}`;
  const jsonWritten = '{"result":{"operation_id":1,"status":"completed"},"status":"ok","time":0}';

  const rest = createHttpServer((request, response) => {
    request.resume().on('end', () => {
      response.setHeader('content-type', 'application/json');
      response.end(request.url?.includes('scroll') === true ? jsonPage : jsonWritten);
    });
  }).listen(0, '127.0.0.1');
  const grpc = createHttp2Server({ settings: { initialWindowSize: 16 * 1024 * 1024 } }).listen(0, '127.0.0.1');
  grpc.on('session', (session) => session.setLocalWindowSize(16 * 1024 * 1024));
  grpc.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.resume().on('end', () => {
      stream.respond({ 'content-type': 'application/grpc+proto' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(headers[':path']?.includes('Scroll') === true ? page : written);
    });
  });
  await Promise.all([once(rest, 'listening'), once(grpc, 'listening')]);
  const port = (server: { address: () => unknown }) => (server.address() as AddressInfo).port;
  parentPort?.postMessage({ rest: port(rest), grpc: port(grpc), pageBytes: page.length });
}

async function run(seconds: number): Promise<void> {
  const worker = new Worker(new URL(import.meta.url));
  const [ports] = (await once(worker, 'message')) as [{ rest: number; grpc: number; pageBytes: number }];
  const rest = `http://127.0.0.1:${ports.rest}`;
  const grpc = `http://127.0.0.1:${ports.grpc}`;
  const viaRest = new PeerClient({ address: { name: 'rest', rest } });
  const viaGrpc = new PeerClient({ address: { name: 'grpc', rest, grpc } });
  const bare = connect(grpc, { settings: { initialWindowSize: 16 * 1024 * 1024 } });
  bare.on('connect', () => bare.setLocalWindowSize(16 * 1024 * 1024));
  /** As many bytes as a page has, there or back, without making or reading a message. */
  const exchange = async (path: string, body: Buffer): Promise<void> => {
    const stream = bare.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc+proto' });
    stream.end(body);
    stream.resume();
    await once(stream, 'close');
  };
  const page = Buffer.alloc(ports.pageBytes);

  const bareWrite = await rate(seconds, () => exchange('/Upsert', page));
  const bareRead = await rate(seconds, () => exchange('/Scroll', Buffer.alloc(5)));
  const rows: [string, number, number][] = [
    ['write, bare HTTP/2', bareWrite, bareWrite],
    ['write, gRPC', await rate(seconds, () => viaGrpc.upsert('bench', points)), bareWrite],
    ['write, REST', await rate(seconds, () => viaRest.upsert('bench', points)), bareWrite],
    ['read, bare HTTP/2', bareRead, bareRead],
    ['read, gRPC', await rate(seconds, () => viaGrpc.scroll('bench', { withVectors: true })), bareRead],
    ['read, REST', await rate(seconds, () => viaRest.scroll('bench', { withVectors: true })), bareRead],
  ];
  process.stdout.write(`${PAGE} points of ${DIMENSIONS} dimensions a request, ${ports.pageBytes} bytes as protobuf\n`);
  for (const [name, measured, base] of rows) {
    process.stdout.write(
      `${name.padEnd(20)} ${Math.round(measured).toLocaleString('en').padStart(10)} points/s  ${(measured / base).toFixed(3)} of bare\n`,
    );
  }
  await Promise.all([viaRest.close(), viaGrpc.close()]);
  bare.close();
  await worker.terminate();
}

/** Points a second, after a warm-up, one request at a time. */
async function rate(seconds: number, work: () => Promise<unknown>): Promise<number> {
  for (let warm = 0; warm < 5; warm += 1) await work();
  const start = performance.now();
  const end = start + seconds * 1000;
  let requests = 0;
  while (performance.now() < end) {
    await work();
    requests += 1;
  }
  return (requests * PAGE * 1000) / (performance.now() - start);
}
