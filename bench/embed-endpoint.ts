/**
 * A thread that answers requests to embed from memory, whatever their texts are: below `/instant` at once, below
 * `/model` as a model on two lanes would, so many milliseconds a request. Tells its port when it listens.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { BATCH, DIMENSIONS, LANES, SERVICE_MILLISECONDS, TOKENS } from './embed-figures.ts';

const vectors = Array.from({ length: BATCH }, (_, row) => {
  const values = Array.from({ length: DIMENSIONS }, (_unused, column) => Math.sin(row * DIMENSIONS + column));
  const norm = Math.hypot(...values);
  return values.map((value) => Math.fround(value / norm));
});
const data = (encode: (vector: number[]) => unknown) => ({
  data: vectors.map((vector, index) => ({ object: 'embedding', index, embedding: encode(vector) })),
  usage: { total_tokens: TOKENS * BATCH },
});

const ANSWERS: readonly (readonly [pattern: RegExp, text: string])[] = [
  [/\/api\/embed$/, JSON.stringify({ embeddings: vectors, prompt_eval_count: TOKENS * BATCH })],
  [
    /\/base64\/v1\/embeddings$/,
    JSON.stringify(data((vector) => Buffer.from(Float32Array.from(vector).buffer).toString('base64'))),
  ],
  [/\/v1\/embeddings$/, JSON.stringify(data((vector) => vector))],
  [/\/embed$/, JSON.stringify(vectors)],
  [/:batchEmbedContents$/, JSON.stringify({ embeddings: vectors.map((values) => ({ values })) })],
  [/\/info$/, JSON.stringify({ max_client_batch_size: BATCH, max_batch_tokens: 1_000_000, max_input_length: 512 })],
];

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
  const path = request.url ?? '';
  // The more special pattern stands first.
  const text = ANSWERS.find(([pattern]) => pattern.test(path))?.[1] ?? '';
  request.resume().once('end', () => {
    const ready = path.startsWith('/model/') && !path.endsWith('/info') ? worked() : Promise.resolve();
    void ready.then(() => response.writeHead(200, { 'content-type': 'application/json' }).end(text));
  });
}).listen(0, '127.0.0.1');
await once(server, 'listening');
parentPort?.postMessage((server.address() as AddressInfo).port);
