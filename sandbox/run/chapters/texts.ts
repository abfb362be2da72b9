import { join } from 'node:path';
import type { Point } from '../../../src/qdrant/index.ts';
import { embed } from '../../embedder/hashing.ts';
import type { LibraryAccess } from '../../load/library-access.ts';
import { code, dependencies, documentation, type Passage } from '../corpus.ts';
import { ROOT } from '../examples.ts';
import { type Chapter, DIMENSIONS } from '../stage.ts';

export const texts: Chapter = {
  title: 'real text written and found again',
  play: async (stage, progress) => {
    const modules = join(ROOT, 'node_modules');
    const corpora = {
      documentation: await documentation(modules, 600),
      code: await code(modules, 600),
      dependencies: await dependencies(modules, 400),
    };
    for (const [library, passages] of Object.entries(corpora)) {
      progress(`${library}: ${passages.length} passages`);
      await stage.using(library, async (access) => {
        await access.client.upsert(access.collection, passages.map(pointOf));
        stage.written.set(library, passages.length);
        const { label, found } = await search(access, passages);
        stage.facts.check(`search in ${library} finds`, label, found);
      });
    }
  },
};

const pointOf = ({ id, text, payload }: Passage): Point => ({
  id,
  vector: embed(text, DIMENSIONS),
  payload: { ...payload, text },
});

/** Looks for the passage in the middle by its own text. */
async function search({ client, collection }: LibraryAccess, passages: readonly Passage[]) {
  const asked = passages[Math.floor(passages.length / 2)];
  if (asked === undefined) throw new Error('no text was found');
  const query = embed(asked.text, DIMENSIONS);
  const [hit] = await client.query(collection, { query, limit: 1, with_payload: true });
  const label = String(asked.payload['heading'] ?? asked.payload['package'] ?? asked.payload['path']);
  return { label: label.slice(0, 60), found: hit !== undefined && hit.score > 0.99 };
}
