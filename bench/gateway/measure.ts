import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { KEY } from '../../test/gateway/world.ts';
import type { Libraries } from './process.ts';

export type Answered = { readonly status: number; readonly body: unknown };

export async function send(url: string, method: string, body: unknown): Promise<Answered> {
  const headers = { 'api-key': KEY, 'content-type': 'application/json' };
  const answer = await fetch(url, { method, headers, body: JSON.stringify(body) });
  const parsed: unknown = await answer.json();
  if (answer.status !== 200)
    throw new Error(`${method} ${url}: ${answer.status} ${JSON.stringify(parsed).slice(0, 300)}`);
  return { status: answer.status, body: parsed };
}

/** A gateway as a process. */
export class GatewayProcess {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #lines: Interface;

  private constructor(child: ChildProcess, lines: Interface, url: string) {
    this.#child = child;
    this.#lines = lines;
    this.url = url;
  }

  static async start(libraries: Libraries): Promise<GatewayProcess> {
    const script = join(import.meta.dirname, 'process.ts');
    const child = spawn(process.execPath, [script, JSON.stringify(libraries)], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout });
    const [url] = (await once(lines, 'line')) as [string];
    return new GatewayProcess(child, lines, url);
  }

  /** Resolves when the sketches of all libraries are drawn. */
  async sketch(): Promise<void> {
    const drawn = once(this.#lines, 'line');
    this.#child.stdin?.write('draw\n');
    await drawn;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

export type Speed = { readonly p50: number; readonly p95: number; readonly perSecond: number };

/** Milliseconds of single requests, one after the other, and requests a second of `clients` at once. */
export async function speedOf(work: (turn: number) => Promise<unknown>, rounds: number, clients = 8): Promise<Speed> {
  for (let warm = 0; warm < 10; warm += 1) await work(warm);
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    await work(round);
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  const began = performance.now();
  let turn = 0;
  const client = async (): Promise<void> => {
    while (turn < 2 * rounds) {
      turn += 1;
      await work(turn);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const at = (share: number): number => times[Math.floor(share * (times.length - 1))] ?? Number.NaN;
  return { p50: at(0.5), p95: at(0.95), perSecond: (2000 * rounds) / (performance.now() - began) };
}
