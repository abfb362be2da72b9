import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { embed } from '../../../sandbox/embedder/hashing.ts';
import { type EmbedderOptions, type EmbedderServer, startEmbedder } from '../../../sandbox/embedder/server.ts';
import { EmbedClient, type EmbedClientOptions, EmbedError, type Protocol } from '../../../src/vectorize/embed/index.ts';

export const PROTOCOLS: readonly Protocol[] = ['Ollama', 'OpenAI', 'TEI', 'Gemini'];
export const DIMENSIONS = 64;

/** A word is a token, as the sandbox's embedder counts. */
export const countWords = (text: string): number => text.match(/[\p{L}\p{N}]+/gu)?.length ?? 0;

export const rightVector = (text: string, dimensions = DIMENSIONS): Float32Array =>
  Float32Array.from(embed(text, dimensions));

export const texts = (count: number, start = 0): string[] =>
  Array.from({ length: count }, (_, index) => `text number ${index + start} about topic ${(index + start) % 7}`);

type Both = { readonly server: EmbedderServer; readonly client: EmbedClient };

/** A server and a client of it, both gone after the test; waits are short. */
export async function embedderAndClient(
  t: TestContext,
  { serve = {}, ...options }: Partial<EmbedClientOptions> & { serve?: EmbedderOptions } = {},
): Promise<Both> {
  const server = await startEmbedder({ dimensions: DIMENSIONS, ...serve });
  const client = new EmbedClient({
    protocol: 'OpenAI',
    url: server.url,
    model: 'hashing',
    countTokens: countWords,
    ...options,
    retry: { baseMilliseconds: 1, capMilliseconds: 4, ...options.retry },
  });
  t.after(async () => {
    await server.stop();
    await client.close();
  });
  return { server, client };
}

export async function failure(work: Promise<unknown>): Promise<EmbedError> {
  const error = await work.then(
    () => assert.fail('it must fail'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof EmbedError, String(error));
  return error;
}

/** Equal but for what normalising float32 rounds. */
export function sameVector(actual: Float32Array | undefined, expected: Float32Array): void {
  assert.equal(actual?.length, expected.length);
  for (const [index, value] of expected.entries()) assert.ok(Math.abs((actual?.[index] ?? 9) - value) < 1e-6);
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
