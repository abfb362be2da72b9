import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Peers, REAL_BINARY } from './peers.ts';
import { KNOWN, withoutKnown } from './stories/known.ts';
import { cluster } from './stories/several.ts';
import { collections, points, profiles, service, snapshots } from './stories/single.ts';
import { type Line, type Story, Teller } from './stories/story.ts';

const STORIES: readonly Story[] = [service, collections, profiles, points, snapshots, cluster];

const recordOf = (story: Story): string =>
  join(import.meta.dirname, 'recorded', `${story.name.replaceAll(' ', '-')}.json`);

async function tell(story: Story): Promise<readonly Line[]> {
  const peers = new Peers();
  try {
    const started = await peers.cluster(story.peers);
    const ids = await Promise.all(started.map((peer) => peer.id()));
    const teller = new Teller(started, ids);
    await story.tell(teller);
    return teller.lines;
  } finally {
    await peers.close();
  }
}

const teller =
  REAL_BINARY === undefined
    ? 'the embedded engine tells them as a real server'
    : 'a real server tells them as recorded';

/** `RECORD=1` with a real server writes what it says. */
describe(teller, () => {
  for (const story of STORIES) {
    test(story.name, async (context) => {
      const told = await tell(story);
      if (REAL_BINARY !== undefined && process.env['RECORD'] !== undefined) {
        await writeFile(recordOf(story), `${JSON.stringify(told, undefined, 1)}\n`);
      }
      const record = JSON.parse(await readFile(recordOf(story), 'utf8')) as Line[];
      const isStale = told.length !== record.length || told.some(({ asked }, index) => asked !== record[index]?.asked);
      assert.ok(!isStale || REAL_BINARY === undefined, 'the record is of other requests');
      if (isStale) return context.diagnostic('these requests are not those of the record: RECORD=1 with a real server');
      for (const [index, line] of told.entries()) {
        const expected = record[index];
        assert.ok(expected !== undefined);
        if (REAL_BINARY !== undefined) assert.deepEqual(line, expected);
        else assert.deepEqual(withoutKnown(story.name, line), withoutKnown(story.name, expected));
      }
    });
  }
});

test('every known difference of the engine is written down', async () => {
  const text = await readFile(join(import.meta.dirname, '../../../docs/embedded-differences.md'), 'utf8');
  for (const { why } of KNOWN) assert.ok(text.includes(why), why);
});
