import type { KubeObject } from './objects.ts';

/**
 * What a list+watch knows, without any I/O. `Empty`: nothing. `InitPage`: a list half read. `Watching`: everything up
 * to `resourceVersion`. Source: kube-rs `watcher.rs`.
 */
export type WatcherState<T extends KubeObject> =
  | { readonly phase: 'Empty' }
  | { readonly phase: 'InitPage'; readonly continue: string; readonly objects: readonly T[] }
  | { readonly phase: 'Watching'; readonly resourceVersion: string };

export type WatcherInput<T extends KubeObject> =
  | {
      readonly kind: 'page';
      readonly items: readonly T[];
      readonly resourceVersion: string;
      readonly continue?: string | undefined;
    }
  | { readonly kind: 'applied' | 'deleted'; readonly object: T }
  | { readonly kind: 'bookmark'; readonly resourceVersion: string }
  /** The server ended the watch in order. */
  | { readonly kind: 'closed' }
  /** 410, as an HTTP status or inside the stream: the version, or the list's continue token, is compacted away. */
  | { readonly kind: 'expired' }
  /** Anything else that went wrong. */
  | { readonly kind: 'failed' };

export type WatcherOutput<T extends KubeObject> =
  /** The whole truth at one version: what is not in it is gone. */
  | { readonly kind: 'replaceAll'; readonly objects: readonly T[] }
  | { readonly kind: 'apply' | 'delete'; readonly object: T };

export type WatcherRequest =
  | { readonly kind: 'list'; readonly continue?: string }
  | { readonly kind: 'watch'; readonly resourceVersion: string };

export type Transition<T extends KubeObject> = {
  readonly state: WatcherState<T>;
  readonly output?: WatcherOutput<T>;
};

export const EMPTY: WatcherState<never> = { phase: 'Empty' };

/** What to ask the server in this state. */
export function nextRequest<T extends KubeObject>(state: WatcherState<T>): WatcherRequest {
  switch (state.phase) {
    case 'Empty':
      return { kind: 'list' };
    case 'InitPage':
      return { kind: 'list', continue: state.continue };
    case 'Watching':
      return { kind: 'watch', resourceVersion: state.resourceVersion };
  }
}

/** The state after `input`, and what it means for a cache. Only an expired version makes it forget where it was. */
export function advance<T extends KubeObject>(state: WatcherState<T>, input: WatcherInput<T>): Transition<T> {
  switch (input.kind) {
    case 'page':
      return page(state, input);
    case 'applied':
    case 'deleted':
      return {
        state: watching(state, input.object.metadata.resourceVersion),
        output: { kind: input.kind === 'applied' ? 'apply' : 'delete', object: input.object },
      };
    case 'bookmark':
      return { state: watching(state, input.resourceVersion) };
    case 'expired':
      return { state: EMPTY };
    case 'closed':
    case 'failed':
      return { state };
  }
}

function page<T extends KubeObject>(
  state: WatcherState<T>,
  input: Extract<WatcherInput<T>, { kind: 'page' }>,
): Transition<T> {
  const objects = state.phase === 'InitPage' ? [...state.objects, ...input.items] : input.items;
  if (input.continue !== undefined) return { state: { phase: 'InitPage', continue: input.continue, objects } };
  // A server that names no version can't be watched from it; listing again is the only way on.
  const next: WatcherState<T> =
    input.resourceVersion === '' ? EMPTY : { phase: 'Watching', resourceVersion: input.resourceVersion };
  return { state: next, output: { kind: 'replaceAll', objects } };
}

const watching = <T extends KubeObject>(
  state: WatcherState<T>,
  resourceVersion: string | undefined,
): WatcherState<T> =>
  resourceVersion === undefined || resourceVersion === '' ? state : { phase: 'Watching', resourceVersion };
