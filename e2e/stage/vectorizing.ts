import { MODEL } from '../../sandbox/external-embedder.ts';
import { until, VECTORIZATION_JOBS } from '../../sandbox/run/wait.ts';
import { API_VERSION, type DomainLibrary, type VectorizationJob, type VectorizationRun } from '../../src/api/index.ts';
import {
  CONFIG_MAPS,
  type ConfigMap,
  DEPLOYMENTS,
  findCondition,
  PERSISTENT_VOLUME_CLAIMS,
  type PersistentVolumeClaim,
  PODS,
  type Pod,
} from '../../src/kube/index.ts';
import type { OutsideEmbedder, OutsideEmbedderOptions } from '../ground.ts';
import { eventually } from './eventually.ts';
import { PATIENCE_SECONDS } from './patience.ts';
import { type Saying, type Stage, says } from './stage.ts';

type Spec = VectorizationJob['spec'];
type Wish = Partial<Omit<Spec, 'embedder'>> & { readonly embedder?: Partial<Spec['embedder']> };
export type StoredChunk = { readonly document: string; readonly text: string; readonly job: string };

/** Of the vectors of the embedder and of the library. */
export const TEXT_DIMENSIONS = 32;
const LIBRARY = 'docs';

/** An embedder, a library `docs` on a cluster `desk` of one peer, and what people do with VectorizationJobs. */
export class Vectorizing {
  readonly stage: Stage;
  readonly embedder: OutsideEmbedder;

  static async begin(stage: Stage, embedding: Partial<OutsideEmbedderOptions> = {}): Promise<Vectorizing> {
    const embedder = stage.ground.outsideEmbedder();
    stage.defer(() => embedder.stop());
    await embedder.start({ dimensions: TEXT_DIMENSIONS, ...embedding });
    await stage.createCluster('desk', { size: 1 });
    await stage.clusterReady('desk', 1);
    await stage.createLibrary(LIBRARY, 'desk', textLibrary);
    await stage.libraryReady(LIBRARY, 1);
    return new Vectorizing(stage, embedder);
  }

  constructor(stage: Stage, embedder: OutsideEmbedder) {
    this.stage = stage;
    this.embedder = embedder;
  }

  /** Makes or replaces the ConfigMap `pages`. */
  async putPages(data: Readonly<Record<string, string>>): Promise<void> {
    const { admin, key, diary } = this.stage;
    diary.note('step', `put pages ${Object.keys(data).join(', ').slice(0, 200)}`);
    const map: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: key('pages'), data };
    await admin.delete(CONFIG_MAPS, key('pages'));
    await admin.create(CONFIG_MAPS, map);
  }

  /** A claim with the files of the ConfigMap `pages`, below `folder`. */
  async fillVolume(claim: string, folder: string): Promise<void> {
    const { admin, key, ground } = this.stage;
    const storage = ground.clusters?.persistence?.storageClassName;
    const volume = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: key(claim),
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
        ...(storage === undefined ? {} : { storageClassName: storage }),
      },
    } as PersistentVolumeClaim;
    await admin.create(PERSISTENT_VOLUME_CLAIMS, volume);
    const { namespace, deployment: name } = ground.operator;
    const operator = await admin.get(DEPLOYMENTS, { namespace, name });
    const image = operator.spec?.template.spec?.containers[0]?.image ?? '';
    const script = `mkdir -p /documents/${folder} && cp /pages/* /documents/${folder}/`;
    await admin.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: key(`fill-${claim}`),
      spec: {
        restartPolicy: 'Never',
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 65532,
          fsGroup: 65532,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        containers: [
          {
            name: 'fill',
            image,
            command: ['/bin/sh', '-c', script],
            volumeMounts: [
              { name: 'pages', mountPath: '/pages', readOnly: true },
              { name: 'documents', mountPath: '/documents' },
            ],
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          },
        ],
        volumes: [
          { name: 'pages', configMap: { name: 'pages' } },
          { name: 'documents', persistentVolumeClaim: { claimName: claim } },
        ],
      },
    } as Pod);
    await eventually(`claim ${claim} is filled`, async () => {
      const { status } = await admin.get(PODS, key(`fill-${claim}`));
      if (status?.phase === 'Failed') throw new Error(JSON.stringify(status.containerStatuses));
      return status?.phase === 'Succeeded';
    });
  }

  /** @param spec what differs from Markdown pages of the ConfigMap, with the embedder that runs beside */
  async create(name: string, spec: Wish = {}): Promise<void> {
    const { admin, key, diary } = this.stage;
    const full = {
      source: { configMap: { name: 'pages' } },
      chunking: { strategy: 'Markdown', maxTokens: 64, overlapTokens: 0 },
      target: { libraryRef: { name: LIBRARY } },
      ...spec,
      embedder: {
        protocol: 'Ollama',
        url: this.embedder.url,
        model: MODEL,
        dimensions: TEXT_DIMENSIONS,
        ...spec.embedder,
      },
    };
    diary.note('step', `create VectorizationJob ${name} ${JSON.stringify(full)}`);
    const object = { apiVersion: API_VERSION, kind: 'VectorizationJob', metadata: key(name), spec: full };
    await admin.create(VECTORIZATION_JOBS, object as VectorizationJob);
  }

  async change(name: string, body: unknown): Promise<void> {
    this.stage.diary.note('step', `change VectorizationJob ${name} ${JSON.stringify(body)}`);
    await this.stage.admin.patch(VECTORIZATION_JOBS, this.stage.key(name), body, { type: 'merge' });
  }

  job(name: string): Promise<VectorizationJob> {
    return this.stage.admin.get(VECTORIZATION_JOBS, this.stage.key(name));
  }

  until(name: string, holds: (job: VectorizationJob) => boolean, what: string): Promise<VectorizationJob> {
    const { admin: client, namespace } = this.stage;
    const options = { client, type: VECTORIZATION_JOBS, namespace, name, timeoutSeconds: PATIENCE_SECONDS };
    this.stage.diary.note('step', `wait until VectorizationJob ${name} is ${what}`);
    return until(options, holds, what);
  }

  says(name: string, type: string, saying: Saying): Promise<VectorizationJob> {
    return this.until(name, (job) => says(job, type, saying), `saying ${type} ${saying.status} ${saying.reason ?? ''}`);
  }

  /** Lets it run by the annotation, and gives what that run came to. */
  async runAgain(name: string, nonce: string): Promise<VectorizationRun> {
    await this.change(name, { metadata: { annotations: { 'qdrant-librarian.io/run': nonce } } });
    const done = await this.until(
      name,
      ({ status }) => status?.lastHandled?.['run'] === nonce && status.progress === undefined,
      `done with run ${nonce}`,
    );
    return lastRunOf(done);
  }

  /** Until a run of the present spec succeeded. */
  async succeeded(name: string): Promise<VectorizationRun> {
    const job = await this.until(
      name,
      ({ metadata, status }) => {
        const ready = findCondition(status?.conditions ?? [], 'Ready');
        return (
          ready?.status === 'True' &&
          ready.observedGeneration === metadata.generation &&
          status?.progress === undefined &&
          status?.lastRun?.result === 'Succeeded'
        );
      },
      'Ready',
    );
    return lastRunOf(job);
  }

  /** All points of the library, as an application reads them. */
  async stored(library = LIBRARY): Promise<StoredChunk[]> {
    const qdrant = await this.stage.qdrant('desk');
    const chunks: StoredChunk[] = [];
    for await (const { payload } of qdrant.scrollAll(library, { limit: 500 })) {
      const { document, text, _librarian: own } = (payload ?? {}) as Record<string, unknown>;
      chunks.push({
        document: String(document),
        text: String(text),
        job: (own as { job?: string } | undefined)?.job ?? '',
      });
    }
    return chunks;
  }

  async documents(library = LIBRARY): Promise<string[]> {
    return [...new Set((await this.stored(library)).map(({ document }) => document))].toSorted();
  }
}

const textLibrary: Partial<DomainLibrary['spec']> = {
  vectors: [{ name: '', size: TEXT_DIMENSIONS, distance: 'Cosine' }],
  shards: { number: 1 },
};

function lastRunOf({ status }: VectorizationJob): VectorizationRun {
  if (status?.lastRun === undefined) throw new Error('there was no run');
  return status.lastRun;
}

/** Pages of Markdown with a chunk each. */
export const pages = (count: number, prefix = 'page'): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `${prefix}-${index}.md`,
      `# ${prefix} ${index}\n\nWhat stands on ${prefix} ${index} is told nowhere else: word${index * 7} and word${index * 13}.\n`,
    ]),
  );
