import { join } from 'node:path';
import type { DomainLibrary } from '../../../src/api/index.ts';
import { SECRETS, type Secret } from '../../../src/kube/index.ts';
import type { PointId } from '../../../src/qdrant/index.ts';
import { addHash, EMPTY_DIGEST, formatDigest, pointHash } from '../../../src/vectors/index.ts';
import type { LibraryAccess } from '../../load/library-access.ts';
import { startObjectStore } from '../../object-store/server.ts';
import { mebibytes, seconds } from '../facts.ts';
import { type Chapter, NAMESPACE, type Stage } from '../stage.ts';
import { isReady, LIBRARIES } from '../wait.ts';

const LIBRARY = 'documentation';
const KEY = 'bucket-key';

export const rollback: Chapter = {
  title: 'a library is snapshotted to a bucket, damaged on purpose, rolled back',
  play: async (stage, progress) => {
    const { facts } = stage;
    const store = await startObjectStore({ directory: join(stage.sandbox.directory, 'object-store') });
    try {
      const encoded = (text: string): string => Buffer.from(text).toString('base64');
      await stage.sandbox.admin.create(SECRETS, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: KEY, namespace: NAMESPACE },
        data: { 'access-key-id': encoded(store.accessKeyId), 'secret-access-key': encoded(store.secretAccessKey) },
      } as Secret);
      const s3 = {
        bucket: store.bucket,
        endpoint: store.url,
        region: store.region,
        credentialsSecretRef: { name: KEY },
      };
      await stage.changeLibrary(LIBRARY, { snapshots: { destination: { type: 's3', s3 } } });
      const before = await contents(stage);
      const snapshot = await makeSnapshot(stage, progress);
      facts.check('snapshot: digest of the library', snapshot.digest ?? 'none', snapshot.digest === before.digest);
      const lost = await damage(stage, before.ids);
      progress(`${lost} points deleted on purpose`);
      await goBack(stage, snapshot.name, progress);
      const after = await contents(stage);
      const { digest } = after;
      facts.check('rolled back: contents as before, by digest', `${after.ids.length} points`, digest === before.digest);
    } finally {
      await store.stop();
    }
  },
};

async function contents(stage: Stage): Promise<{ readonly digest: string; readonly ids: readonly PointId[] }> {
  let digest = EMPTY_DIGEST;
  const ids: PointId[] = [];
  await stage.using(LIBRARY, async ({ client, collection }: LibraryAccess) => {
    for await (const point of client.scrollAll(collection, { withVectors: true, limit: 500 })) {
      digest = addHash(digest, pointHash(point));
      ids.push(point.id);
    }
  });
  return { digest: formatDigest(digest), ids };
}

type Item = NonNullable<NonNullable<NonNullable<DomainLibrary['status']>['snapshots']>['items']>[number];

async function makeSnapshot(stage: Stage, progress: (text: string) => void): Promise<Item> {
  const began = performance.now();
  const metadata = { annotations: { 'qdrant-librarian.io/snapshot': 'before-the-damage' } };
  await stage.sandbox.admin.patch(LIBRARIES, { namespace: NAMESPACE, name: LIBRARY }, { metadata }, { type: 'merge' });
  const { status } = await stage.library(LIBRARY, {
    holds: (library) => (library.status?.snapshots?.items ?? []).length > 0,
    what: 'showing a snapshot',
    timeoutSeconds: 45,
  });
  const [item] = status?.snapshots?.items ?? [];
  if (item === undefined) throw new Error('there is no snapshot');
  progress(`${item.name}: ${item.points ?? 0} points`);
  const size = `${item.points ?? 0} points, ${mebibytes(item.sizeBytes ?? 0)}`;
  stage.facts.note('snapshot in the bucket after', `${seconds(performance.now() - began)} (${size})`);
  return item;
}

/** What a mistake does: every third point is gone. */
async function damage(stage: Stage, ids: readonly PointId[]): Promise<number> {
  const doomed = ids.filter((_id, at) => at % 3 === 0);
  await stage.using(LIBRARY, async ({ client, collection }) => {
    for (let at = 0; at < doomed.length; at += 500)
      await client.deletePoints(collection, { ids: doomed.slice(at, at + 500) });
  });
  return doomed.length;
}

async function goBack(stage: Stage, name: string, progress: (text: string) => void): Promise<void> {
  const began = performance.now();
  await stage.changeLibrary(LIBRARY, { rollback: { toSnapshot: name } });
  await stage.library(LIBRARY, {
    holds: (library) => {
      const { rollback: going } = library.status ?? {};
      if (going !== undefined) progress(`${going.step ?? ''} ${going.message ?? ''}`.trim());
      return going?.state === 'Done' && isReady(library);
    },
    what: 'rolled back',
    timeoutSeconds: 60,
  });
  stage.facts.note('rolled back after', seconds(performance.now() - began));
}
