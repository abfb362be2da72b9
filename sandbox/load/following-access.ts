import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeClient } from '../../src/kube/index.ts';
import { type ClusterClient, isQdrantError } from '../../src/qdrant/index.ts';
import { type BindingKey, type LibraryAccess, libraryAccess } from './library-access.ts';

/** What the load asks of a client. */
export type LoadClient = Pick<ClusterClient, 'upsert' | 'deletePoints' | 'query' | 'retrieve' | 'scrollAll' | 'close'>;

/** The name is gone there, nobody is there, or the key is another's: the binding may say where the library is now. */
const ELSEWHERE = ['NotFound', 'Unreachable', 'Timeout', 'Unauthorized', 'Forbidden'];
const AGAIN_MILLISECONDS = 50;
/** A mounted Secret changes within a minute or so; here it is read from the server. */
const FOLLOW_MILLISECONDS = 10_000;

/** An application that reads its binding Secret anew where the library doesn't answer any more, and sends again. */
export async function followingAccess(
  admin: KubeClient,
  key: BindingKey,
): Promise<{ readonly client: LoadClient; readonly collection: string }> {
  let access = await libraryAccess(admin, key);
  const before: LibraryAccess[] = [];
  const follow = async <T>(ask: (client: ClusterClient) => Promise<T>): Promise<T> => {
    const until = Date.now() + FOLLOW_MILLISECONDS;
    for (;;) {
      const { client } = access;
      try {
        return await ask(client);
      } catch (error) {
        if (!isQdrantError(error) || !ELSEWHERE.includes(error.code) || Date.now() > until) throw error;
        await sleep(AGAIN_MILLISECONDS);
        if (access.client === client) {
          before.push(access);
          access = await libraryAccess(admin, key);
        }
      }
    }
  };
  return {
    collection: access.collection,
    client: {
      upsert: (...args) => follow((client) => client.upsert(...args)),
      deletePoints: (...args) => follow((client) => client.deletePoints(...args)),
      query: (...args) => follow((client) => client.query(...args)),
      retrieve: (...args) => follow((client) => client.retrieve(...args)),
      scrollAll: (...args) => access.client.scrollAll(...args),
      close: async () => {
        for (const { client } of [...before, access]) await client.close();
      },
    },
  };
}
