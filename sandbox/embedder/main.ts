import { startEmbedder } from './server.ts';

/** `node sandbox/embedder/main.ts`, configured by EMBEDDER_HOST, EMBEDDER_PORT, EMBEDDER_MODEL, EMBEDDER_DIMENSIONS, EMBEDDER_API_KEY. */
const { EMBEDDER_HOST, EMBEDDER_PORT, EMBEDDER_MODEL, EMBEDDER_DIMENSIONS, EMBEDDER_API_KEY } = process.env;

const server = await startEmbedder({
  ...(EMBEDDER_HOST && { host: EMBEDDER_HOST }),
  ...(EMBEDDER_MODEL && { model: EMBEDDER_MODEL }),
  ...(EMBEDDER_API_KEY && { apiKey: EMBEDDER_API_KEY }),
  ...(EMBEDDER_DIMENSIONS && { dimensions: Number(EMBEDDER_DIMENSIONS) }),
  port: Number(EMBEDDER_PORT ?? 8080),
});
process.stdout.write(`${JSON.stringify({ msg: 'embedder listens', url: server.url })}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.stop());
