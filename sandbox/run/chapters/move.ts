import { SECRETS } from '../../../src/kube/index.ts';
import { ClusterClient, connectionOf } from '../../../src/qdrant/index.ts';
import { addHash, EMPTY_DIGEST, formatDigest, pointHash } from '../../../src/vectors/index.ts';
import { seconds } from '../facts.ts';
import { type Chapter, NAMESPACE, type Progress, type Stage } from '../stage.ts';
import { CLUSTERS, isReady } from '../wait.ts';

/** Beyond all ids that earlier loads have used. */
const FIRST_ID = 2_000_000;
const AWAY = 'annex';

export const move: Chapter = {
  title: 'the moved library goes on to the external cluster and back, under load',
  play: async (stage, progress) => {
    const { moved: library } = stage;
    if (library === undefined) throw new Error('no library was moved before');
    const before = await stage.library(library, { holds: isReady, what: 'Ready', timeoutSeconds: 10 });
    const home = before.status?.cluster ?? '';
    await stage.startLoad(library, { firstId: FIRST_ID, way: 'gateway' });
    await moveTo(stage, { library, name: AWAY }, progress);
    await moveTo(stage, { library, name: home }, progress);
    await stage.endLoads('two moves');
  },
};

/** Only `placement` is changed. */
async function moveTo(
  stage: Stage,
  { library, name }: { readonly library: string; readonly name: string },
  progress: Progress,
): Promise<void> {
  const { facts } = stage;
  const began = performance.now();
  // A merge patch: what is not null is kept.
  await stage.changeLibrary(library, {
    placement: { clusterRef: { name }, clusterSelector: null },
  } as unknown as Parameters<Stage['changeLibrary']>[1]);
  const steps = new Set<string>();
  let freeze = 0;
  const after = await stage.library(library, {
    holds: (seen) => {
      const { change, cluster } = seen.status ?? {};
      if (change !== undefined) progress([...steps.add(change.step)].join(' -> '));
      freeze = change?.freezeMilliseconds ?? freeze;
      return isReady(seen) && cluster === name && change === undefined;
    },
    what: `Ready on ${name}`,
    timeoutSeconds: 60,
  });
  facts.note(`${library} moved to ${name} after`, seconds(performance.now() - began));
  facts.note(`writes held back for the move to ${name}`, seconds(freeze));
  const generations = after.status?.generations ?? [];
  const proved = generations.find(({ state }) => state === 'Active');
  const left = generations.findLast(({ state }) => state === 'Retired');
  const digest = left === undefined ? 'none' : await digestOf(stage, left);
  facts.check(
    `what was left on ${left?.cluster ?? '?'} is what was proved on ${name}`,
    `${proved?.points ?? '?'} points, digest ${digest.slice(-8)}`,
    digest === proved?.digest,
  );
}

/** Reads a whole generation, with vectors and payload. */
async function digestOf(
  stage: Stage,
  { cluster: name, collection }: { readonly cluster: string; readonly collection: string },
): Promise<string> {
  const { admin } = stage.sandbox;
  const cluster = await admin.get(CLUSTERS, { namespace: NAMESPACE, name });
  const secrets = await admin.listAll(SECRETS, { namespace: NAMESPACE });
  const result = connectionOf(cluster, (wanted) => {
    const data = secrets.find(({ metadata }) => metadata.name === wanted)?.data;
    return data === undefined
      ? undefined
      : Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
  });
  if (!result.ok) throw new Error(result.message);
  const client = new ClusterClient(result.connection);
  try {
    let digest = EMPTY_DIGEST;
    const all = { withVectors: true, withPayload: true, limit: 512 };
    for await (const point of client.scrollAll(collection, all)) digest = addHash(digest, pointHash(point));
    return formatDigest(digest);
  } finally {
    await client.close();
  }
}
