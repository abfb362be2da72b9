import { setTimeout as sleep } from 'node:timers/promises';
import { type ClusterClient, isQdrantError } from '../../src/qdrant/index.ts';

const PAUSE_MILLISECONDS = 30;
/** What the fence sets; no user of a scenario does. */
const FENCED = 1;

/**
 * Watches that at any time at most one cluster takes writes under a name.
 *
 * @returns what ends it and gives the contradictions that were seen
 */
export function watchOnePlace(
  name: string,
  clusters: ReadonlyMap<string, ClusterClient>,
  pauseMilliseconds: () => number = () => PAUSE_MILLISECONDS,
): () => Promise<string[]> {
  const stopping = new AbortController();
  const seen: string[] = [];
  const open = async (client: ClusterClient): Promise<boolean> => {
    try {
      const { config } = await client.collection(name, { attempts: 1 });
      return config.strict_mode_config?.write_rate_limit !== FENCED;
    } catch (error) {
      if (isQdrantError(error)) return false;
      throw error;
    }
  };
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      for (const [first, client] of clusters) {
        if (!(await open(client))) continue;
        for (const [second, other] of clusters) {
          // Open before and after another one was open: both were at once.
          if (second !== first && (await open(other)) && (await open(client))) {
            seen.push(`${first} and ${second} both take writes to ${name} at ${new Date().toISOString()}`);
          }
        }
      }
      await sleep(pauseMilliseconds());
    }
  })();
  return async () => {
    stopping.abort();
    await watching;
    return seen;
  };
}
