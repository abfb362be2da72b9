import { EngineError } from '../base/errors.ts';
import type { AliasAction } from './operations.ts';
import type { ClusterState } from './types.ts';

/** Applies alias actions in order. A failing action leaves the earlier ones applied, as the server does. */
export function applyAliases(state: ClusterState, actions: readonly AliasAction[]): boolean {
  for (const action of actions) applyAction(state, action);
  return true;
}

function applyAction(state: ClusterState, action: AliasAction): void {
  if (action.kind === 'delete') {
    delete state.aliases[action.alias];
    return;
  }
  if (action.kind === 'rename') {
    const target = state.aliases[action.alias];
    if (target === undefined) throw new EngineError('NotFound', `Alias ${action.alias} does not exists!`);
    mustNotBeCollection(state, action.to);
    delete state.aliases[action.alias];
    state.aliases[action.to] = target;
    return;
  }
  if (!state.collections[action.collection]) {
    throw new EngineError('NotFound', `Collection \`${action.collection}\` doesn't exist!`);
  }
  mustNotBeCollection(state, action.alias);
  state.aliases[action.alias] = action.collection;
}

function mustNotBeCollection(state: ClusterState, name: string): void {
  if (state.collections[name]) throw new EngineError('AlreadyExists', `Collection \`${name}\` already exists!`);
}
