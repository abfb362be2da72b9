import { parseJson, stringifyJson } from '../../qdrant/index.ts';
import { type Matrix, matrixOf } from '../../vectors/index.ts';
import { GatewayError } from '../errors.ts';
import type { Library } from '../libraries.ts';
import type { Operation } from '../operations.ts';
import type { Passage } from '../passage.ts';
import { type Facts, factsOf } from './facts.ts';
import type { Hit } from './merge.ts';

const read = (name: string): Operation => ({ name, kind: 'read', repeat: 'always' });
const QUERY = read('query');
const SCROLL = read('scroll');
const INFO = read('collection_info');

export type QueryOf = {
  readonly vector: readonly number[];
  readonly using: string;
  readonly limit: number;
  readonly filter: unknown;
  readonly exact: boolean;
  readonly withPayload: unknown;
};

/** Asks libraries what searches and sketches need, on the same way as clients' reads. */
export class Asking {
  readonly #passage: Passage;

  constructor(passage: Passage) {
    this.#passage = passage;
  }

  async facts(library: Library, signal: AbortSignal): Promise<Facts> {
    return factsOf(await this.#ask(library, { operation: INFO, method: 'GET', rest: '', signal }));
  }

  async query(library: Library, asked: QueryOf, signal: AbortSignal): Promise<Hit[]> {
    const body = {
      query: asked.vector,
      ...(asked.using === '' ? {} : { using: asked.using }),
      limit: asked.limit,
      ...(asked.filter === undefined ? {} : { filter: asked.filter }),
      with_payload: asked.withPayload,
      ...(asked.exact ? { params: { exact: true } } : {}),
    };
    const result = await this.#ask(library, { operation: QUERY, method: 'POST', rest: '/points/query', body, signal });
    const { points } = result as { points: { id: unknown; score: number; payload?: unknown }[] };
    return points.map(({ id, score, payload }) => ({
      library: library.collection,
      id,
      score: Number(score),
      ...(payload === undefined || payload === null ? {} : { payload }),
    }));
  }

  /** Vectors of points drawn at random. */
  async sample(library: Library, using: string, limit: number, signal: AbortSignal): Promise<Matrix> {
    const body = { query: { sample: 'random' }, limit, with_payload: false, with_vector: wanted(using) };
    const result = await this.#ask(library, { operation: QUERY, method: 'POST', rest: '/points/query', body, signal });
    return vectorsOf((result as { points: readonly Vectored[] }).points, using);
  }

  /** All vectors, page by page; points without this vector are left out. */
  async *all(library: Library, using: string, signal: AbortSignal): AsyncGenerator<Matrix, void, undefined> {
    let offset: unknown;
    do {
      const body = { limit: PAGE, offset, with_payload: false, with_vector: wanted(using) };
      const asked = { operation: SCROLL, method: 'POST', rest: '/points/scroll', body, signal } as const;
      const page = (await this.#ask(library, asked)) as { points: readonly Vectored[]; next_page_offset?: unknown };
      const vectors = vectorsOf(page.points, using);
      if (vectors.rows > 0) yield vectors;
      offset = page.next_page_offset ?? undefined;
    } while (offset !== undefined);
  }

  async #ask(
    library: Library,
    asked: { operation: Operation; method: 'GET' | 'POST'; rest: string; body?: unknown; signal: AbortSignal },
  ): Promise<unknown> {
    const { operation, method, rest, body, signal } = asked;
    const bytes = body === undefined ? null : Buffer.from(stringifyJson(body));
    const { status, body: answered } = await this.#passage.pass({
      library,
      operation,
      method,
      rest,
      headers: bytes === null ? {} : { 'content-type': 'application/json' },
      body: { kind: 'kept', bytes },
      signal,
      retry: RETRY_MILLISECONDS,
    });
    const text = await answered.text();
    if (status !== 200) throw new LibraryRefusal(status, text);
    return (parseJson(text, { doubles: true }) as { result: unknown }).result;
  }
}

const PAGE = 1000;
/** A search says that a library failed, and doesn't wait for it as long as a client's own read does. */
const RETRY_MILLISECONDS = 1000;

/** What a cluster answered besides 200, for the one library that it concerns. */
export class LibraryRefusal extends GatewayError {
  readonly answered: number;

  constructor(status: number, text: string) {
    super('Internal', reasonOf(text));
    this.answered = status;
  }
}

function reasonOf(text: string): string {
  const reason = /"error"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? '';
  return reason.slice(0, 300);
}

type Vectored = { readonly vector?: unknown };

const wanted = (using: string): boolean | string[] => (using === '' ? true : [using]);

function vectorsOf(points: readonly Vectored[], using: string): Matrix {
  const rows = points.flatMap(({ vector }): number[][] => {
    const value =
      using === '' || Array.isArray(vector) ? vector : (vector as Record<string, unknown> | undefined)?.[using];
    return Array.isArray(value) ? [value.map(Number)] : [];
  });
  return matrixOf(rows);
}
