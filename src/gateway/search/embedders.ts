import type { VectorizationJob } from '../../api/index.ts';
import type { Store } from '../../kube/index.ts';
import { GatewayError } from '../errors.ts';
import type { Library } from '../libraries.ts';
import type { SecretCache } from '../secrets.ts';

type Spec = VectorizationJob['spec']['embedder'];

/** Who makes vectors of texts for a library, as its VectorizationJob says. */
export type LibraryEmbedder = {
  /** Equal for libraries whose vectors of one text are equal. */
  readonly space: string;
  readonly namespace: string;
  readonly spec: Spec;
  /** Vector that the job writes; undefined = the unnamed or only one. */
  readonly vector: string | undefined;
};

/** Makes one vector; given by whoever wires the gateway. */
export type EmbedText = (asked: {
  readonly spec: Spec;
  readonly text: string;
  readonly apiKey: string | undefined;
  readonly ca: string | undefined;
  readonly signal: AbortSignal;
}) => Promise<ArrayLike<number>>;

/** Index of a store of jobs: by namespace and library. */
export const BY_LIBRARY = 'library';
export const byTargetLibrary = ({ metadata, spec }: VectorizationJob): readonly string[] => [
  `${metadata.namespace ?? ''}/${spec.target.libraryRef.name}`,
];

/** The embedder of a library's vector: of its first job by name that writes it. */
export function embedderOf(
  jobs: Store<VectorizationJob>,
  { key }: Library,
  using: string | undefined,
): LibraryEmbedder | undefined {
  const found = jobs
    .byIndex(BY_LIBRARY, `${key.namespace}/${key.name}`)
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .find(({ spec }) => using === undefined || (spec.target.vector ?? '') === using);
  if (found === undefined) return undefined;
  const { embedder, target } = found.spec;
  const { protocol, url, model, dimensions, queryPrefix } = embedder;
  const space = JSON.stringify([protocol, url, model, dimensions ?? null, queryPrefix ?? '']);
  return { space, namespace: key.namespace, spec: embedder, vector: target.vector };
}

const MOST_REMEMBERED = 512;

/** Vectors of texts that are searched, those of the last few remembered. */
export class QueryVectors {
  readonly #embed: EmbedText;
  readonly #secrets: SecretCache;
  readonly #remembered = new Map<string, Promise<readonly number[]>>();

  constructor(embed: EmbedText, secrets: SecretCache) {
    this.#embed = embed;
    this.#secrets = secrets;
  }

  /** @throws GatewayError `EmbedderFailed`, which says why in one word */
  async of(embedder: LibraryEmbedder, text: string, signal: AbortSignal): Promise<readonly number[]> {
    const id = JSON.stringify([embedder.namespace, embedder.space, text]);
    const known = this.#remembered.get(id);
    if (known !== undefined) return known;
    const making = this.#make(embedder, text, signal);
    this.#remembered.set(id, making);
    making.catch(() => this.#remembered.delete(id));
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > MOST_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
    return making;
  }

  async #make({ namespace, spec }: LibraryEmbedder, text: string, signal: AbortSignal): Promise<readonly number[]> {
    const [apiKey, ca] = await Promise.all([
      this.#secret(namespace, spec.apiKeySecretRef, 'api-key'),
      this.#secret(namespace, spec.caSecretRef, 'ca.crt'),
    ]);
    try {
      return Array.from(await this.#embed({ spec, text: `${spec.queryPrefix ?? ''}${text}`, apiKey, ca, signal }));
    } catch (error) {
      const { code } = error as { code?: unknown };
      throw new GatewayError('EmbedderFailed', typeof code === 'string' ? code : undefined);
    }
  }

  async #secret(namespace: string, ref: { name: string; key?: string } | undefined, key: string) {
    if (ref === undefined) return undefined;
    const value = (await this.#secrets.get({ namespace, name: ref.name }))?.[ref.key ?? key];
    if (value === undefined)
      throw new GatewayError('EmbedderFailed', `Secret ${ref.name} has no key ${ref.key ?? key}`);
    return value;
  }
}
