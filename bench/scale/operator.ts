import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { OPERATOR_NAMESPACE } from '../../sandbox/sandbox.ts';
import { Metrics } from '../metrics.ts';
import { NodeProcess } from './process.ts';
import type { World } from './world.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** Not the usual 8080, which another operator of this machine may hold on all addresses. */
const METRICS_PORT = 18_080;

export type OperatorOptions = {
  readonly resyncSeconds: number;
  readonly profiles?: string;
};

/** The operator as a process of its own, under its own account. */
export class Operator {
  readonly process: NodeProcess;
  readonly #metricsUrl: string;

  private constructor(process: NodeProcess, metricsUrl: string) {
    this.process = process;
    this.#metricsUrl = metricsUrl;
  }

  static async start(world: World, { resyncSeconds, profiles }: OperatorOptions): Promise<Operator> {
    const address = world.network.pods.allocate();
    if (profiles !== undefined) await mkdir(profiles, { recursive: true });
    const profiling = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profiles)}`];
    const flags = await flagsOfImage();
    const process = await NodeProcess.start({
      arguments: [...flags, ...profiling, join(ROOT, 'src/main.ts'), 'operator'],
      environment: {
        NODE_ENV: 'production',
        KUBECONFIG: world.kubeconfigFile,
        POD_NAME: 'operator',
        POD_NAMESPACE: OPERATOR_NAMESPACE,
        QDRANT_LIBRARIAN_METRICS_HOST: address,
        QDRANT_LIBRARIAN_METRICS_PORT: String(METRICS_PORT),
        QDRANT_LIBRARIAN_RESYNC_SECONDS: String(resyncSeconds),
      },
      watchdog: world.watchdog,
    });
    return new Operator(process, `http://${address}:${METRICS_PORT}/metrics`);
  }

  /** @throws Error when the process has ended or does not answer */
  async metrics(): Promise<Metrics> {
    this.process.assertRunning();
    const answer = await fetch(this.#metricsUrl, { signal: AbortSignal.timeout(5000) });
    return new Metrics(await answer.text());
  }

  stop(): Promise<void> {
    return this.process.stop();
  }
}

/** What the image gives Node: memory is what it is because of them. */
async function flagsOfImage(): Promise<string[]> {
  const dockerfile = await readFile(join(ROOT, 'Dockerfile'), 'utf8');
  const [, list] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile) ?? [];
  if (list === undefined) throw new Error('the Dockerfile has no ENTRYPOINT in the form of a list');
  return (JSON.parse(list) as string[]).filter((word) => word.startsWith('--'));
}
