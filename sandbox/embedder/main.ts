import { startEmbedder } from './server.ts';

/**
 * `node sandbox/embedder/main.ts`, configured by EMBEDDER_HOST, EMBEDDER_PORT, EMBEDDER_MODEL, EMBEDDER_DIMENSIONS,
 * EMBEDDER_API_KEY, EMBEDDER_MAX_TOKENS, EMBEDDER_LATENCY_MS. With EMBEDDER_ATTACHED it ends when its standard input does.
 */
const {
  EMBEDDER_HOST,
  EMBEDDER_PORT,
  EMBEDDER_MODEL,
  EMBEDDER_DIMENSIONS,
  EMBEDDER_API_KEY,
  EMBEDDER_MAX_TOKENS,
  EMBEDDER_LATENCY_MS,
  EMBEDDER_ATTACHED,
} = process.env;

const latency = Number(EMBEDDER_LATENCY_MS ?? 0);
const server = await startEmbedder({
  ...(EMBEDDER_HOST && { host: EMBEDDER_HOST }),
  ...(EMBEDDER_MODEL && { model: EMBEDDER_MODEL }),
  ...(EMBEDDER_API_KEY && { apiKey: EMBEDDER_API_KEY }),
  ...(EMBEDDER_DIMENSIONS && { dimensions: Number(EMBEDDER_DIMENSIONS) }),
  ...(EMBEDDER_MAX_TOKENS && { maxTokens: Number(EMBEDDER_MAX_TOKENS) }),
  ...(latency > 0 && { latency: () => latency }),
  port: Number(EMBEDDER_PORT ?? 8080),
});
process.stdout.write(`${JSON.stringify({ msg: 'embedder listens', url: server.url })}\n`);
const stop = (): void => void server.stop().then(() => process.exit(0));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
if (EMBEDDER_ATTACHED !== undefined) process.stdin.resume().once('end', stop);
