import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeptPoints } from '../../e2e/stage/faults/kept-points.ts';
import { SeededLoad } from '../../e2e/stage/faults/seeded-load.ts';
import type { LoadClient } from '../../sandbox/load/following-access.ts';
import type { ClusterClient, Point, PointId } from '../../src/qdrant/index.ts';

/** A collection in memory that can be made to break promises. */
class Shelf {
  readonly points = new Map<PointId, Point>();
  /** The ids of each, in their order. */
  readonly writes: (readonly PointId[])[] = [];
  /** Called before each write; may throw. */
  onWrite: () => void = () => {};
  onRead: () => void = () => {};
  readonly client: LoadClient = {
    upsert: async (_name: string, points: readonly Point[]) => {
      this.onWrite();
      this.writes.push(points.map(({ id }) => id));
      for (const point of points) this.points.set(point.id, point);
    },
    deletePoints: async (_name: string, { ids }: { readonly ids: readonly PointId[] }) => {
      this.onWrite();
      this.writes.push(ids);
      for (const id of ids) this.points.delete(id);
    },
    query: async () => [],
    retrieve: async (_name: string, ids: readonly PointId[]) => {
      this.onRead();
      return ids.flatMap((id) => this.points.get(id) ?? []);
    },
    scrollAll: async function* (this: Shelf) {
      yield* this.points.values();
    }.bind(this),
    close: async () => {},
  } as unknown as LoadClient;
}

const MIX = { points: 60, batch: 4, updates: 0.3, deletes: 0.2, pauseMilliseconds: 2 };

async function begun(shelf: Shelf, mix: Partial<typeof MIX> = {}): Promise<SeededLoad> {
  const load = new SeededLoad({ client: shelf.client, collection: 'docs', seed: 7, mix: { ...MIX, ...mix } });
  await load.begin();
  return load;
}

test('where promises are kept nothing is wrong, and the same seed writes the same', async () => {
  const written = async (): Promise<unknown[]> => {
    const shelf = new Shelf();
    const load = await begun(shelf);
    while (load.report.acknowledged < 40) await sleep(5);
    const report = await load.stop();
    assert.deepEqual([report.contradictions, report.failedReads, report.unknownWrites], [[], [], []]);
    const { lost, undeleted, phantoms, expected } = await load.verify();
    assert.deepEqual([lost, undeleted, phantoms], [[], [], []]);
    assert.equal(expected, shelf.points.size);
    return shelf.writes.slice(0, 40);
  };
  assert.deepEqual(await written(), await written());
});

test('a write that is lost, one that is undone, and one that nobody made are found', async () => {
  const shelf = new Shelf();
  const load = await begun(shelf);
  while (load.report.acknowledged < 30) await sleep(5);
  await load.stop();
  const deleted = Array.from({ length: 60 }, (_, index) => index + 1).find((id) => !shelf.points.has(id));
  const [lost] = shelf.points.keys();
  assert.ok(deleted !== undefined && lost !== undefined);
  shelf.points.delete(lost);
  shelf.points.set(deleted, { id: deleted, vector: [1], payload: { revision: 1 } });
  shelf.points.set(100_000, { id: 100_000, vector: [1], payload: { revision: 1 } });
  const verdict = await load.verify();
  assert.deepEqual([verdict.lost, verdict.undeleted, verdict.phantoms], [[lost], [deleted], [100_000]]);
});

test('a read that shows less than was acknowledged is told, with how long it lasted', async () => {
  const shelf = new Shelf();
  // Nothing is written while it lasts.
  const load = await begun(shelf, { pauseMilliseconds: 1500 });
  let away: ReadonlyMap<PointId, Point> | undefined;
  shelf.onRead = () => {
    for (const [id, point] of away ?? []) shelf.points.set(id, point);
    if (away === undefined) {
      away = new Map(shelf.points);
      shelf.points.clear();
    } else away = new Map();
  };
  while (load.report.contradictions.length === 0) await sleep(10);
  const [first] = (await load.stop()).contradictions;
  assert.ok(first?.found === undefined && first?.expected !== undefined && (first.lasted ?? 0) > 0);
});

test('a write that fails is unknown and sent again; a read that fails is told', async () => {
  const shelf = new Shelf();
  const load = await begun(shelf);
  let failures = 2;
  shelf.onWrite = () => {
    failures -= 1;
    if (failures >= 0) throw new Error('away');
  };
  let failedReads = 1;
  shelf.onRead = () => {
    failedReads -= 1;
    if (failedReads >= 0) throw new Error('nobody there');
  };
  const { acknowledged } = load.report;
  while (load.report.acknowledged < acknowledged + 3 || load.report.failedReads.length === 0) await sleep(10);
  const report = await load.stop();
  assert.deepEqual([report.repeatedWrites, report.unknownWrites, report.contradictions], [2, [], []]);
  assert.match(report.failedReads[0] ?? '', /nobody there/);
});

test('points that nobody has a reason to touch are missed when they are gone or others', async () => {
  const shelf = new Shelf();
  for (const [id, document] of ['a.md', 'b.md', 'c.md'].entries())
    shelf.points.set(id, { id, vector: [1], payload: { document, text: `of ${document}` } });
  const client = shelf.client as unknown as ClusterClient;
  const kept = await KeptPoints.begin({ client, collection: 'docs', documents: ['a.md', 'b.md'] });
  await sleep(300);
  shelf.points.delete(0);
  shelf.points.set(2, { id: 2, vector: [1], payload: { document: 'c.md', text: 'another' } });
  await sleep(300);
  const { reads, missed, failed } = await kept.stop();
  assert.ok(reads >= 2 && missed.length >= 1);
  assert.deepEqual([missed[0]?.documents, failed], [['a.md'], []]);
});
