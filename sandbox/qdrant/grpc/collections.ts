import type { Engine } from '../engine.ts';
import type { Call } from './call.ts';

/** Listing only: everything else about collections goes over REST. */
export function collectionCalls(engine: Engine): Record<string, Call> {
  return {
    list: {
      right: 'read',
      answer: () => ({
        collections: Object.keys(engine.consensus.state.collections).map((name) => ({ name })),
        time: 0,
      }),
    },
    collectionExists: {
      right: 'read',
      answer: (message: { collectionName: string }) => {
        const { state } = engine.consensus;
        const wanted = state.aliases[message.collectionName] ?? message.collectionName;
        return { result: { exists: state.collections[wanted] !== undefined }, time: 0 };
      },
    },
    listAliases: {
      right: 'read',
      answer: () => ({
        aliases: Object.entries(engine.consensus.state.aliases).map(([aliasName, collectionName]) => ({
          aliasName,
          collectionName,
        })),
        time: 0,
      }),
    },
  };
}
