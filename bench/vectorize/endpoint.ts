/**
 * A thread that answers OpenAI's requests to embed from memory, as many vectors as texts: below `/instant` at once, below
 * `/model` as a model on two lanes would. Tells its port when it listens.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { BATCH, DIMENSIONS, LANES, SERVICE_MILLISECONDS, TOKENS } from '../embed-figures.ts';

const vectors = Array.from({ length: BATCH }, (_, row) => {
  const values = Array.from({ length: DIMENSIONS }, (_unused, column) => Math.sin(row * DIMENSIONS + column));
  const norm = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / norm);
});
const plain = vectors.map((vector) => JSON.stringify([...vector]));
const packed = vectors.map((vector) => JSON.stringify(Buffer.from(vector.buffer).toString('base64')));

function answer(count: number, base64: boolean): string {
  const encoded = base64 ? packed : plain;
  const data = Array.from({ length: count }, (_, index) => `{"index":${index},"embedding":${encoded[index % BATCH]}}`);
  return `{"data":[${data.join(',')}],"usage":{"total_tokens":${TOKENS * count}}}`;
}

let turn = 0;
const lanes = Array.from({ length: LANES }, () => Promise.resolve());

/** Resolves when a lane has worked on the request. */
function worked(): Promise<void> {
  const lane = turn % LANES;
  turn += 1;
  const done = (lanes[lane] ?? Promise.resolve()).then(() => sleep(SERVICE_MILLISECONDS));
  lanes[lane] = done;
  return done;
}

const server = createServer((request, response) => {
  void (async () => {
    const body = (await Array.fromAsync(request as AsyncIterable<Buffer>)).join('');
    const { input, encoding_format: format } = JSON.parse(body) as { input: string[]; encoding_format?: string };
    if (request.url?.startsWith('/model/') === true) await worked();
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer(input.length, format === 'base64'));
  })();
}).listen(0, '127.0.0.1');
await once(server, 'listening');
parentPort?.postMessage((server.address() as AddressInfo).port);
