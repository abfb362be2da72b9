import type { Secret } from '../../../src/kube/index.ts';

/** Shorter ones are words that stand everywhere, e.g. in tests of Secrets that lack a key. */
const SHORTEST = 6;

/** Entries of a binding Secret that say where something is. Source: Service Binding Specification 1.1. */
const BINDING_TYPE = 'servicebinding.io/';
const OPEN_ENTRIES = new Set(['type', 'provider', 'host', 'port', 'uri', 'collection', 'grpc-port', 'ca.crt']);

/** Secrets that nobody told us of. */
const TOKEN = /\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/g;
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g;

export type Blanked = {
  readonly text: string /** Where the values came from: `<secret>/<key>`. */;
  readonly found: readonly string[];
};

/** Values that may stand in no file that others will read. */
export class SecretValues {
  readonly #from = new Map<string, string>();

  add({ metadata, type = '', data = {} }: Secret): void {
    for (const [key, encoded] of Object.entries(data)) {
      if (type.startsWith(BINDING_TYPE) && OPEN_ENTRIES.has(key)) continue;
      const value = Buffer.from(encoded, 'base64').toString();
      for (const form of formsOf(value)) {
        if (form.length >= SHORTEST) this.#from.set(form, `${metadata.name}/${key}`);
      }
    }
  }

  /** The text without them. */
  blank(text: string): Blanked {
    const found = new Set<string>();
    let blanked = text;
    // Longest first: one may be part of another.
    for (const form of [...this.#from.keys()].toSorted((a, b) => b.length - a.length)) {
      if (!blanked.includes(form)) continue;
      found.add(this.#from.get(form) ?? '');
      blanked = blanked.replaceAll(form, '[blanked]');
    }
    for (const [pattern, name] of [
      [TOKEN, 'a token'],
      [PRIVATE_KEY, 'a private key'],
    ] as const) {
      const without = blanked.replaceAll(pattern, '[blanked]');
      if (without !== blanked) found.add(name);
      blanked = without;
    }
    return { text: blanked, found: [...found] };
  }
}

const formsOf = (value: string): readonly string[] => [
  value,
  value.trim(),
  Buffer.from(value).toString('base64'),
  encodeURIComponent(value),
  JSON.stringify(value).slice(1, -1),
];
