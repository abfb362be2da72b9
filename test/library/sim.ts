import type { Condition, DomainLibrary, DomainLibrarySpec, QdrantCluster } from '../../src/api/index.ts';
import { applyDefaults, FINALIZER } from '../../src/api/index.ts';
import { indexNote, noteDigest } from '../../src/library/decide/in-place.ts';
import { limitsNote } from '../../src/library/decide/limits.ts';
import { place } from '../../src/library/decide/placement.ts';
import { unshown, vectorNote } from '../../src/library/decide/vectors.ts';
import { decide } from '../../src/library/decide.ts';
import { difference } from '../../src/library/diff.ts';
import type { Look, PeerLook } from '../../src/library/look.ts';
import { collectionLook } from '../../src/library/look.ts';
import { LibraryMemory } from '../../src/library/memory.ts';
import { jobName } from '../../src/library/names.ts';
import type { Plan, Step } from '../../src/library/plan.ts';
import { statusOf } from '../../src/library/report.ts';
import { type Section, shapeOf } from '../../src/library/shape.ts';
import type { CopyJob, World } from '../../src/library/world.ts';
import { MARK_KEY, parseMark } from '../../src/migration/fence.ts';
import { newProgress, type Progress } from '../../src/migration/progress.ts';
import { addsVectors, type CollectionView, type Schemas } from '../../src/qdrant/index.ts';
import { EMPTY_DIGEST, formatDigest } from '../../src/vectors/index.ts';
import { cluster, settings } from './given.ts';

export { cluster, library, ready, settings } from './given.ts';

/** A collection of the simulated Qdrant: its configuration as Qdrant shows it, and its points. */
export type SimCollection = { info: Schemas['CollectionInfo']; keys: string[]; points: Map<number, string> };

/** Thrown where the operator is killed. */
export class Crash extends Error {}

/** One Qdrant, one library, one abstract worker: everything that survives a crash of the operator. */
export class Sim {
  now = Date.parse('2026-02-01T00:00:00Z');
  library: DomainLibrary;
  cluster: QdrantCluster = cluster();
  readonly collections = new Map<string, SimCollection>();
  readonly aliases = new Map<string, string>();
  readonly dropped: { name: string; wasActive: boolean; marked: boolean }[] = [];
  memory = new LibraryMemory();
  jobs: CopyJob[] = [];
  copying: { from: string; to: string; generation: number } | undefined;
  progress: Progress | undefined;
  leftovers = false;
  silent: Look['silent'] = [];
  /** A collection of which one more replica is coming back. */
  recovering: string | undefined;
  deleted = false;
  rivals: World['rivals'] = [];
  readonly events: string[] = [];
  readonly steps: Step[] = [];
  /** Of the two peers. */
  versions: readonly [string, string] = ['1.18.3', '1.18.3'];
  /** Changes that Qdrant takes and doesn't show. */
  deaf = false;

  constructor(object: DomainLibrary) {
    this.library = object;
  }

  get alias(): string {
    return this.library.spec.collection ?? this.library.metadata.name;
  }

  /** The collection that clients of the public name reach. */
  get active(): SimCollection | undefined {
    return this.collections.get(this.aliases.get(this.alias) ?? this.alias);
  }

  edit(spec: Partial<DomainLibrarySpec>): void {
    const { metadata } = this.library;
    this.library = {
      ...this.library,
      metadata: { ...metadata, generation: (metadata.generation ?? 0) + 1 },
      spec: { ...this.library.spec, ...spec },
    };
  }

  annotate(key: string, value: string): void {
    const { metadata } = this.library;
    this.library = {
      ...this.library,
      metadata: { ...metadata, annotations: { ...metadata.annotations, [key]: value } },
    };
  }

  condition(type: string): Condition | undefined {
    return this.library.status?.conditions?.find((condition) => condition.type === type);
  }

  /** A client's write through the public name; false when it is refused. */
  write(id: number, text: string | undefined): boolean {
    const active = this.active;
    if (active === undefined || active.info.config.strict_mode_config?.write_rate_limit === 1) return false;
    if (text === undefined) active.points.delete(id);
    else active.points.set(id, text);
    return true;
  }

  look(): Look {
    const peer = (peerId: number): PeerLook => ({
      name: `main-${peerId - 1}`,
      peerId,
      version: this.versions[peerId - 1] ?? '',
      memberIds: [1, 2],
      distributed: true,
      consensus: 'working',
      collections: [...this.collections.keys()],
      aliases: Object.fromEntries(this.aliases),
      own: Object.fromEntries(
        [...this.collections].map(([name, collection]) => [
          name,
          { info: collection.info, view: viewOf(name, collection, this.recovering === name) },
        ]),
      ),
    });
    const quiet = new Set(this.silent.map(({ name }) => name));
    return {
      peers: [peer(1), peer(2)].filter(({ name }) => !quiet.has(name)),
      silent: this.silent,
      everyPeerListed: true,
    };
  }

  world(): World {
    const look = this.look();
    for (const [name, { info }] of this.collections) this.memory.sawStatus(name, info.status === 'green', this.now);
    this.#forgetReflected(look);
    this.memory.sawWorker(this.progress === undefined ? undefined : String(this.progress.holder.beat), this.now);
    const change = this.library.status?.change;
    const mine = this.jobs.filter(({ name }) => change !== undefined && name.startsWith(`docs-g${change.to}-`));
    const latest = mine.toSorted((a, b) => b.attempt - a.attempt)[0];
    return {
      now: this.now,
      library: applyDefaults(this.library),
      cluster: this.cluster,
      sight: { kind: 'seen', look },
      rivals: this.rivals,
      job: latest,
      otherJobs: this.jobs.filter((job) => job !== latest && job.state === 'running').map(({ name }) => name),
      tasks: [],
      progress: this.progress,
      leftovers: change === undefined && this.leftovers,
      memory: this.memory.snapshot,
      settings,
    };
  }

  /** One pass of the operator; `crash` is asked before each thing that lasts. */
  pass(crash: (where: string) => void = () => {}): Plan {
    const world = this.world();
    const plan = decide(world);
    for (const step of plan.steps) {
      crash(`before ${step.kind}`);
      this.#carryOut(step);
      this.steps.push(step);
    }
    if (this.deleted) return plan;
    crash('before status');
    const placed = place(world.library, [this.cluster]);
    const status = statusOf({ world, placed, plan, notes: [], failure: undefined, invalid: [], bound: false });
    this.library = { ...this.library, status: JSON.parse(JSON.stringify(status)) };
    for (const event of plan.events ?? []) this.events.push(event.reason);
    return plan;
  }

  /** The worker, between two passes: it does what it is at, a stage at a time. */
  work(): void {
    const [job] = this.jobs.filter(({ state }) => state === 'running');
    const { copying } = this;
    if (job === undefined || copying === undefined) return;
    const source = this.collections.get(copying.from);
    const target = this.collections.get(copying.to);
    const change = `${this.library.metadata.uid}/${copying.generation}`;
    const before = this.progress?.change === change ? this.progress : newProgress(change, NOBODY);
    const progress = { ...before, holder: { ...before.holder, beat: before.holder.beat + 1 } };
    if (target === undefined) return;
    const named = [...this.aliases].some(([, name]) => name === copying.to);
    const fence = source === undefined ? undefined : parseMark(source.info.config.metadata)?.fence?.nonce;
    if (progress.verified !== undefined && named) {
      this.progress = {
        ...progress,
        phase: 'Done',
        leak: { checked: source !== undefined, found: 0, applied: 0, kept: 0 },
      };
      this.#endJob(job, 'succeeded');
      return;
    }
    if (named) throw new Error('the worker would write into a target that is in use');
    if (source === undefined) return;
    target.points.clear();
    for (const [id, text] of source.points) target.points.set(id, text);
    this.progress =
      fence === undefined
        ? {
            ...withoutProof(progress),
            phase: 'Converging',
            passes: progress.passes + 1,
            lastPass: { milliseconds: 100, compared: source.points.size, differences: 0 },
          }
        : { ...progress, phase: 'Verified', verified: proof(fence, source.points.size) };
  }

  failJob(reason = 'Unreachable'): void {
    const job = this.jobs.find(({ state }) => state === 'running');
    if (job === undefined) return;
    if (this.progress !== undefined) this.progress = { ...this.progress, failure: { reason, message: 'gone' } };
    this.#endJob(job, 'failed');
  }

  /** Passes and work in turns until nothing changes any more, or for so many rounds. */
  settle(rounds = 60, each?: () => void): Plan {
    let plan: Plan = { steps: [] };
    for (let round = 0; round < rounds; round += 1) {
      each?.();
      this.work();
      plan = this.pass();
      this.now += 1000;
      if (this.deleted) break;
    }
    return plan;
  }

  #forgetReflected(look: Look): void {
    const shape = shapeOf(this.library.spec, this.cluster.spec.limits);
    const notes = new Set<string>();
    for (const name of this.collections.keys()) {
      const collection = collectionLook(look, name);
      if (collection === undefined) continue;
      const { patch, createIndexes } = difference(shape, collection.observed);
      if (patch !== undefined) notes.add(name);
      if (collection.mark?.limits !== undefined) notes.add(limitsNote(name));
      for (const { field } of createIndexes) notes.add(indexNote(name, field));
      for (const vector of unshown(shape, collection)) notes.add(vectorNote(name, vector.name));
    }
    this.memory.keepOnly(notes);
  }

  #endJob(job: CopyJob, state: 'succeeded' | 'failed'): void {
    this.jobs = this.jobs.map((each) => (each === job ? { ...job, state, endedAt: this.now } : each));
  }

  #carryOut(step: Step): void {
    switch (step.kind) {
      case 'createCollection':
        this.collections.set(step.collection, created(step.body));
        return;
      case 'createShardKey':
        this.collections.get(step.collection)?.keys.push(step.key);
        return;
      case 'createIndex':
        this.memory.sent(indexNote(step.collection, step.field), noteDigest(step.schema), this.now);
        this.#update(step.collection, (info) => ({
          ...info,
          payload_schema: {
            ...info.payload_schema,
            [step.field]: { data_type: step.schema['type'], params: step.schema, points: 0 },
          },
        }));
        return;
      case 'addVector':
        if (this.versions.some((version) => !addsVectors(version)))
          throw new Error('consensus stops: a peer is too old');
        if (!this.deaf) this.#addVector(step);
        this.memory.sent(vectorNote(step.collection, step.vector), noteDigest(step.config), this.now);
        return;
      case 'dropIndex':
        this.#update(step.collection, (info) => {
          const { [step.field]: _dropped, ...rest } = info.payload_schema;
          return { ...info, payload_schema: rest };
        });
        return;
      case 'patch':
        this.memory.sent(step.note, noteDigest(step.body), this.now);
        if (!this.deaf) this.#patch(step.collection, step.body);
        return;
      case 'mark':
        this.#patch(step.collection, { metadata: { [MARK_KEY]: step.mark } });
        return;
      case 'unfence':
        this.memory.unfenced(this.now);
        this.#patch(step.collection, step.body);
        return;
      case 'fence':
        this.#patch(step.collection, step.body);
        return;
      case 'pointAliases':
        for (const alias of step.aliases) {
          if (this.collections.has(alias)) throw new Error(`409: ${alias} is a collection`);
          this.aliases.set(alias, step.collection);
        }
        return;
      case 'dropAlias':
        this.aliases.delete(step.alias);
        return;
      case 'startCopy': {
        const name = jobName('docs', step.generation, step.attempt);
        this.copying = { from: step.from, to: step.to, generation: step.generation };
        this.leftovers = true;
        if (!this.jobs.some((job) => job.name === name))
          this.jobs.push({ name, attempt: step.attempt, state: 'running' });
        return;
      }
      case 'stopCopy':
        this.jobs = this.jobs.filter(({ name }) => !step.jobs.includes(name));
        return;
      case 'cleanUpCopy':
        this.jobs = [];
        this.progress = undefined;
        this.leftovers = false;
        return;
      case 'dropCollection': {
        const collection = this.collections.get(step.collection);
        const mark = parseMark(collection?.info.config.metadata);
        this.dropped.push({
          name: step.collection,
          wasActive: collection !== undefined && collection === this.active,
          marked: mark?.uid === this.library.metadata.uid,
        });
        this.collections.delete(step.collection);
        for (const [alias, target] of this.aliases) if (target === step.collection) this.aliases.delete(alias);
        return;
      }
      case 'addFinalizer':
        this.library = { ...this.library, metadata: { ...this.library.metadata, finalizers: [FINALIZER] } };
        return;
      case 'removeFinalizer':
        this.deleted = true;
        return;
    }
  }

  #update(name: string, change: (info: Schemas['CollectionInfo']) => unknown): void {
    const collection = this.collections.get(name);
    if (collection === undefined) throw new Error(`404: ${name}`);
    collection.info = change(collection.info) as Schemas['CollectionInfo'];
  }

  #addVector({ collection, vector, config }: Step & { kind: 'addVector' }): void {
    this.#update(collection, (info) => {
      const { params } = info.config;
      const { dense, sparse } = config as { dense?: Section; sparse?: Section };
      const added =
        dense === undefined
          ? { sparse_vectors: { ...params.sparse_vectors, [vector]: indexed(sparse ?? {}) } }
          : { vectors: { ...params.vectors, [vector]: dense } };
      return { ...info, config: { ...info.config, params: { ...params, ...added } } };
    });
  }

  #patch(name: string, body: Section): void {
    this.#update(name, (info) => ({ ...info, config: patched(info.config, body) }));
  }
}

const NOBODY = { id: 'w', pod: 'w', beat: 0, released: false };

const withoutProof = ({ verified: _verified, ...progress }: Progress): Progress => progress;

function proof(nonce: string, count: number): NonNullable<Progress['verified']> {
  const digest = formatDigest({ ...EMPTY_DIGEST, count });
  return {
    nonce,
    at: 0,
    source: digest,
    target: digest,
    sourceCount: count,
    targetCount: count,
    freezeMilliseconds: 5,
    ranges: '',
  };
}

const viewOf = (name: string, { info, keys }: SimCollection, recovering: boolean): CollectionView => {
  const count = info.config.params.shard_number ?? 1;
  const shards =
    keys.length > 0 ? keys.map((key, id) => ({ id: id + 1, key })) : Array.from({ length: count }, (_, id) => ({ id }));
  return {
    name,
    shardCount: shards.length,
    shards: shards.map((shard) => ({
      ...shard,
      replicas: [{ peerId: 1, state: 'Active' }, ...(recovering ? [{ peerId: 2, state: 'Recovery' as const }] : [])],
    })),
    transfers: [],
  };
};

function created(body: Section): SimCollection {
  const {
    vectors,
    sparse_vectors,
    shard_number,
    sharding_method,
    replication_factor,
    write_consistency_factor,
    on_disk_payload,
  } = body;
  const info = {
    status: 'green',
    points_count: 0,
    payload_schema: {},
    config: {
      params: {
        vectors,
        sparse_vectors: sparse_vectors ?? null,
        shard_number: shard_number ?? 1,
        ...(sharding_method === undefined ? {} : { sharding_method }),
        replication_factor: replication_factor ?? 1,
        write_consistency_factor: write_consistency_factor ?? 1,
        on_disk_payload: on_disk_payload ?? true,
      },
      hnsw_config: { m: 16, ef_construct: 100, full_scan_threshold: 10_000, ...(body['hnsw_config'] as Section) },
      optimizer_config: { deleted_threshold: 0.2, flush_interval_sec: 5, ...(body['optimizers_config'] as Section) },
      quantization_config: body['quantization_config'] ?? null,
      strict_mode_config: body['strict_mode_config'] ?? { enabled: false },
      metadata: body['metadata'],
    },
  };
  return { info: info as unknown as Schemas['CollectionInfo'], keys: [], points: new Map() };
}

const indexed = ({ datatype, ...rest }: Section): Section =>
  datatype === undefined ? rest : { ...rest, index: { datatype } };

/** Qdrant's PATCH: sections merge, quantization is replaced, `Disabled` reads back as null. */
function patched(config: Schemas['CollectionInfo']['config'], body: Section): unknown {
  const merge = (before: unknown, change: unknown): unknown => ({ ...(before as object), ...(change as object) });
  const quantization = body['quantization_config'];
  return {
    ...config,
    params: {
      ...(merge(config.params, body['params']) as object),
      ...tuned(config.params, body, 'vectors'),
      ...tuned(config.params, body, 'sparse_vectors'),
    },
    hnsw_config: merge(config.hnsw_config, body['hnsw_config']),
    optimizer_config: merge(config.optimizer_config, body['optimizers_config']),
    strict_mode_config: merge(config.strict_mode_config, body['strict_mode_config']),
    metadata: merge(config.metadata, body['metadata']),
    ...(quantization === undefined ? {} : { quantization_config: quantization === 'Disabled' ? null : quantization }),
  };
}

/** Per vector: what is sent is merged into what is there. */
function tuned(params: object, body: Section, key: 'vectors' | 'sparse_vectors'): object {
  const changes = body[key] as Record<string, Section> | undefined;
  if (changes === undefined) return {};
  const before = (params as Record<string, Record<string, Section>>)[key] ?? {};
  if (typeof before['size'] === 'number') return { [key]: { ...before, ...changes[''] } };
  const after = Object.entries(changes).map(([name, change]) => [name, { ...before[name], ...change }] as const);
  return { [key]: { ...before, ...Object.fromEntries(after) } };
}
