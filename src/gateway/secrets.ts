import { type KubeClient, KubeError, keyText, type ObjectKey, SECRETS } from '../kube/index.ts';

export type SecretData = Readonly<Record<string, string>>;
type Entry = { readonly data: SecretData | undefined; readonly at: number };

export type SecretCacheOptions = {
  readonly client: Pick<KubeClient, 'find'>;
  readonly now: () => number;
  /** After so long a Secret is read again in the background. */
  readonly maxAgeMilliseconds?: number;
  /** Between two reads of one Secret at least. */
  readonly minAgeMilliseconds?: number;
};

/** Secrets one by one, as they are named: nothing is listed. */
export class SecretCache {
  readonly #options: SecretCacheOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #reading = new Map<string, Promise<SecretData | undefined>>();

  constructor(options: SecretCacheOptions) {
    this.#options = options;
  }

  /**
   * Decoded data; undefined when there is no such Secret.
   *
   * @throws KubeError when it was never read and can't be now
   */
  async get(key: ObjectKey): Promise<SecretData | undefined> {
    const { now, maxAgeMilliseconds = 60_000 } = this.#options;
    const entry = this.#entries.get(keyText(key));
    if (entry === undefined) return this.#read(key);
    // What is absent is asked for again soon: it may just not be made yet.
    const old = now() - entry.at > (entry.data === undefined ? 1000 : maxAgeMilliseconds);
    if (old && entry.data === undefined) return this.#read(key);
    if (old) void this.#read(key).catch(() => undefined);
    return entry.data;
  }

  /** Reads it again, unless that was done just now. */
  async again(key: ObjectKey): Promise<SecretData | undefined> {
    const { now, minAgeMilliseconds = 100 } = this.#options;
    const entry = this.#entries.get(keyText(key));
    if (entry !== undefined && now() - entry.at < minAgeMilliseconds) return entry.data;
    try {
      return await this.#read(key);
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      return entry?.data;
    }
  }

  #read(key: ObjectKey): Promise<SecretData | undefined> {
    const id = keyText(key);
    const running = this.#reading.get(id);
    if (running !== undefined) return running;
    const reading = this.#options.client
      .find(SECRETS, key)
      .then((secret) => {
        const data =
          secret === undefined
            ? undefined
            : Object.fromEntries(
                Object.entries(secret.data ?? {}).map(([name, value]) => [
                  name,
                  Buffer.from(value, 'base64').toString('utf8'),
                ]),
              );
        this.#entries.set(id, { data, at: this.#options.now() });
        return data;
      })
      .finally(() => this.#reading.delete(id));
    this.#reading.set(id, reading);
    return reading;
  }
}
