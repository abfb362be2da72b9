import { type Holder, Keeper, type Timing } from '../../migration/index.ts';
import { isQdrantError, type Point, type PointId } from '../../qdrant/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { VectorizeConfig } from '../config.ts';
import type { Cutter } from '../cutter.ts';
import { type CacheScope, type EmbedClient, MemoryCache, Meter } from '../embed/index.ts';
import { CANARY_KEY, newVectorizeProgress, type RunResult, type Step, type VectorizeProgress } from '../progress.ts';
import { Findings } from '../quality/findings.ts';
import type { GoldenQuery } from '../quality/golden.ts';
import { Sample } from '../quality/sample.ts';
import type { ListingEnd, Source } from '../source/source.ts';
import type { RunStore } from '../store.ts';
import type { Address } from './binding.ts';
import { checkQuality, type QualityVerdict } from './check.ts';
import { guardMessage, withinGuard } from './deletion.ts';
import { seenDocuments } from './documents.ts';
import { embedItems } from './embedding.ts';
import { RunEnd, runEndOf } from './failure.ts';
import { checkModel, type ModelRecord, parseModelRecord, recordFor } from './model.ts';
import { Pace } from './pace.ts';
import { MAX_DOCUMENT_BYTES, Pass } from './pass.ts';
import { Patience } from './patience.ts';
import { type Known, type Making, settingsDigest } from './points.ts';
import { type Item, toEmbed, vectorsFor } from './resolve.ts';
import { Session } from './session.ts';
import { mapAhead } from './streams.ts';
import { type Shape, Target } from './target.ts';
import { Tracker } from './tracker.ts';
import { Writer } from './writer.ts';

/** What a run reads and embeds with. */
export type Means = {
  readonly source: Source;
  readonly embedder: EmbedClient;
  readonly cutter: Cutter;
  readonly golden: readonly GoldenQuery[];
};

export type VectorizeTask = {
  readonly config: VectorizeConfig;
  readonly store: RunStore;
  readonly identity: { readonly id: string; readonly pod: string };
  readonly timing: Timing;
  /** Milliseconds since the epoch. */
  readonly date: () => number;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Called when this worker is the only one. All is closed by whoever made it. @throws RunEnd */
  readonly open: (meter: Meter) => Promise<Means>;
  readonly address: () => Promise<Address>;
  /** Marks of points that are held at once; the target is asked document by document where it has more. */
  readonly mostKnown?: number;
  /** In [0, 1). */
  readonly random?: () => number;
};

const DEFAULT_PATIENCE_SECONDS = 900;
const CACHE_BYTES = 64 * 1024 * 1024;
const SAMPLED = 50;
/** For each thread that cuts. */
const CUT_AHEAD = 2;
/** Some 300 bytes each. */
const MOST_KNOWN = 50_000;
const REPORT_EVERY = 1000;
/** Ids that wait for their deletion at once. */
const DELETED_AT_ONCE = 512;

/**
 * One run of a job, to its end. May be killed anywhere: the next one goes on, and finds in the target what is done.
 *
 * @returns how it ended, which stands in the progress too
 * @throws the signal's reason; ProgressConflict when another worker has taken over
 */
export async function runVectorize(task: VectorizeTask): Promise<RunResult> {
  const { config, store, identity, timing, log, signal } = task;
  const begin = (found: VectorizeProgress | undefined, holder: Holder): VectorizeProgress =>
    found?.run === config.run ? { ...found, holder } : nextProgress(found, config.run, { holder, at: task.date() });
  const leaseMilliseconds = config.leaseSeconds * 1000;
  const keeper = await Keeper.takeOver({ store, begin, identity, timing, log, signal, leaseMilliseconds });
  try {
    return keeper.progress.result ?? (await new VectorizeRun(task, keeper).toTheEnd());
  } finally {
    await keeper.release().catch((error: unknown) => log.warn({ err: error }, 'progress can not be released'));
  }
}

/** The quality of the run before stays until another one is found. */
function nextProgress(
  found: VectorizeProgress | undefined,
  run: string,
  { holder, at }: { holder: Holder; at: number },
): VectorizeProgress {
  const fresh = newVectorizeProgress(run, holder, at);
  return found?.quality === undefined ? fresh : { ...fresh, quality: found.quality };
}

/** @param spent tokens that earlier pods of the run had embedded */
function meterOf({ maxTokens, maxCost, pricePerMillionTokens = 0 }: VectorizeConfig['budget'], spent: number): Meter {
  const cost = (spent * pricePerMillionTokens) / 1_000_000;
  const budget = {
    ...(maxTokens === undefined ? {} : { maxTokens: Math.max(0, maxTokens - spent) }),
    ...(maxCost === undefined ? {} : { maxCost: Math.max(0, maxCost - cost) }),
  };
  return new Meter({ budget, pricePerMillionTokens });
}

/** What a run works with once it is known where it goes. */
type Scene = Means & {
  readonly shape: Shape;
  readonly record: ModelRecord;
  readonly making: Making;
  readonly pass: Pass;
  readonly sample: Sample<PointId>;
  /** The target had no points. */
  readonly empty: boolean;
};

class VectorizeRun {
  readonly #task: VectorizeTask;
  readonly #keeper: Keeper<VectorizeProgress>;
  readonly #signal: AbortSignal;
  readonly #meter: Meter;
  readonly #session: Session;
  readonly #target: Target;
  readonly #tracker: Tracker;
  readonly #pace = new Pace();
  readonly #findings: Findings | undefined;
  #total: number | undefined;
  /** Points written, payload alone included. */
  #written = 0;
  #activity = 0;
  /** The model's check, where it was begun early. */
  #asked: Promise<void> | undefined;
  readonly #over = new AbortController();

  constructor(task: VectorizeTask, keeper: Keeper<VectorizeProgress>) {
    const { config, timing, log } = task;
    const { counts } = keeper.progress;
    this.#task = task;
    this.#keeper = keeper;
    this.#signal = AbortSignal.any([task.signal, keeper.lost]);
    this.#meter = meterOf(config.budget, counts.tokens);
    this.#session = new Session({
      address: task.address,
      timing,
      log,
      signal: this.#signal,
      patienceMilliseconds: this.#patienceMilliseconds,
      waiting: (what) => this.#note(what),
      moved: this.#moved,
    });
    this.#target = new Target({
      session: this.#session,
      source: `${config.job.namespace}/${config.job.name}`,
      vector: config.target.vector,
      writeMilliseconds: (config.leaseSeconds * 1000) / 2,
      mayWrite: () => keeper.mayWrite(),
    });
    this.#tracker = new Tracker(counts);
    this.#findings = this.#deep ? new Findings() : undefined;
  }

  async toTheEnd(): Promise<RunResult> {
    const ticking = setInterval(() => this.#report(), REPORT_EVERY);
    try {
      return await this.#end(await this.#run());
    } catch (error) {
      this.#signal.throwIfAborted();
      const end = runEndOf(error) ?? unforeseen(error);
      this.#task.log.error({ err: error, reason: end.reason }, 'the run ends');
      return await this.#end({ result: end.result, reason: end.reason, message: end.message });
    } finally {
      clearInterval(ticking);
      this.#over.abort();
      await this.#session.close();
    }
  }

  get #deep(): boolean {
    const { mode } = this.#task.config;
    return mode === 'Verify' || mode === 'Repair';
  }

  get #patienceMilliseconds(): number {
    return (this.#task.config.patienceSeconds ?? DEFAULT_PATIENCE_SECONDS) * 1000;
  }

  async #run(): Promise<Omit<RunResult, 'finishedAt'>> {
    const scene = await this.#scene();
    const listing = await scene.source.list(this.#signal, this.#moved);
    this.#total = listing.total;
    await this.#step('Embedding');
    const seen = seenDocuments(
      { ...listing, entries: this.#noticed(listing.entries) },
      {
        source: scene.source,
        target: this.#target,
        making: scene.making,
        maxBytes: this.#task.config.maxDocumentBytes ?? MAX_DOCUMENT_BYTES,
        signal: this.#signal,
        all: await this.#known(scene),
        deep: this.#deep,
      },
    );
    await this.#fill(this.#items(seen, scene.pass), scene);
    const end = listing.end();
    this.#total = this.#tracker.counts(0).documents;
    await this.#step('Deleting');
    const kept = await this.#delete(scene.pass, end);
    await this.#step('Verifying');
    const verdict = await this.#check(scene, kept);
    const common = {
      ...(end.revision === undefined ? {} : { revision: end.revision }),
      ...(this.#tracker.again && { again: true }),
    };
    if (kept !== undefined) return { ...common, result: 'Stopped', reason: kept.reason, message: kept.message };
    if (verdict?.closed === undefined) return { ...common, result: 'Succeeded' };
    return { ...common, result: 'GateClosed', reason: 'GatesClosed', message: verdict.closed };
  }

  /** What is asked for document by document where there is too much of it. */
  async #known({ empty }: Scene): Promise<Map<string, Known[]> | undefined> {
    if (empty) return new Map();
    if (this.#deep || (await this.#target.owned()) > (this.#task.mostKnown ?? MOST_KNOWN)) return undefined;
    return await this.#target.known();
  }

  async #scene(): Promise<Scene> {
    const { config, store } = this.#task;
    const means = await this.#task.open(this.#meter);
    const { cutter } = means;
    const shape = await this.#target.shape();
    const record = recordFor(this.#scope(''), parseModelRecord(await store.kept(CANARY_KEY)), config);
    // Its epoch must be known to whoever goes on.
    if (config.mode !== 'Verify') store.keep(CANARY_KEY, JSON.stringify(record));
    const empty = (await this.#target.size()) === 0;
    // Into a library without points something will surely be embedded: the model is asked meanwhile.
    if (empty && !this.#deep) this.#asked = this.#checkModel({ record, shape, embedder: means.embedder });
    this.#asked?.catch(() => {});
    await this.#keeper.save();
    if (config.mode !== 'Verify') await this.#target.prepare();
    const scope = this.#scope(record.epoch);
    const { job, chunking, source } = config;
    const making: Making = {
      job: job.uid,
      source: `${job.namespace}/${job.name}`,
      scope,
      settings: settingsDigest({ scope, chunking, kind: source.kind, tokenizer: cutter.tokenizer }),
    };
    const sample = new Sample<PointId>(SAMPLED, this.#task.random ?? Math.random);
    const pass = new Pass({ config, cutter, making, shape, tracker: this.#tracker, sample, findings: this.#findings });
    return { ...means, shape, record, making, pass, sample, empty };
  }

  #scope(epoch: string): CacheScope {
    const { protocol, model, dimensions, documentPrefix } = this.#task.config.embedder;
    return {
      protocol,
      model,
      ...(dimensions === undefined ? {} : { dimensions }),
      ...(documentPrefix === undefined ? {} : { prefix: documentPrefix }),
      ...(epoch === '' ? {} : { revision: epoch }),
    };
  }

  async *#items(seen: ReturnType<typeof seenDocuments>, pass: Pass): AsyncGenerator<Item, void, undefined> {
    for await (const prepared of mapAhead(seen, CUT_AHEAD * (this.#task.config.threads ?? 1), (document) =>
      pass.prepare(document),
    )) {
      this.#signal.throwIfAborted();
      this.#moved();
      yield* pass.needs(prepared);
      // A cutter on this thread leaves no other moment for the lease.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  async #fill(items: AsyncIterable<Item>, scene: Scene): Promise<void> {
    const { shape, empty } = scene;
    const { config, log } = this.#task;
    const writer = new Writer({ target: this.#target });
    const write = (item: Item, vector: Point['vector'], embedded = false): Promise<void> =>
      writer.add({
        point: { id: item.point.id, vector, payload: item.point.payload },
        settled: (refusal) => this.#settled(item, embedded, refusal),
      });
    const results = embedItems(toEmbed(items, { target: this.#target, shape, empty, write }), {
      client: scene.embedder,
      cache: new MemoryCache(CACHE_BYTES),
      prefix: config.embedder.documentPrefix ?? '',
      patience: this.#patience(),
      signal: this.#signal,
      log,
      begin: () => this.#asked ?? this.#checkModel(scene),
    });
    try {
      for await (const result of results) {
        const { item } = result;
        if (result.vector === undefined) {
          this.#tracker.refused(item.open, { reason: 'EmbedderRefused', message: result.error.message });
        } else {
          await write(item, vectorsFor(shape, [...result.vector]), result.source === 'endpoint');
        }
      }
    } finally {
      // What was embedded is written, whatever ends it.
      if (!this.#signal.aborted) await writer.flush();
    }
  }

  #settled({ open }: Item, embedded: boolean, refusal: string | undefined): void {
    if (refusal !== undefined) {
      this.#tracker.refused(open, { reason: 'TargetRefused', message: refusal });
      return;
    }
    this.#written += 1;
    this.#tracker.stored(open, embedded);
  }

  async #checkModel({ record, shape, embedder: client }: Pick<Scene, 'record' | 'shape' | 'embedder'>): Promise<void> {
    const { store } = this.#task;
    const { dimensions } = shape;
    const signal = AbortSignal.any([this.#signal, this.#over.signal]);
    const check = { client, patience: this.#patience(signal), signal, dimensions };
    const canary = await checkModel({ ...check, kept: record.canary });
    if (canary === record.canary) return;
    store.keep(CANARY_KEY, JSON.stringify({ ...record, canary }));
    await this.#keeper.save();
  }

  /** @returns why nothing was deleted, where something should have been */
  async #delete(pass: Pass, { complete, problems }: ListingEnd): Promise<RunEnd | undefined> {
    const { mode, deletionGuardPercent: guard } = this.#task.config;
    if (mode !== 'Verify') await this.#target.prepare();
    const owned = await this.#target.owned();
    if (!complete) return new RunEnd('ListingIncomplete', `not all could be listed: ${problems.join('; ')}`);
    if (this.#total === 0 && owned > 0 && guard < 100) {
      throw new RunEnd('SourceEmpty', `the source has no document, and the job ${owned} points`);
    }
    const gone = pass.stale();
    // Where some points may be missing, as many may be left over.
    const unsure = this.#deep || this.#tracker.counts(0).failed > 0;
    if (unsure || owned !== pass.accounted) {
      for await (const { id, document } of this.#target.ownedPoints()) {
        if (pass.hasListed(document)) continue;
        gone.push(id);
        this.#findings?.add('orphan', document, id);
      }
    }
    if (mode === 'Verify') return undefined;
    if (!withinGuard(gone.length, owned, guard)) {
      return new RunEnd('DeletionGuard', guardMessage(gone.length, owned, guard));
    }
    for (let from = 0; from < gone.length; from += DELETED_AT_ONCE) {
      const some = gone.slice(from, from + DELETED_AT_ONCE);
      await this.#target.remove(some);
      this.#tracker.deleted(some.length);
    }
    return undefined;
  }

  async #check(scene: Scene, kept: RunEnd | undefined): Promise<QualityVerdict | undefined> {
    const { config, store, date } = this.#task;
    const { pass, sample, golden, embedder: client } = scene;
    if (this.#deep) await this.#checkModel(scene);
    const counts = this.#tracker.counts(this.#meter.usage.tokens);
    const verdict = await checkQuality({
      config,
      golden,
      counts,
      failures: this.#tracker.failures,
      duplicates: pass.duplicates,
      findings: this.#findings,
      sample: sample.items,
      mended: config.mode === 'Repair' && counts.failed === 0 && kept === undefined,
      changed: this.#written > 0 || counts.deleted > 0,
      before: this.#keeper.progress.quality,
      now: date(),
      asking: {
        target: this.#target,
        client,
        patience: this.#patience(),
        signal: this.#signal,
        documentPrefix: config.embedder.documentPrefix ?? '',
        queryPrefix: config.embedder.queryPrefix ?? '',
      },
    });
    for (const [key, text] of Object.entries(verdict?.texts ?? {})) store.keep(key, text);
    if (verdict !== undefined) this.#keeper.update({ quality: verdict.quality });
    return verdict;
  }

  #patience(signal = this.#signal): Patience {
    return new Patience({
      timing: this.#task.timing,
      signal,
      patienceMilliseconds: this.#patienceMilliseconds,
      waiting: (what) => this.#note(what),
    });
  }

  readonly #moved = (): void => {
    this.#activity += 1;
  };

  async *#noticed<T>(entries: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    for await (const entry of entries) {
      this.#moved();
      yield entry;
    }
  }

  #note(note: string | undefined): void {
    // To wait for a while that has an end is to get on.
    this.#moved();
    this.#keeper.update({ note: note?.slice(0, 1000) });
    this.#keeper.touch();
  }

  async #step(step: Step): Promise<void> {
    this.#keeper.update({ step });
    this.#report();
    await this.#keeper.save();
  }

  #report(): void {
    const counts = this.#tracker.counts(this.#meter.usage.tokens);
    const at = this.#task.timing.now();
    const sample = { at, documents: counts.documents, chunks: counts.chunks };
    this.#pace.note(sample);
    const { percent, chunksPerMinute, left } = this.#pace.tell(sample, this.#total);
    this.#keeper.update({
      counts,
      percent,
      chunksPerMinute,
      expectedAt: left === undefined ? undefined : Math.round(this.#task.date() + left),
      total: this.#total,
      cursor: this.#tracker.cursor?.slice(0, 1000),
      failures: [...this.#tracker.failures],
      activity: this.#activity + this.#meter.usage.calls,
    });
    this.#keeper.touch();
  }

  async #end(end: Omit<RunResult, 'finishedAt'>): Promise<RunResult> {
    const result = {
      ...end,
      ...(end.message && { message: end.message.slice(0, 1000) }),
      finishedAt: this.#task.date(),
    };
    this.#report();
    this.#keeper.update({ result, note: undefined, expectedAt: undefined });
    for (;;) {
      try {
        await this.#keeper.save();
        return result;
      } catch (error) {
        this.#signal.throwIfAborted();
        this.#task.log.warn({ err: error }, 'the result can not be saved yet');
        await this.#task.timing.sleep(REPORT_EVERY, this.#signal);
      }
    }
  }
}

/** What the target refuses for itself, or a defect. */
const unforeseen = (error: unknown): RunEnd => {
  if (isQdrantError(error)) return new RunEnd('TargetUnsuitable', error.message);
  return new RunEnd('Internal', error instanceof Error ? error.message : 'unknown failure');
};
