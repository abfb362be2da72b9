/** Writes vectors one after the other into the directory given, tells each that was written, and never ends. */
import { cacheKey, FileCache, textHash } from '../../../src/vectorize/embed/index.ts';

const cache = await FileCache.open({ directory: process.argv[2] ?? '', maxBytes: 1e8 });
const scope = { protocol: 'OpenAI', model: 'm', dimensions: 3, prefix: 'p: ' } as const;
for (let index = 0; ; index += 1) {
  const vector = Float32Array.from({ length: 8 }, (_, place) => index + place / 7);
  await cache.put([{ key: cacheKey(scope, textHash(`text ${index}`)), vector }]);
  process.send?.(index + 1);
}
