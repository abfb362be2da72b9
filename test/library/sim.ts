import type { Condition, DomainLibrary, DomainLibrarySpec, QdrantCluster } from '../../src/api/index.ts';
import { applyDefaults, FINALIZER } from '../../src/api/index.ts';
import { indexNote, noteDigest } from '../../src/library/decide/in-place.ts';
import { clustersBeside, namedCluster, place } from '../../src/library/decide/placement.ts';
import { vectorNote } from '../../src/library/decide/vectors.ts';
import { decide } from '../../src/library/decide.ts';
import { unreflected } from '../../src/library/gather.ts';
import type { Look } from '../../src/library/look.ts';
import { collectionLook } from '../../src/library/look.ts';
import { LibraryMemory } from '../../src/library/memory.ts';
import { jobName } from '../../src/library/names.ts';
import { isQdrantStep, type Plan, type QdrantStep, type Step } from '../../src/library/plan.ts';
import { statusOf } from '../../src/library/report.ts';
import { type Section, shapeOf } from '../../src/library/shape.ts';
import type { CopyJob, MoveRules, Place, World } from '../../src/library/world.ts';
import { MARK_KEY, parseMark } from '../../src/migration/fence.ts';
import { newProgress, type Progress } from '../../src/migration/progress.ts';
import { addsVectors, type Schemas } from '../../src/qdrant/index.ts';
import { EMPTY_DIGEST, formatDigest } from '../../src/vectors/index.ts';
import { cluster, NO_DISCOVERY, NO_SNAPSHOTS, settings } from './given.ts';
import { created, type SimCollection, SimQdrant } from './sim-qdrant.ts';
import { SimReverse } from './sim-reverse.ts';

export { cluster, library, ready, settings } from './given.ts';
export type { SimQdrant } from './sim-qdrant.ts';

const NOWHERE = {
  cluster: undefined,
  sight: { kind: 'blind', reason: 'ClusterNotFound', message: 'there is no such QdrantCluster' },
  rivals: [],
} as const;

/** Thrown where the operator is killed. */
export class Crash extends Error {}

/** Some Qdrants, one library, one abstract worker: everything that survives a crash of the operator. */
export class Sim {
  readonly main = new SimQdrant('main');
  readonly qdrants = new Map([['main', this.main]]);
  moveRules: MoveRules | undefined;
  now = Date.parse('2026-02-01T00:00:00Z');
  library: DomainLibrary;
  readonly dropped: { name: string; wasActive: boolean; marked: boolean }[] = [];
  memory = new LibraryMemory();
  jobs: CopyJob[] = [];
  copying: (Step & { kind: 'startCopy' }) | undefined;
  progress: Progress | undefined;
  leftovers = false;
  deleted = false;
  readonly events: string[] = [];
  readonly steps: Step[] = [];
  /** The worker that compares what serves with what was left. */
  readonly reverse = new SimReverse();
  /** Changes that Qdrant takes and doesn't show. */
  deaf = false;

  constructor(object: DomainLibrary) {
    this.library = object;
    const founded = cluster();
    this.main.cluster = founded;
  }

  get cluster(): QdrantCluster {
    return this.main.cluster ?? cluster();
  }
  set cluster(object: QdrantCluster) {
    this.main.cluster = object;
  }
  get collections(): Map<string, SimCollection> {
    return this.main.collections;
  }
  get aliases(): Map<string, string> {
    return this.main.aliases;
  }
  get silent(): Look['silent'] {
    return this.main.silent;
  }
  set silent(peers: Look['silent']) {
    this.main.silent = peers;
  }
  set recovering(name: string | undefined) {
    this.main.recovering = name;
  }
  set versions(versions: readonly [string, string]) {
    this.main.versions = versions;
  }
  set rivals(rivals: World['rivals']) {
    this.main.rivals = rivals;
  }

  /** One more cluster. */
  add(name: string): SimQdrant {
    const added = new SimQdrant(name);
    this.qdrants.set(name, added);
    return added;
  }

  /** The Qdrant that the library lives on, as its status says. */
  get home(): SimQdrant {
    return this.at(this.library.status?.cluster ?? namedCluster(this.library) ?? 'main');
  }

  at(name: string | undefined): SimQdrant {
    return this.qdrants.get(name ?? this.home.name) ?? this.main;
  }

  get alias(): string {
    return this.library.spec.collection ?? this.library.metadata.name;
  }

  /** The collection that clients of the public name reach. */
  get active(): SimCollection | undefined {
    return this.home.answering(this.alias);
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
    return this.main.look();
  }

  /** The home, and the clusters that gathering looks at besides. */
  #places(): Place[] {
    return clustersBeside(this.library).map((name) => {
      const { cluster: object, sight, rivals } = this.qdrants.get(name) ?? NOWHERE;
      return { name, cluster: object, sight, rivals, vectorsBytes: 0 };
    });
  }

  world(): World {
    const { home } = this;
    const places = this.#places();
    const seen = [home, ...places].flatMap(({ cluster: object, sight }) =>
      sight.kind === 'seen' && object !== undefined ? [{ object, look: sight.look }] : [],
    );
    const notes = new Set<string>();
    for (const { object, look } of seen) {
      const shape = shapeOf(this.library.spec, object.spec.limits);
      for (const name of Object.keys(look.peers[0]?.own ?? {})) {
        const collection = collectionLook(look, name);
        if (collection === undefined) continue;
        this.memory.sawStatus(name, collection.status === 'green', this.now);
        for (const note of unreflected(collection, shape)) notes.add(note);
      }
    }
    this.memory.keepOnly(notes);
    this.memory.sawWorker(this.progress === undefined ? undefined : String(this.progress.holder.beat), this.now);
    const change = this.library.status?.change;
    const mine = this.jobs.filter(({ name }) => change !== undefined && name.startsWith(`docs-g${change.to}-`));
    const latest = mine.toSorted((a, b) => b.attempt - a.attempt)[0];
    return {
      now: this.now,
      library: applyDefaults(this.library),
      cluster: home.cluster,
      sight: home.sight,
      rivals: home.rivals,
      places,
      moveRules: this.moveRules,
      job: latest,
      otherJobs: this.jobs.filter((job) => job !== latest && job.state === 'running').map(({ name }) => name),
      tasks: this.reverse.jobs,
      snapshots: NO_SNAPSHOTS,
      discovery: NO_DISCOVERY,
      reverse: { progress: this.reverse.progress, objects: this.reverse.objects },
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
    const placed = place(world.library, world.cluster === undefined ? [] : [world.cluster]);
    const status = statusOf({ world, placed, plan, notes: [], failure: undefined, invalid: [], bound: false });
    this.library = { ...this.library, status: JSON.parse(JSON.stringify(status)) };
    for (const event of plan.events ?? []) this.events.push(event.reason);
    return plan;
  }

  /** The worker, between two passes: it does what it is at, a stage at a time. */
  work(): void {
    this.reverse.work(this);
    const [job] = this.jobs.filter(({ state }) => state === 'running');
    const { copying } = this;
    if (job === undefined || copying === undefined) return;
    const [from, to] = [this.at(copying.fromCluster), this.at(copying.toCluster)];
    if (from.sight.kind === 'blind' || to.sight.kind === 'blind') return;
    const source = from.collections.get(copying.from);
    const target = to.collections.get(copying.to);
    const change = `${this.library.metadata.uid}/${copying.generation}`;
    const before = this.progress?.change === change ? this.progress : newProgress(change, NOBODY);
    const progress = { ...before, holder: { ...before.holder, beat: before.holder.beat + 1 } };
    if (target === undefined) return;
    const named = [...to.aliases].some(([, name]) => name === copying.to);
    const left = ![...from.aliases].some(([, name]) => name === copying.from);
    const fence = source === undefined ? undefined : parseMark(source.info.config.metadata)?.fence?.nonce;
    if (progress.verified !== undefined && named && left) {
      this.progress = {
        ...progress,
        phase: 'Done',
        leak: { checked: source !== undefined, found: 0, applied: 0, kept: 0 },
      };
      this.#endJob(job, 'succeeded');
      return;
    }
    if (named && progress.verified !== undefined) return;
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

  #endJob(job: CopyJob, state: 'succeeded' | 'failed'): void {
    this.jobs = this.jobs.map((each) => (each === job ? { ...job, state, endedAt: this.now } : each));
  }

  #carryOut(step: Step): void {
    if (isQdrantStep(step)) {
      this.#changeQdrant(step);
      return;
    }
    switch (step.kind) {
      case 'startCopy': {
        const name = jobName('docs', step.generation, step.attempt);
        this.copying = step;
        this.leftovers = true;
        if (!this.jobs.some((job) => job.name === name))
          this.jobs.push({ name, attempt: step.attempt, state: 'running' });
        return;
      }
      case 'stopCopy':
        this.jobs = this.jobs.filter(({ name }) => !step.jobs.includes(name));
        this.reverse.stop(step.jobs);
        return;
      case 'reverse':
        this.reverse.obey(step.order, this.now);
        return;
      case 'discover':
      case 'snapshot':
        return;
      case 'cleanUpCopy':
        this.jobs = [];
        this.progress = undefined;
        this.leftovers = false;
        return;
      case 'addFinalizer':
        this.library = { ...this.library, metadata: { ...this.library.metadata, finalizers: [FINALIZER] } };
        return;
      case 'removeFinalizer':
        this.deleted = true;
        return;
    }
  }

  #changeQdrant(step: QdrantStep): void {
    const at = this.at(step.cluster);
    if (at.sight.kind === 'blind') throw new Error(`${at.name} can't be reached`);
    switch (step.kind) {
      case 'createCollection':
        at.collections.set(step.collection, created(step.body));
        return;
      case 'createShardKey':
        at.collections.get(step.collection)?.keys.push(step.key);
        return;
      case 'createIndex':
        this.memory.sent(indexNote(step.collection, step.field), noteDigest(step.schema), this.now);
        this.#update(at, step.collection, (info) => ({
          ...info,
          payload_schema: {
            ...info.payload_schema,
            [step.field]: { data_type: step.schema['type'], params: step.schema, points: 0 },
          },
        }));
        return;
      case 'addVector':
        if (at.versions.some((version) => !addsVectors(version))) throw new Error('consensus stops: a peer is too old');
        if (!this.deaf) this.#addVector(at, step);
        this.memory.sent(vectorNote(step.collection, step.vector), noteDigest(step.config), this.now);
        return;
      case 'dropIndex':
        this.#update(at, step.collection, (info) => {
          const { [step.field]: _dropped, ...rest } = info.payload_schema;
          return { ...info, payload_schema: rest };
        });
        return;
      case 'patch':
        this.memory.sent(step.note, noteDigest(step.body), this.now);
        if (!this.deaf) this.#patch(at, step.collection, step.body);
        return;
      case 'mark':
        this.#patch(at, step.collection, { metadata: { [MARK_KEY]: step.mark } });
        return;
      case 'unfence':
        this.memory.unfenced(this.now);
        this.#patch(at, step.collection, step.body);
        return;
      case 'fence':
        this.#patch(at, step.collection, step.body);
        return;
      case 'pointAliases':
        at.catchUp();
        for (const alias of step.aliases) {
          if (at.collections.has(alias)) throw new Error(`409: ${alias} is a collection`);
          at.aliases.set(alias, step.collection);
        }
        return;
      case 'dropAlias':
        at.catchUp();
        at.aliases.delete(step.alias);
        return;
      case 'dropLocalFiles':
        // It knows no files.
        return;
      case 'dropCollection': {
        const collection = at.collections.get(step.collection);
        const mark = parseMark(collection?.info.config.metadata);
        this.dropped.push({
          name: step.collection,
          wasActive: collection !== undefined && collection === this.active,
          marked: mark?.uid === this.library.metadata.uid,
        });
        at.collections.delete(step.collection);
        for (const [alias, target] of at.aliases) if (target === step.collection) at.aliases.delete(alias);
        return;
      }
    }
  }

  #update(at: SimQdrant, name: string, change: (info: Schemas['CollectionInfo']) => unknown): void {
    const collection = at.collections.get(name);
    if (collection === undefined) throw new Error(`404: ${name}`);
    collection.info = change(collection.info) as Schemas['CollectionInfo'];
  }

  #addVector(at: SimQdrant, { collection, vector, config }: QdrantStep & { kind: 'addVector' }): void {
    this.#update(at, collection, (info) => {
      const { params } = info.config;
      const { dense, sparse } = config as { dense?: Section; sparse?: Section };
      const added =
        dense === undefined
          ? { sparse_vectors: { ...params.sparse_vectors, [vector]: indexed(sparse ?? {}) } }
          : { vectors: { ...params.vectors, [vector]: dense } };
      return { ...info, config: { ...info.config, params: { ...params, ...added } } };
    });
  }

  #patch(at: SimQdrant, name: string, body: Section): void {
    this.#update(at, name, (info) => ({ ...info, config: patched(info.config, body) }));
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
