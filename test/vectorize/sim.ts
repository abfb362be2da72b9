import { applyDefaults, type VectorizationJob } from '../../src/api/index.ts';
import type { Occurrence } from '../../src/kube/index.ts';
import { decide } from '../../src/vectorize/decide.ts';
import type { Plan, Step } from '../../src/vectorize/plan.ts';
import { newVectorizeProgress, type RunResult, type VectorizeProgress } from '../../src/vectorize/progress.ts';
import { statusOf } from '../../src/vectorize/report.ts';
import type { VectorizeSettings, WorkerJob, World } from '../../src/vectorize/world.ts';

export const settings: VectorizeSettings = {
  resyncSeconds: 30,
  busySeconds: 1,
  workerImage: 'qdrant-librarian',
  workerPullSecrets: [],
  workerEnvironment: {},
  patienceSeconds: 300,
  againSeconds: 5,
  mostAgainSeconds: 600,
  restSeconds: 3,
  silenceSeconds: 60,
  stallSeconds: 600,
};

type Spec = VectorizationJob['spec'];

export const vectorizationJob = (spec: Partial<Spec> = {}): VectorizationJob => ({
  apiVersion: 'qdrant-librarian.io/v1alpha1',
  kind: 'VectorizationJob',
  metadata: {
    name: 'handbook',
    namespace: 'team',
    uid: 'job-uid',
    generation: 1,
    creationTimestamp: '2026-02-01T00:00:00Z',
  },
  spec: {
    source: { configMap: { name: 'pages' } },
    embedder: { protocol: 'Ollama', url: 'http://ollama:11434', model: 'nomic', dimensions: 3 },
    target: { libraryRef: { name: 'docs' } },
    ...spec,
  },
});

/** A library that is Ready, with one unnamed vector of three numbers. */
export const readyLibrary: NonNullable<World['library']> = {
  name: 'docs',
  collection: 'docs',
  ready: { status: 'True', reason: 'Ready', message: '' },
  binding: { name: 'docs-binding', uri: 'http://main.team.svc:6333' },
  peers: [{ name: 'main-0', rest: 'http://main-0.main-headless.team.svc:6333' }],
};

/** One object, its Jobs and what its workers say: everything that survives a crash of the operator. */
export class Sim {
  now = Date.parse('2026-02-01T00:00:10Z');
  job: VectorizationJob;
  library: World['library'] = readyLibrary;
  target: World['target'] = { kind: 'seen', vectors: [{ name: '', size: 3, multi: false }] };
  references: World['references'] = [];
  /** Digest of the ConfigMaps, and when it counts. */
  inputs: World['inputs'] = { digest: 'one', settledAt: 0, secrets: undefined };
  watchedSince = 0;
  jobs: WorkerJob[] = [];
  progress: VectorizeProgress | undefined;
  readonly events: Occurrence[] = [];
  readonly steps: Step[] = [];

  constructor(spec: Partial<Spec> = {}) {
    this.job = vectorizationJob(spec);
  }

  get world(): World {
    const { now, library, target, references, jobs, progress, inputs, watchedSince } = this;
    const job = applyDefaults(this.job);
    return {
      ...{ now, job, library, target, references, inputs, watchedSince, jobs, progress, settings },
      sourceCluster: undefined,
    };
  }

  /** @param crash the operator dies after its steps, before it writes the status */
  pass({ crash = false } = {}): Plan {
    const { world } = this;
    const plan = decide(world);
    for (const step of plan.steps) this.#carryOut(step);
    this.steps.push(...plan.steps);
    if (crash) return plan;
    this.job = { ...this.job, status: statusOf({ world, plan, failure: undefined, invalid: [] }) };
    this.events.push(...(plan.events ?? []));
    return plan;
  }

  passes(count: number): void {
    for (let index = 0; index < count; index += 1) {
      this.pass();
      this.now += 100;
    }
  }

  #carryOut(step: Step): void {
    switch (step.kind) {
      case 'startWorker':
        this.jobs = [this.#worker(step.run)];
        return;
      case 'stopWorkers':
        this.jobs = this.jobs.filter(({ name }) => !step.jobs.includes(name));
        return;
    }
  }

  #worker(run: string): WorkerJob {
    const attempt = this.job.status?.progress?.attempt ?? 0;
    return { name: `handbook-vec-${run}`, run, attempt, begun: true, state: 'running' };
  }

  /** The worker of the present run says how far it is. */
  says(change: Partial<VectorizeProgress> = {}): void {
    const run = this.run ?? '';
    const holder = { id: 'w', pod: 'p', beat: 1, released: false };
    const before = this.progress?.run === run ? this.progress : newVectorizeProgress(run, holder, this.now);
    this.progress = { ...before, ...change };
  }

  /** The worker of the present run ends it. */
  ends(result: Partial<RunResult> = {}): void {
    this.says({ result: { result: 'Succeeded', finishedAt: this.now, ...result } });
    this.jobs = this.jobs.map((job) => ({ ...job, state: 'succeeded', endedAt: this.now }));
  }

  edit(spec: Partial<Spec>): void {
    const { metadata } = this.job;
    const generation = (metadata.generation ?? 0) + 1;
    this.job = { ...this.job, metadata: { ...metadata, generation }, spec: { ...this.job.spec, ...spec } };
  }

  annotate(name: string, value: string): void {
    const { metadata } = this.job;
    const annotations = { ...metadata.annotations, [`qdrant-librarian.io/${name}`]: value };
    this.job = { ...this.job, metadata: { ...metadata, annotations } };
  }

  get run(): string | undefined {
    return this.job.status?.progress?.run;
  }

  get runsStarted(): string[] {
    return this.steps.flatMap((step) => (step.kind === 'startWorker' ? [step.run] : []));
  }

  condition(type: string): string | undefined {
    const found = this.job.status?.conditions?.find((condition) => condition.type === type);
    return found === undefined ? undefined : `${found.status} ${found.reason}`;
  }

  message(type: string): string {
    return this.job.status?.conditions?.find((condition) => condition.type === type)?.message ?? '';
  }
}

/** A job whose first run is over. */
export function rested(spec: Partial<Spec> = {}): Sim {
  const sim = new Sim(spec);
  sim.passes(3);
  sim.ends();
  sim.passes(2);
  return sim;
}
