import { join, resolve } from 'node:path';
import type { DomainLibrary, QdrantCluster } from '../../src/api/index.ts';
import { type KubeObject, SECRETS, type Secret } from '../../src/kube/index.ts';
import type { Point } from '../../src/qdrant/index.ts';
import { embed } from '../embedder/hashing.ts';
import { type ExternalQdrant, startExternalQdrant } from '../external-qdrant.ts';
import { applyAll, readObjects } from '../install.ts';
import { libraryAccess } from '../load/library-access.ts';
import { LibraryLoad } from '../load/library-load.ts';
import { OPERATOR_NAMESPACE, OPERATOR_USER, type Sandbox } from '../sandbox.ts';
import { code, dependencies, documentation, type Passage } from './corpus.ts';
import { type Facts, mebibytes, seconds } from './facts.ts';
import { residentBytes } from './memory.ts';
import { CLUSTERS, isReady, LIBRARIES, until } from './wait.ts';

const ROOT = resolve(import.meta.dirname, '../..');
export const NAMESPACE = 'library';
const DIMENSIONS = 256;
const EXTERNAL_KEY = 'annex-key-of-this-run';
/** Ids from here on belong to the load; passages have UUIDs. */
const LOAD_IDS = 1;

export type Progress = (text: string) => void;

/** One part of the main job. */
export type Chapter = { readonly title: string; readonly run: (progress: Progress) => Promise<void> };

type Corpus = { readonly library: string; readonly passages: readonly Passage[] };

/** The main job: what a cluster and a library go through in their life so far, measured on the way. */
export class Story {
  readonly #sandbox: Sandbox;
  readonly #facts: Facts;
  readonly #signal: AbortSignal;
  readonly #written = new Map<string, number>();
  #external: ExternalQdrant | undefined;
  #load: LibraryLoad | undefined;

  constructor(sandbox: Sandbox, facts: Facts, signal: AbortSignal) {
    this.#sandbox = sandbox;
    this.#facts = facts;
    this.#signal = signal;
  }

  get chapters(): readonly Chapter[] {
    return [
      { title: 'clusters: 3 peers, 1 peer, one that runs elsewhere', run: (progress) => this.#clusters(progress) },
      { title: 'libraries: documentation, code, dependencies', run: (progress) => this.#libraries(progress) },
      { title: 'real text written and found again', run: (progress) => this.#texts(progress) },
      { title: 'scale out to 4 peers under load', run: (progress) => this.#scaleOut(progress) },
      { title: 'a peer is killed and heals', run: (progress) => this.#killPeer(progress) },
      { title: 'scale in to 3 peers, the operator killed in the middle', run: (progress) => this.#scaleIn(progress) },
      { title: 'a library changes in place', run: (progress) => this.#changeInPlace(progress) },
      { title: 'a library gets a new generation under load', run: (progress) => this.#changeGeneration(progress) },
      { title: 'all points read back', run: (progress) => this.#readBack(progress) },
      { title: 'nothing changes: nothing is written', run: (progress) => this.#idle(progress) },
    ];
  }

  /** Processes that are no pods. */
  get pids(): readonly number[] {
    return this.#external === undefined ? [] : [this.#external.pid];
  }

  /** Ends what the story itself started. */
  async close(): Promise<void> {
    await this.#load?.stop().catch(() => undefined);
    await this.#external?.stop();
  }

  async #clusters(progress: Progress): Promise<void> {
    const { admin, network, directory } = this.#sandbox;
    this.#external = await startExternalQdrant({
      directory: join(directory, 'annex'),
      address: network.pods.allocate(),
      apiKey: EXTERNAL_KEY,
      signal: this.#signal,
    });
    const { url } = this.#external;
    await applyAll(admin, [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }]);
    const secret: Secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'annex-api-key', namespace: NAMESPACE },
      data: { 'api-key': Buffer.from(EXTERNAL_KEY).toString('base64') },
    };
    await admin.create(SECRETS, secret);
    const objects = await examples(['clusters.yaml', 'rebalance-policy.yaml', 'vectorization-job.yaml']);
    const began = performance.now();
    await applyAll(
      admin,
      objects.map((object) => withUrl(object, url)),
    );
    await Promise.all(
      ['desk', 'annex', 'stacks'].map(async (name) => {
        await this.#cluster(name, isReady, 'Ready', 45);
        progress(`${name} is Ready`);
        this.#facts.note(`cluster ${name} Ready after`, seconds(performance.now() - began));
      }),
    );
  }

  async #libraries(progress: Progress): Promise<void> {
    const began = performance.now();
    await applyAll(this.#sandbox.admin, await examples(['libraries.yaml']));
    await Promise.all(
      ['documentation', 'code', 'dependencies'].map(async (name) => {
        const library = await this.#library(name, isReady, 'Ready', 30);
        progress(`${name} lives on ${library.status?.cluster ?? '?'} as ${library.status?.collection ?? '?'}`);
      }),
    );
    this.#facts.note('libraries Ready after', seconds(performance.now() - began));
  }

  async #texts(progress: Progress): Promise<void> {
    const modules = join(ROOT, 'node_modules');
    const corpora: Corpus[] = [
      { library: 'documentation', passages: await documentation(modules, 600) },
      { library: 'code', passages: await code(modules, 600) },
      { library: 'dependencies', passages: await dependencies(modules, 400) },
    ];
    for (const { library, passages } of corpora) {
      progress(`${library}: ${passages.length} passages`);
      const access = await libraryAccess(this.#sandbox.admin, { namespace: NAMESPACE, library });
      try {
        await access.client.upsert(access.collection, passages.map(pointOf));
        this.#written.set(library, passages.length);
        const asked = passages[Math.floor(passages.length / 2)];
        if (asked === undefined) throw new Error(`no text was found for ${library}`);
        const [hit] = await access.client.query(access.collection, {
          query: embed(asked.text, DIMENSIONS),
          limit: 1,
          with_payload: true,
        });
        const label = String(asked.payload['heading'] ?? asked.payload['package'] ?? asked.payload['path']);
        this.#facts.check(`search in ${library} finds`, label.slice(0, 60), hit !== undefined && hit.score > 0.99);
      } finally {
        await access.client.close();
      }
    }
  }

  async #scaleOut(progress: Progress): Promise<void> {
    await this.#startLoad('documentation');
    const began = performance.now();
    await this.#scale(4);
    const cluster = await this.#cluster(
      'stacks',
      (object) => isReady(object) && object.status?.replicas === 4,
      'Ready with 4 peers',
      40,
    );
    const shards = cluster.status?.peers?.find(({ name }) => name === 'stacks-3')?.shards ?? 0;
    progress(`stacks-3 holds ${shards} shards`);
    this.#facts.note('scaled out 3 -> 4 after', seconds(performance.now() - began));
    this.#facts.check('shards on the new peer', String(shards), shards > 0);
  }

  async #killPeer(progress: Progress): Promise<void> {
    const began = performance.now();
    this.#sandbox.agent.killPod(NAMESPACE, 'stacks-1');
    await this.#cluster('stacks', (object) => !isReady(object), 'noticed as not Ready', 20);
    progress('the operator noticed');
    await this.#cluster('stacks', isReady, 'Ready again', 40);
    this.#facts.note('a killed peer healed after', seconds(performance.now() - began));
  }

  async #scaleIn(progress: Progress): Promise<void> {
    const { agent } = this.#sandbox;
    const began = performance.now();
    await this.#scale(3);
    const draining = await this.#cluster(
      'stacks',
      ({ status }) => status?.operation?.name === 'ScaleIn',
      'scaling in',
      20,
    );
    const operator = agent.processes().find(({ namespace }) => namespace === OPERATOR_NAMESPACE);
    if (operator === undefined) throw new Error('the operator has no process');
    progress(`operator killed at step ${draining.status?.operation?.step ?? '?'}`);
    agent.killPod(OPERATOR_NAMESPACE, operator.pod);
    await this.#cluster(
      'stacks',
      (object) => isReady(object) && object.status?.replicas === 3,
      'Ready with 3 peers',
      60,
    );
    this.#facts.note('scaled in 4 -> 3, operator killed, after', seconds(performance.now() - began));
    await this.#endLoad('documentation', 'scaling');
  }

  async #changeInPlace(progress: Progress): Promise<void> {
    const before = await this.#library('code', isReady, 'Ready', 10);
    const began = performance.now();
    await this.#patchLibrary('code', {
      hnsw: { m: 24 },
      payloadIndexes: [...(before.spec.payloadIndexes ?? []), { field: 'path', type: 'keyword' }],
    });
    const after = await this.#library('code', isReady, 'Ready', 30);
    const access = await libraryAccess(this.#sandbox.admin, { namespace: NAMESPACE, library: 'code' });
    try {
      const info = await access.client.collection(access.collection);
      const m = info.config.hnsw_config.m;
      progress(`hnsw m is ${m}, ${Object.keys(info.payload_schema).length} payload indexes`);
      const same = before.status?.generation === after.status?.generation;
      this.#facts.check(
        'changed in place',
        `m=${m} after ${seconds(performance.now() - began)}, same generation`,
        m === 24 && same && 'path' in info.payload_schema,
      );
    } finally {
      await access.client.close();
    }
  }

  async #changeGeneration(progress: Progress): Promise<void> {
    await this.#startLoad('documentation', 1_000_000);
    const before = await this.#library('documentation', isReady, 'Ready', 10);
    const target = (before.status?.generation ?? 0) + 1;
    const began = performance.now();
    await this.#patchLibrary('documentation', { shards: { ...before.spec.shards, number: 4 } });
    const steps = new Set<string>();
    const after = await this.#library(
      'documentation',
      (object) => {
        const step = object.status?.change?.step;
        if (step !== undefined && !steps.has(step)) {
          steps.add(step);
          progress([...steps].join(' -> '));
        }
        return isReady(object) && object.status?.generation === target;
      },
      `Ready in generation ${target}`,
      45,
    );
    const old = after.status?.generations?.find(({ number }) => number === before.status?.generation);
    this.#facts.note('new generation after', seconds(performance.now() - began));
    this.#facts.check(
      'old generation kept',
      `${old?.collection ?? 'gone'} ${old?.state ?? ''}`,
      old?.state === 'Retired',
    );
    await this.#endLoad('documentation', 'the change of generation');
  }

  async #readBack(progress: Progress): Promise<void> {
    for (const [library, written] of this.#written) {
      const access = await libraryAccess(this.#sandbox.admin, { namespace: NAMESPACE, library });
      try {
        let read = 0;
        for await (const { id } of access.client.scrollAll(access.collection, { limit: 1000 })) {
          if (typeof id === 'string') read += 1;
        }
        progress(`${library}: ${read}`);
        this.#facts.check(`${library}: passages read of written`, `${read} of ${written}`, read === written);
      } finally {
        await access.client.close();
      }
    }
  }

  async #idle(progress: Progress): Promise<void> {
    const { audit } = this.#sandbox.controlPlane;
    const total = audit.count({ user: OPERATOR_USER });
    await until(
      { client: this.#sandbox.admin, type: CLUSTERS, namespace: NAMESPACE, name: 'stacks', timeoutSeconds: 20 },
      isReady,
      'Ready',
    );
    progress('waiting until what was written last has been told');
    await this.#untilQuiet();
    audit.reset();
    progress('watching for 5 s, over two resyncs');
    await delay(5000, this.#signal);
    const writes = audit.summary().filter(isOperatorWrite);
    const what = writes.map(({ verb, resource, count }) => `${count} x ${verb} ${resource}`).join(', ');
    this.#facts.check('write requests on an idle resync', what || '0', writes.length === 0);
    this.#facts.note(
      'API requests of the operator',
      `${total} in all, ${audit.count({ user: OPERATOR_USER })} in the 5 s of rest`,
    );
    const operator = this.#sandbox.agent.processes().find(({ namespace }) => namespace === OPERATOR_NAMESPACE);
    if (operator !== undefined)
      this.#facts.note('memory of the operator', mebibytes(await residentBytes(operator.pid)));
  }

  /** Counts of points are told some seconds late; afterwards nothing is left to say. */
  async #untilQuiet(): Promise<void> {
    let lastWrite = performance.now();
    const unsubscribe = this.#sandbox.controlPlane.audit.onRequest((entry) => {
      if (isOperatorWrite(entry)) lastWrite = performance.now();
    });
    const deadline = performance.now() + 15_000;
    while (performance.now() - lastWrite < 3000 && performance.now() < deadline) await delay(100, this.#signal);
    unsubscribe();
  }

  async #startLoad(library: string, firstId = LOAD_IDS): Promise<void> {
    const access = await libraryAccess(this.#sandbox.admin, { namespace: NAMESPACE, library });
    this.#load = new LibraryLoad({ ...access, dimensions: DIMENSIONS, firstId, batch: 4, pauseMilliseconds: 50 });
  }

  async #endLoad(library: string, during: string): Promise<void> {
    const load = this.#load;
    if (load === undefined) return;
    const report = await load.stop();
    this.#load = undefined;
    const { expected, lost, undeleted } = await load.verify();
    await load.close();
    const failed = report.failedWrites.length + report.failedReads.length;
    const first = report.failedWrites[0] ?? report.failedReads[0] ?? '';
    this.#facts.check(
      `${library}: acknowledged points kept during ${during}`,
      `${expected - lost.length} of ${expected}`,
      lost.length === 0 && undeleted.length === 0,
    );
    this.#facts.check(
      `failed requests during ${during}`,
      failed === 0 ? `0 of ${report.written / 4 + report.reads}` : `${failed}: ${first}`,
      failed === 0,
    );
    if (report.postponed > 0)
      this.#facts.note(
        `writes put off by the fence during ${during}`,
        `${report.postponed}, longest ${seconds(report.longestWrite)}`,
      );
  }

  async #scale(size: number): Promise<void> {
    await this.#sandbox.admin.subresource(CLUSTERS, { namespace: NAMESPACE, name: 'stacks' }, 'scale', {
      method: 'PATCH',
      body: { spec: { replicas: size } },
    });
  }

  async #patchLibrary(name: string, spec: Partial<DomainLibrary['spec']>): Promise<void> {
    await this.#sandbox.admin.patch(LIBRARIES, { namespace: NAMESPACE, name }, { spec }, { type: 'merge' });
  }

  #cluster(
    name: string,
    holds: (object: QdrantCluster) => boolean,
    what: string,
    timeoutSeconds: number,
  ): Promise<QdrantCluster> {
    return until(
      { client: this.#sandbox.admin, type: CLUSTERS, namespace: NAMESPACE, name, timeoutSeconds, signal: this.#signal },
      holds,
      what,
    );
  }

  #library(
    name: string,
    holds: (object: DomainLibrary) => boolean,
    what: string,
    timeoutSeconds: number,
  ): Promise<DomainLibrary> {
    return until(
      {
        client: this.#sandbox.admin,
        type: LIBRARIES,
        namespace: NAMESPACE,
        name,
        timeoutSeconds,
        signal: this.#signal,
      },
      holds,
      what,
    );
  }
}

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** A request of the operator that could write; the Lease is renewed at all times. */
const isOperatorWrite = ({ user, verb, resource }: { user: string; verb: string; resource: string }): boolean =>
  user === OPERATOR_USER && WRITES.has(verb) && !resource.includes('leases');

const delay = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((settle, reject) => {
    const timer = setTimeout(settle, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });

const pointOf = ({ id, text, payload }: Passage): Point => ({
  id,
  vector: embed(text, DIMENSIONS),
  payload: { ...payload, text },
});

/** Sample objects, put into the story's namespace. */
async function examples(files: readonly string[]): Promise<KubeObject[]> {
  const objects = await Promise.all(files.map((file) => readObjects(join(ROOT, 'manifests/examples', file))));
  return objects.flat().map((object) => ({ ...object, metadata: { ...object.metadata, namespace: NAMESPACE } }));
}

function withUrl(object: KubeObject, url: string): KubeObject {
  const cluster = object as QdrantCluster;
  if (cluster.kind !== 'QdrantCluster' || cluster.spec.external === undefined) return object;
  return { ...cluster, spec: { ...cluster.spec, external: { ...cluster.spec.external, url } } } as KubeObject;
}
