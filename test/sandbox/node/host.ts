import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerEvent } from '../../../sandbox/node/container-event.ts';
import type { PodHost } from '../../../sandbox/node/pod-host.ts';
import { PodRunner } from '../../../sandbox/node/pod-runner.ts';
import { Watchdog } from '../../../sandbox/node/watchdog.ts';
import type { Container, PodSpec, PodStatus, References } from '../../../sandbox/node/wire.ts';
import { silentLogger } from '../../../src/telemetry/index.ts';
import { podOf, referencesOf } from './pods.ts';

/** A node without an API server: what would be written is kept here. */
export class TestHost {
  readonly directory: string;
  readonly watchdog = new Watchdog();
  readonly statuses = new Map<string, PodStatus>();
  readonly removed: string[] = [];
  readonly events: ContainerEvent[] = [];
  references: References = referencesOf();
  readonly #runners: PodRunner[] = [];
  readonly #stopping = new AbortController();

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async create(): Promise<TestHost> {
    return new TestHost(await mkdtemp(join(tmpdir(), 'node-agent-')));
  }

  get host(): PodHost {
    return {
      nodeName: 'sandbox',
      hostIP: '127.0.0.1',
      directory: join(this.directory, 'pods'),
      runtimes: { tools: { entrypoint: [process.execPath], workingDirectory: '/work' } },
      watchdog: this.watchdog,
      backoff: { baseMilliseconds: 20, maximumMilliseconds: 100, resetAfterMilliseconds: 60_000 },
      logBytes: 10_000,
      log: silentLogger,
      signal: this.#stopping.signal,
      allocateAddress: () => '127.0.0.1',
      releaseAddress: () => undefined,
      environment: { PATH: process.env['PATH'] ?? '' },
      references: () => this.references,
      claimDirectory: (_namespace, claim) => ({ ok: true, path: this.claim(claim) }),
      requestToken: () => Promise.resolve('token-of-pod'),
      kubeconfig: (token) => `token: ${token}`,
      writeStatus: (pod, status) => Promise.resolve(void this.statuses.set(pod.metadata.name, status)),
      removePod: (pod) => Promise.resolve(void this.removed.push(pod.metadata.name)),
      onEvent: (_pod, event) => void this.events.push(event),
    };
  }

  claim(name: string): string {
    return join(this.directory, 'claims', name);
  }

  run(name: string, spec: Partial<PodSpec> & Pick<PodSpec, 'containers'>): PodRunner {
    const runner = new PodRunner(podOf(name, spec), this.host);
    this.#runners.push(runner);
    runner.start();
    return runner;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#runners.map((runner) => runner.end(0, false)));
    await this.watchdog.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** A container that runs a shell script. */
export const shell = (script: string, change: Partial<Container> = {}): Container => ({
  name: 'main',
  image: 'tools',
  command: ['/bin/sh', '-c', script],
  ...change,
});

/** Waits until `look` gives something; fails with the last that was seen. */
export async function until<T>(
  look: () => T | undefined | false | Promise<T | undefined | false>,
  what = 'it',
): Promise<T> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (Date.now() > deadline) throw new Error(`${what} did not come about`);
    await sleep(10);
  }
}

export const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
