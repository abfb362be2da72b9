import { join } from 'node:path';
import type { VectorizationJob, VectorizationRun } from '../../../src/api/index.ts';
import {
  type KubeObject,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  type PersistentVolumeClaim,
} from '../../../src/kube/index.ts';
import type { PointId } from '../../../src/qdrant/index.ts';
import { embed } from '../../embedder/hashing.ts';
import { MODEL, startExternalEmbedder } from '../../external-embedder.ts';
import { applyAll } from '../../install.ts';
import type { LibraryAccess } from '../../load/library-access.ts';
import { gatherDocuments } from '../documents.ts';
import { examples, ROOT } from '../examples.ts';
import { seconds } from '../facts.ts';
import { type Chapter, DIMENSIONS, NAMESPACE, type Progress, type Stage } from '../stage.ts';
import { VECTORIZATION_JOBS } from '../wait.ts';

/** A worker takes a processor and some 200 MB: two at a time. */
const WAVES = [
  ['code', 'dependencies'],
  ['documentation', 'analytics'],
] as const;
const LIBRARIES = WAVES.flat();
const LEAST_CHUNKS = 10_000;
const SECONDS = 60;
const NONCE = 'second';

export const vectorize: Chapter = {
  title: 'documents vectorised into four libraries, and found again',
  play: async (stage, progress) => {
    const { sandbox, facts, signal } = stage;
    const address = sandbox.network.pods.allocate();
    stage.embedder = await startExternalEmbedder({ address, dimensions: DIMENSIONS, maxTokens: 8192, signal });
    const { url } = stage.embedder;
    const objects = await examples('vectorization-job.yaml');
    await sandbox.admin.create(PERSISTENT_VOLUME_CLAIMS, claimOf(objects));
    const files = await gatherDocuments(join(ROOT, 'node_modules'), await directoryOf(stage, 'texts'));
    progress([...files].map(([folder, count]) => `${folder}: ${count}`).join(', '));

    const began = performance.now();
    const first: VectorizationRun[] = [];
    for (const wave of WAVES) {
      const isOfWave = ({ kind, metadata }: KubeObject): boolean =>
        kind === 'VectorizationJob' && wave.some((name) => name === metadata.name);
      await applyAll(
        sandbox.admin,
        objects.filter(isOfWave).map((job) => withEmbedder(job, url)),
      );
      first.push(...(await runsOf(stage, { wave, progress, isMeant: () => true })));
    }
    const took = performance.now() - began;
    const chunks = sum(first, 'chunks');
    const rate = Math.round((sum(first, 'embedded') / took) * 1000);
    facts.check('chunks vectorised', `${chunks} of ${sum(first, 'documents')} documents`, chunks >= LEAST_CHUNKS);
    facts.note('vectorised in', `${seconds(took)}: ${rate} chunks/s embedded`);
    await readBack(stage, progress);
  },
};

export const vectorizeAgain: Chapter = {
  title: 'the same documents vectorised again: nothing has changed, nothing is embedded',
  play: async (stage, progress) => {
    const { sandbox, facts } = stage;
    const began = performance.now();
    const metadata = { annotations: { 'qdrant-librarian.io/run': NONCE } };
    const again: VectorizationRun[] = [];
    for (const wave of WAVES) {
      for (const name of wave) {
        const key = { namespace: NAMESPACE, name };
        await sandbox.admin.patch(VECTORIZATION_JOBS, key, { metadata }, { type: 'merge' });
      }
      const isMeant = ({ status }: VectorizationJob): boolean => status?.lastRun?.request === NONCE;
      again.push(...(await runsOf(stage, { wave, progress, isMeant })));
    }
    const [embedded, reused] = [sum(again, 'embedded'), sum(again, 'reused')];
    const took = seconds(performance.now() - began);
    facts.check('second run embeds', `${embedded}, reuses ${reused} in ${took}`, embedded === 0 && reused > 0);
  },
};

const sum = (runs: readonly VectorizationRun[], count: 'documents' | 'chunks' | 'embedded' | 'reused'): number =>
  runs.reduce((total, run) => total + (run[count] ?? 0), 0);

type Waiting = {
  readonly wave: readonly string[];
  readonly progress: Progress;
  /** Whether the run that ended last is the one that is waited for. */
  readonly isMeant: (job: VectorizationJob) => boolean;
};

/** Until the runs of a wave are over. @throws Error with the conditions of one that does not succeed in time */
async function runsOf(stage: Stage, { wave, progress, isMeant }: Waiting): Promise<VectorizationRun[]> {
  const said = new Map<string, string>();
  const done = await Promise.all(
    wave.map((name) =>
      stage.job(name, {
        holds: (job) => {
          const { status } = job;
          said.set(name, `${name} ${status?.progress?.percent ?? (status?.lastRun === undefined ? 0 : 100)} %`);
          progress([...said.values()].join(', '));
          return isMeant(job) && status?.progress === undefined && status?.lastRun?.result === 'Succeeded';
        },
        what: 'vectorised',
        timeoutSeconds: SECONDS,
      }),
    ),
  );
  return done.flatMap(({ status }) => status?.lastRun ?? []);
}

/** Remembers the points of each library, and looks for one of them by its own text. */
async function readBack(stage: Stage, progress: Progress): Promise<void> {
  for (const library of LIBRARIES) {
    await stage.using(library, async (access) => {
      const written = new Set<PointId>();
      const all = { limit: 1000, withPayload: false };
      for await (const { id } of access.client.scrollAll(access.collection, all)) written.add(id);
      stage.written.set(library, written);
      const { label, found } = await search(access);
      progress(`${library}: ${written.size} points`);
      stage.facts.check(`search in ${library} finds`, label, found);
    });
  }
}

async function search({ client, collection }: LibraryAccess) {
  const [asked] = (await client.scroll(collection, { limit: 1 })).points;
  const { text, document, heading } = (asked?.payload ?? {}) as Record<string, unknown>;
  if (typeof text !== 'string' || typeof document !== 'string') {
    throw new Error(`a point of ${collection} lacks text or document`);
  }
  const [hit] = await client.query(collection, { query: embed(text, DIMENSIONS), limit: 1, with_payload: true });
  const label = typeof heading === 'string' && heading !== '' ? `${document}: ${heading}` : document;
  return { label: label.slice(0, 60), found: hit !== undefined && hit.score > 0.99 };
}

function claimOf(objects: readonly KubeObject[]): PersistentVolumeClaim {
  const claim = objects.find(({ kind }) => kind === 'PersistentVolumeClaim');
  if (claim === undefined) throw new Error('the example has no claim');
  return claim as PersistentVolumeClaim;
}

/** Where the sandbox keeps what a claim holds. */
async function directoryOf({ sandbox, signal }: Stage, claim: string): Promise<string> {
  for (;;) {
    signal.throwIfAborted();
    const { spec } = await sandbox.admin.get(PERSISTENT_VOLUME_CLAIMS, { namespace: NAMESPACE, name: claim });
    if (spec?.volumeName !== undefined) {
      const volume = await sandbox.admin.get(PERSISTENT_VOLUMES, { namespace: '', name: spec.volumeName });
      return volume.spec?.hostPath?.path ?? '';
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The example's embedder, where it really runs. */
function withEmbedder(object: KubeObject, url: string): KubeObject {
  const job = object as VectorizationJob;
  return { ...job, spec: { ...job.spec, embedder: { ...job.spec.embedder, url, model: MODEL } } } as KubeObject;
}
