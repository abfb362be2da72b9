import type { Point, PointId, Schemas, ScoredPoint } from '../../qdrant/index.ts';
import { RunEnd } from './failure.ts';
import { INDEXED_FIELDS, type Known, knownOf, MARK_FIELD } from './points.ts';
import type { Reached, Session } from './session.ts';

export type TargetOptions = {
  readonly session: Session;
  /** `source` of the job's points. */
  readonly source: string;
  /** Name of the vector, where it is given. */
  readonly vector: string | undefined;
  /** For one write; below half of the lease. */
  readonly writeMilliseconds: number;
  /** Asked before each write: whether this worker still is the only one. */
  readonly mayWrite: () => Promise<void>;
};

/** What points are written to. */
export type Shape = {
  /** Name of the vector; undefined: the unnamed one. */
  readonly vector: string | undefined;
  readonly dimensions: number;
};

const PAGE = 512;
const DELETED_AT_ONCE = 512;
const MARKS = ['document', MARK_FIELD];

/** The library that a run fills. */
export class Target {
  readonly #options: TargetOptions;
  #shape: Shape | undefined;
  #preparedAt = -1;

  constructor(options: TargetOptions) {
    this.#options = options;
  }

  /** @throws RunEnd `TargetUnsuitable` */
  async shape(): Promise<Shape> {
    this.#shape ??= await this.#options.session.run(async ({ client, collection, signal }) =>
      shapeOf(await client.collection(collection, { signal }), this.#options.vector),
    );
    return this.#shape;
  }

  /** Makes what is looked for quick to find. What was made once stays; a library that moved may have left it behind. */
  async prepare(): Promise<void> {
    const { moves } = this.#options.session;
    if (moves === this.#preparedAt) return;
    this.#preparedAt = moves;
    await this.#write(async ({ client, collection, signal }) => {
      const { payload_schema: schema } = await client.collection(collection, { signal });
      const missing = INDEXED_FIELDS.filter((field) => schema[field] === undefined);
      await Promise.all(missing.map((field) => client.createPayloadIndex(collection, field, 'keyword', { signal })));
    });
  }

  /** All points, whoever wrote them. */
  size(): Promise<number> {
    return this.#options.session.run(({ client, collection, signal }) => client.count(collection, { signal }));
  }

  /** Points of the job. */
  owned(): Promise<number> {
    return this.#options.session.run(({ client, collection, signal }) =>
      client.count(collection, { signal, filter: this.#own() }),
    );
  }

  /** Points of some documents, or of all, by document. */
  async known(documents?: readonly string[]): Promise<Map<string, Known[]>> {
    const found = new Map<string, Known[]>();
    for await (const point of this.#scroll({ ...(documents && { documents }), withPayload: MARKS })) {
      const known = knownOf(point);
      if (known === undefined) continue;
      const others = found.get(known.document);
      if (others === undefined) found.set(known.document, [known]);
      else others.push(known);
    }
    return found;
  }

  /** All of the points of some documents. */
  async full(documents: readonly string[]): Promise<Point[]> {
    return await Array.fromAsync(this.#scroll({ documents, withVectors: true }));
  }

  /** All points of the job. */
  async *ownedPoints(): AsyncGenerator<Known, void, undefined> {
    for await (const point of this.#scroll({ withPayload: MARKS })) {
      const known = knownOf(point);
      if (known !== undefined) yield known;
    }
  }

  points(ids: readonly PointId[], { withVectors = true } = {}): Promise<Point[]> {
    return this.#options.session.run(({ client, collection, signal }) =>
      client.retrieve(collection, ids, { withVectors, signal }),
    );
  }

  /** A vector for each hash that some point has, whoever wrote it. */
  async vectorsOf(hashes: Iterable<string>): Promise<Map<string, readonly number[]>> {
    const { vector } = await this.shape();
    const found = new Map<string, readonly number[]>();
    let open = new Set(hashes);
    while (open.size > 0) {
      const filter: Schemas['Filter'] = { must: [{ key: `${MARK_FIELD}.hash`, match: { any: [...open] } }] };
      const { points } = await this.#options.session.run(({ client, collection, signal }) =>
        client.scroll(collection, { filter, limit: PAGE, withPayload: MARKS, withVectors: true, signal }),
      );
      const before = open.size;
      for (const point of points) {
        const mark = knownOf(point)?.mark;
        const value = vectorOf(point, vector);
        if (mark !== undefined && value !== undefined) found.set(mark.hash, value);
      }
      open = new Set([...open].filter((hash) => !found.has(hash)));
      // Fewer than a page: there are no others.
      if (points.length < PAGE || open.size === before) break;
    }
    return found;
  }

  /** Returns when the points can be read. @throws QdrantError `BadRequest` */
  upsert(points: readonly Point[]): Promise<void> {
    const { writeMilliseconds: timeout } = this.#options;
    return this.#write(({ client, collection, signal }) =>
      client.upsert(collection, points, { attempts: 1, timeout, signal }),
    );
  }

  async remove(ids: readonly PointId[]): Promise<void> {
    const { writeMilliseconds: timeout } = this.#options;
    for (let from = 0; from < ids.length; from += DELETED_AT_ONCE) {
      const some = { ids: ids.slice(from, from + DELETED_AT_ONCE) };
      await this.#write(({ client, collection, signal }) =>
        client.deletePoints(collection, some, { attempts: 1, timeout, signal }),
      );
    }
  }

  async search(vector: readonly number[], limit: number): Promise<ScoredPoint[]> {
    const { vector: using } = await this.shape();
    const body: Schemas['QueryRequest'] = { query: [...vector], limit, with_payload: MARKS, ...(using && { using }) };
    return this.#options.session.run(({ client, collection, signal }) => client.query(collection, body, { signal }));
  }

  async #write(call: (reached: Reached) => Promise<void>): Promise<void> {
    await this.#options.session.run(async (reached) => {
      await this.#options.mayWrite();
      await call(reached);
    });
  }

  /** Page by page, so that each can be asked for again. */
  async *#scroll(wanted: {
    readonly documents?: readonly string[];
    readonly withPayload?: readonly string[];
    readonly withVectors?: boolean;
  }): AsyncGenerator<Point, void, undefined> {
    const { documents, ...selection } = wanted;
    const filter = this.#own(documents);
    let offset: PointId | undefined;
    do {
      const from = offset === undefined ? {} : { offset };
      const page = await this.#options.session.run(({ client, collection, signal }) =>
        client.scroll(collection, { ...selection, ...from, filter, limit: PAGE, signal }),
      );
      yield* page.points;
      offset = page.nextOffset;
    } while (offset !== undefined);
  }

  #own(documents?: readonly string[]): Schemas['Filter'] {
    const { source } = this.#options;
    return {
      must: [
        { key: 'source', match: { value: source } },
        ...(documents === undefined ? [] : [{ key: 'document', match: { any: [...documents] } }]),
      ],
      must_not: [{ is_empty: { key: `${MARK_FIELD}.hash` } }],
    };
  }
}

/** The vector that is written; undefined where the point has none or another kind. */
export function vectorOf({ vector }: Pick<Point, 'vector'>, name: string | undefined): readonly number[] | undefined {
  const value = Array.isArray(vector) ? vector : (vector as Readonly<Record<string, unknown>>)[name ?? ''];
  return isNumbers(value) ? value : undefined;
}

const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'number');

type Params = { readonly size: number; readonly multivector_config?: unknown };

function shapeOf({ config }: Schemas['CollectionInfo'], wanted: string | undefined): Shape {
  const vectors = (config.params.vectors ?? {}) as Params | Readonly<Record<string, Params>>;
  const unnamed = isParams(vectors);
  const names = unnamed ? [] : Object.keys(vectors);
  const name = wanted ?? (unnamed ? undefined : names[0]);
  const params = unnamed ? (wanted === undefined ? vectors : undefined) : vectors[name ?? ''];
  if (params === undefined || (wanted === undefined && names.length > 1)) {
    const there = unnamed ? 'the unnamed one only' : names.join(', ') || 'none';
    const asked = wanted === undefined ? 'target.vector must say which vector is written' : `no vector ${wanted}`;
    throw new RunEnd('TargetUnsuitable', `${asked}; the collection has ${there}`);
  }
  if (params.multivector_config !== undefined && params.multivector_config !== null) {
    throw new RunEnd('TargetUnsuitable', `vector ${name ?? '(unnamed)'} is a multivector: one vector a chunk is made`);
  }
  return { vector: name, dimensions: params.size };
}

const isParams = (vectors: Params | Readonly<Record<string, Params>>): vectors is Params =>
  typeof vectors['size'] === 'number';
