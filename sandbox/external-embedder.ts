import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './embedder/faults.ts';
import type { ServedSummary } from './embedder/server.ts';

export type ExternalEmbedderOptions = {
  /** A loopback address of its own. */
  readonly address: string;
  readonly dimensions: number;
  readonly apiKey?: string;
  /** Longest text, in words. */
  readonly maxTokens?: number;
  /** How long each request takes. */
  readonly latencyMilliseconds?: number;
  readonly signal?: AbortSignal;
};

export type ExternalEmbedder = {
  readonly url: string;
  readonly pid: number;
  /** @param times requests that it meets; 1 when not given */
  strike(fault: Fault, times?: number): Promise<void>;
  /** Forgets faults that have not struck yet. */
  heal(): Promise<void>;
  /** What went out until now. */
  served(): Promise<ServedSummary>;
  stop(): Promise<void>;
};

const START_MILLISECONDS = 15_000;
const PORT = 8080;
const EMBEDDER = join(import.meta.dirname, 'embedder/main.ts');

/** Name of its model. */
export const MODEL = 'hashing';

/** An embedder that runs outside Kubernetes, behind the protocols of Ollama, OpenAI, TEI and Gemini. */
export async function startExternalEmbedder(options: ExternalEmbedderOptions): Promise<ExternalEmbedder> {
  const { address, dimensions, apiKey, maxTokens, latencyMilliseconds, signal } = options;
  const child = spawn(process.execPath, ['--max-semi-space-size=2', EMBEDDER], {
    // A pipe whose end closes with this process tells it that nobody is left to serve.
    stdio: ['pipe', 'ignore', 'ignore'],
    env: {
      PATH: process.env['PATH'],
      EMBEDDER_ATTACHED: '1',
      EMBEDDER_HOST: address,
      EMBEDDER_PORT: String(PORT),
      EMBEDDER_MODEL: MODEL,
      EMBEDDER_DIMENSIONS: String(dimensions),
      ...(apiKey === undefined ? {} : { EMBEDDER_API_KEY: apiKey }),
      ...(maxTokens === undefined ? {} : { EMBEDDER_MAX_TOKENS: String(maxTokens) }),
      ...(latencyMilliseconds === undefined ? {} : { EMBEDDER_LATENCY_MS: String(latencyMilliseconds) }),
    },
  });
  const url = `http://${address}:${PORT}`;
  await untilAnswers(url, child, signal);
  return {
    url,
    pid: child.pid ?? 0,
    async strike(fault, times = 1) {
      await ask(`${url}/faults`, { method: 'POST', body: JSON.stringify({ ...fault, times }) });
    },
    async heal() {
      await ask(`${url}/faults`, { method: 'DELETE' });
    },
    served: async () => (await (await ask(`${url}/served`)).json()) as ServedSummary,
    stop: () => end(child),
  };
}

async function ask(url: string, init: RequestInit = {}): Promise<Response> {
  const answer = await fetch(url, init);
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
  return answer;
}

async function untilAnswers(url: string, child: ChildProcess, signal: AbortSignal | undefined): Promise<void> {
  const deadline = Date.now() + START_MILLISECONDS;
  while (Date.now() < deadline) {
    signal?.throwIfAborted();
    if (child.exitCode !== null) throw new Error(`the embedder ended with exit code ${child.exitCode}`);
    try {
      if ((await fetch(`${url}/healthz`)).ok) return;
    } catch {
      // Not listening yet.
    }
    await sleep(50, undefined, signal === undefined ? {} : { signal });
  }
  child.kill('SIGKILL');
  throw new Error(`the embedder at ${url} did not answer within ${START_MILLISECONDS / 1000} s`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const killing = setTimeout(() => child.kill('SIGKILL'), 2000);
  await ended;
  clearTimeout(killing);
}
