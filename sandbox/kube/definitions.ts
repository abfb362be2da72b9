import { asArray, asString, at } from './json.ts';
import { type ApiObject, wireTime } from './objects.ts';
import type { State } from './state.ts';
import type { Change } from './store.ts';

const DEFINITIONS = 'apiextensions.k8s.io/customresourcedefinitions';
/** Put on a definition when it is deleted: its objects go first. */
export const CLEANUP = 'customresourcecleanup.apiextensions.k8s.io';

const storedAs = (definition: ApiObject): string =>
  `${asString(at(definition, 'spec', 'group'))}/${asString(at(definition, 'spec', 'names', 'plural'))}`;

/** Serves the kinds of the stored CustomResourceDefinitions, and empties a kind that is on its way out. */
export function followDefinitions(state: State): void {
  const watched = new Set<string>();
  state.store.subscribe(DEFINITIONS, (change) => {
    const { object } = change;
    if (change.kind === 'DELETED') state.registry.forget(object.metadata.name);
    else state.registry.define(object);
    if (object.metadata.deletionTimestamp !== undefined && change.kind === 'MODIFIED') {
      afterwards(() => empty(state, object.metadata.name));
    }
    const type = storedAs(object);
    if (!watched.has(type)) {
      watched.add(type);
      state.store.subscribe(type, ({ kind }: Change) => {
        if (kind === 'DELETED') afterwards(() => release(state, object.metadata.name));
      });
    }
  });
}

/** Writes that answer a change wait until every listener has seen it, so that watches stay in order. */
const afterwards = (action: () => void): void => queueMicrotask(action);

function empty(state: State, name: string): void {
  const definition = state.store.get(DEFINITIONS, '', name);
  if (definition === undefined) return;
  const type = storedAs(definition);
  for (const object of state.store.list(type)) {
    if (object.metadata.deletionTimestamp !== undefined) continue;
    const metadata = { ...object.metadata, deletionTimestamp: wireTime(state.now()), deletionGracePeriodSeconds: 0 };
    if ((object.metadata.finalizers ?? []).length === 0) state.store.remove(type, { ...object, metadata });
    else state.store.put(type, { ...object, metadata });
  }
  release(state, name);
}

/** Lets a deleted definition go once no object of its kind is left. */
function release(state: State, name: string): void {
  const definition = state.store.get(DEFINITIONS, '', name);
  if (definition?.metadata.deletionTimestamp === undefined || state.store.list(storedAs(definition)).length > 0) return;
  const finalizers = asArray(definition.metadata.finalizers)
    .map(asString)
    .filter((finalizer) => finalizer !== CLEANUP);
  const next = { ...definition, metadata: { ...definition.metadata, finalizers } };
  if (finalizers.length === 0) state.store.remove(DEFINITIONS, next);
  else if (finalizers.length !== definition.metadata.finalizers?.length) state.store.put(DEFINITIONS, next);
}
