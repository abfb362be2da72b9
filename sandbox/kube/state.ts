import type { Readable } from 'node:stream';
import { Rbac } from './access/rbac.ts';
import { Tokens } from './access/tokens.ts';
import type { User } from './access/user.ts';
import { Store } from './store.ts';
import { Registry } from './types/registry.ts';
import type { Resource } from './types/resource.ts';

export type PodLogOptions = {
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
  readonly limitBytes?: number;
  /** Aborted when the reader goes away. */
  readonly signal: AbortSignal;
};

export type PodLogSource = { readonly namespace: string; readonly pod: string; readonly container: string };

/** What other parts of the sandbox do for the API server. */
export type Hooks = {
  /** The log of a container; undefined when there is none. */
  podLogs?: (source: PodLogSource, options: PodLogOptions) => Promise<Readable | undefined> | Readable | undefined;
  /** An unused address for a Service; without this hook a Service gets none. */
  allocateClusterIP?: () => string;
  releaseClusterIP?: (address: string) => void;
};

export type State = {
  readonly store: Store;
  readonly registry: Registry;
  readonly rbac: Rbac;
  readonly tokens: Tokens;
  readonly hooks: Hooks;
  readonly now: () => number;
  readonly bookmarkMilliseconds: number;
};

export function newState(options: {
  hooks: Hooks;
  now: () => number;
  historyLimit: number;
  bookmarkMilliseconds: number;
}): State {
  const store = new Store({ historyLimit: options.historyLimit });
  return {
    store,
    registry: new Registry(),
    rbac: new Rbac(store),
    tokens: new Tokens(options.now),
    hooks: options.hooks,
    now: options.now,
    bookmarkMilliseconds: options.bookmarkMilliseconds,
  };
}

/** One request to a resource, with everything that handlers ask of it. */
export type Call = {
  readonly state: State;
  readonly user: User;
  readonly resource: Resource;
  readonly verb: string;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  readonly query: URLSearchParams;
  readonly accept: string;
  readonly contentType: string;
  readonly userAgent: string;
  /** Texts for `Warning` headers. */
  readonly warnings: string[];
};
