import type { VectorizationJob } from '../../api/index.ts';
import type { Store } from '../../kube/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { Doors } from '../doors.ts';
import { GatewayError } from '../errors.ts';
import { opens } from '../keys.ts';
import type { Libraries, Library } from '../libraries.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { Passage } from '../passage.ts';
import type { SecretCache } from '../secrets.ts';
import { Asking } from './asking.ts';
import { type EmbedText, embedderOf, QueryVectors } from './embedders.ts';
import type { Facts } from './facts.ts';
import { searchRequest } from './request.ts';
import { search } from './search.ts';
import { Sketches, type SketchLimits } from './sketches.ts';

export { BY_LIBRARY, byTargetLibrary, type EmbedText } from './embedders.ts';
export { SKETCH_LIMITS, type SketchLimits } from './sketches.ts';

export type LibrarySearchDeps = {
  readonly libraries: Libraries;
  readonly doors: Doors;
  readonly secrets: SecretCache;
  readonly passage: Passage;
  readonly jobs: Store<VectorizationJob>;
  readonly embed: EmbedText;
  readonly limits: SketchLimits;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
};

/** Secret of a namespace whose `api-key` opens all its libraries, for searches only. */
export const SEARCH_SECRET = 'qdrant-librarian-gateway';

/** Searches across the libraries of a namespace, and the sketches by which they are routed. */
export class LibrarySearch {
  readonly #deps: LibrarySearchDeps;
  readonly #asking: Asking;
  readonly #vectors: QueryVectors;
  readonly sketches: Sketches;

  constructor(deps: LibrarySearchDeps) {
    this.#deps = deps;
    this.#asking = new Asking(deps.passage);
    this.#vectors = new QueryVectors(deps.embed, deps.secrets);
    const { limits, metrics, log, libraries } = deps;
    this.sketches = new Sketches({
      asking: this.#asking,
      libraries: () => libraries.all(),
      vectorOf: (library, facts) => this.#vectorOf(library, facts),
      limits,
      metrics,
      log,
      now: Date.now,
    });
  }

  /** @throws GatewayError */
  async answer(
    namespace: string,
    { key, body, signal }: { key: string | undefined; body: unknown; signal: AbortSignal },
  ) {
    const { metrics, jobs } = this.#deps;
    const reach = await this.#reach(namespace, key);
    return search(
      {
        asking: this.#asking,
        sketches: this.sketches,
        vectors: this.#vectors,
        embedder: (library, using) => embedderOf(jobs, library, using),
        vectorOf: (library, facts, using) => this.#vectorOf(library, facts, using),
        metrics,
      },
      { request: searchRequest(body), reach, signal },
    );
  }

  async #reach(namespace: string, key: string | undefined) {
    const { doors, libraries, secrets } = this.#deps;
    const all = libraries.within(namespace);
    const ofNamespace = key === undefined ? undefined : await secrets.get({ namespace, name: SEARCH_SECRET });
    const master = ofNamespace?.['api-key'];
    if (master !== undefined && master !== '' && opens(key, master)) {
      return { opened: all.filter(({ binding }) => binding !== undefined), notOpened: 0 };
    }
    const opened = (await doors.all(namespace, key)).map(({ library }) => library);
    if (opened.length === 0) throw new GatewayError(key === undefined ? 'KeyMissing' : 'KeyRefused');
    return { opened, notOpened: all.length - opened.length };
  }

  /** The vector that is searched, and a text that is equal for libraries whose scores can be compared. */
  #vectorOf(library: Library, facts: Facts, named?: string): { using: string; space: string } | undefined {
    const embedder = embedderOf(this.#deps.jobs, library, named);
    const only = facts.vectors.size === 1 ? [...facts.vectors.keys()][0] : undefined;
    const using = named ?? embedder?.vector ?? (facts.vectors.has('') ? '' : only);
    const shape = using === undefined ? undefined : facts.vectors.get(using);
    if (using === undefined || shape === undefined) return undefined;
    return { using, space: JSON.stringify([embedder?.space ?? null, shape.distance, shape.size]) };
  }
}
