import { connectSide } from '../migration/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { VECTORIZE_DIRECTORIES, type VectorizeConfig } from './config.ts';
import { readMounted } from './mounted.ts';
import { RunEnd } from './pipeline/failure.ts';
import { MAX_DOCUMENT_BYTES } from './pipeline/pass.ts';
import { bucketSource } from './source/bucket.ts';
import { collectionSource } from './source/collection.ts';
import { directorySource } from './source/directory.ts';
import { pagesSource } from './source/http/pages.ts';
import { packagesSource } from './source/packages.ts';
import { selectionOf } from './source/selection.ts';
import type { Source } from './source/source.ts';

export type Opening = { readonly environment: NodeJS.ProcessEnv; readonly log: Logger };

/** The source that the configuration names. @throws RunEnd without what must be mounted */
export async function openSource(config: VectorizeConfig, { environment, log }: Opening): Promise<Source> {
  const { source, chunking } = config;
  const selection = selectionOf(config.include, config.exclude);
  const keys = environment[VECTORIZE_DIRECTORIES.source];
  switch (source.kind) {
    case 'directory': {
      const root = environment[VECTORIZE_DIRECTORIES.documents];
      if (root === undefined) throw new RunEnd('ConfigInvalid', 'no directory of documents is mounted');
      const options = { root, below: source.below, selection };
      return chunking.strategy === 'Packages' ? packagesSource(options) : directorySource(options);
    }
    case 'collection': {
      const client = await connectSide(source, keys, { log });
      return collectionSource({ client, collection: source.collection, textField: source.textField, selection });
    }
    case 'http': {
      const { urls, followLinks, maxDepth, authorization } = source;
      return pagesSource({
        urls,
        followLinks,
        maxDepth,
        selection,
        maxBytes: config.maxDocumentBytes ?? MAX_DOCUMENT_BYTES,
        ...(authorization && { authorization: await readMounted(keys, 'authorization') }),
      });
    }
    case 's3': {
      const { bucket, prefix, endpoint, region } = source;
      const credentials = source.credentials ? await credentialsIn(keys) : undefined;
      return bucketSource({ bucket, prefix, endpoint, region, credentials, selection });
    }
  }
}

const credentialsIn = async (keys: string | undefined): Promise<{ accessKeyId: string; secretAccessKey: string }> => ({
  accessKeyId: await readMounted(keys, 'access-key-id'),
  secretAccessKey: await readMounted(keys, 'secret-access-key'),
});
