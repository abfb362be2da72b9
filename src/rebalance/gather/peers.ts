import { isQdrantError, type PeerClient } from '../../qdrant/index.ts';
import { peerCounters } from '../observe/counters.ts';
import type { ClusterLook, PeerLook } from '../observe/look.ts';
import { peerStorage } from '../observe/telemetry.ts';

/** Peers asked at once, of all clusters together: each question costs a peer up to 50 ms. */
const AT_ONCE = 8;
/** Longest wait for one answer, in milliseconds. */
const PATIENCE = 10_000;
/** Shards are told from here on. */
const LEVEL = 3;

export type Question = { readonly cluster: string; readonly peers: readonly PeerClient[] };
type Asking = {
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** Longest time for all peers together; 45 s when not given: a pass must end although hundreds are silent. */
  readonly seconds?: number;
};
const LOOK_SECONDS = 45;

/** Looks at all peers of all clusters; who doesn't answer is told by name. */
export async function lookAtClusters(
  questions: readonly Question[],
  asking: Asking,
): Promise<ReadonlyMap<string, ClusterLook>> {
  const at = asking.now();
  const { seconds = LOOK_SECONDS } = asking;
  const deadline = AbortSignal.timeout(seconds * 1000);
  const each = questions.flatMap(({ cluster, peers }) => peers.map((peer) => ({ cluster, peer })));
  const answers = await bounded(each, async ({ cluster, peer }) => ({
    cluster,
    answer: await answerOf(peer, { ...asking, seconds, deadline }),
  }));
  return new Map(
    questions.map(({ cluster }) => {
      const own = answers.filter((one) => one.cluster === cluster).map(({ answer }) => answer);
      return [
        cluster,
        {
          at,
          peers: own.flatMap((answer) => ('sample' in answer ? [answer] : [])),
          silent: own.flatMap((answer) => ('error' in answer ? [answer] : [])),
        },
      ];
    }),
  );
}

type Answer = PeerLook | ClusterLook['silent'][number];

async function answerOf(
  peer: PeerClient,
  { signal, now, seconds, deadline }: Required<Asking> & { readonly deadline: AbortSignal },
): Promise<Answer> {
  const late = { name: peer.name, error: `no answer within the ${seconds} s of a look` };
  if (deadline.aborted) return late;
  const options = { signal: AbortSignal.any([signal, deadline]), timeout: PATIENCE, attempts: 2 };
  try {
    const [text, telemetry] = await Promise.all([
      peer.metrics({ perCollection: true, ...options }),
      peer.telemetry(LEVEL, options),
    ]);
    const storage = peerStorage(telemetry);
    const { app, cluster } = telemetry;
    const status: { readonly number_of_peers?: number } = cluster?.status ?? {};
    return {
      name: peer.name,
      version: typeof app?.version === 'string' ? app.version : undefined,
      members: status.number_of_peers ?? 1,
      sample: { ...peerCounters(text), at: now(), startedAt: storage.startedAt },
      storage,
    };
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.aborted) return late;
    if (!isQdrantError(error)) throw error;
    return { name: peer.name, error: error.message };
  }
}

async function bounded<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const waiting = items.entries();
  const one = async (): Promise<void> => {
    for (const [index, item] of waiting) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, one));
  return results;
}
