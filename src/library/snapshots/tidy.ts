import type { Bucket } from './bucket.ts';
import { libraryPrefix, manifestKey } from './keys.ts';
import { dropParts } from './local-files.ts';
import type { Working } from './make.ts';
import { parseManifest } from './manifest.ts';
import { leftObjects, leftUploads, manifestsIn } from './sweep.ts';
import type { SnapshotConfig } from './task-config.ts';

export type Tidying = Working & { readonly config: SnapshotConfig; readonly bucket: Bucket | undefined };

/** Drops the snapshots that are named, then what workers that did not finish have left in the bucket. */
export async function tidy(tidying: Tidying): Promise<void> {
  const { config, bucket, keeper } = tidying;
  const base = libraryPrefix(bucket?.prefix ?? '', config.library);
  for (const { name, parts } of config.drop) {
    await keeper.mayWrite();
    if (parts !== undefined) await dropParts(tidying, parts);
    else if (bucket !== undefined) await dropFromBucket(bucket, base, name);
    keeper.update({ dropped: [...new Set([...(keeper.progress.dropped ?? []), name])] });
  }
  if (bucket !== undefined) await sweepBucket(tidying, bucket, base);
}

/** First the manifest: without one there is no snapshot, so that what is half dropped is none. */
async function dropFromBucket(bucket: Bucket, base: string, name: string): Promise<void> {
  const key = manifestKey(base, name);
  const manifest = parseManifest(await bucket.getText(key));
  await bucket.remove(key);
  for (const { file } of manifest?.parts ?? []) if (file.startsWith(`${base}${name}/`)) await bucket.remove(file);
}

async function sweepBucket({ config, log, keeper }: Tidying, bucket: Bucket, base: string): Promise<void> {
  const objects = await bucket.list(base);
  const parts = new Map<string, ReadonlySet<string>>();
  const spare = new Set<string>();
  for (const name of manifestsIn(objects, base)) {
    const manifest = parseManifest(await bucket.getText(manifestKey(base, name)));
    // One of a later version is nobody's to judge.
    if (manifest === undefined) spare.add(name);
    else parts.set(name, new Set(manifest.parts.map(({ file }) => file)));
  }
  const { name: library, uid } = config.library;
  const subject = { base, library, uid, spare, parts };
  for (const upload of leftUploads(await bucket.openUploads(base), subject)) {
    await keeper.mayWrite();
    await bucket.abort(upload);
    log.info({ key: upload.key }, 'an unfinished upload is aborted');
  }
  for (const key of leftObjects(objects, subject)) {
    await keeper.mayWrite();
    await bucket.remove(key);
    log.info({ key }, 'a part without a manifest is deleted');
  }
}
