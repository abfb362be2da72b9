import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSnapshotName, snapshotName } from '../../../src/library/snapshots/keys.ts';
import { pairShards } from '../../../src/library/snapshots/pair-shards.ts';
import { leftObjects, leftUploads, manifestsIn, type SweepSubject } from '../../../src/library/snapshots/sweep.ts';
import { manifest, NOW } from './given.ts';

const base = 'backups/team/docs/';
const NAME = 'docs-20260131t000000z';
const mine = `${base}${NAME}/uid-1-run/shard-0.snapshot`;
const subject = (change: Partial<SweepSubject> = {}): SweepSubject => ({
  base,
  library: 'docs',
  uid: 'uid-1',
  spare: new Set(),
  parts: new Map(),
  ...change,
});
const left = (key: string, change: Partial<SweepSubject> = {}): boolean =>
  leftObjects([{ key, bytes: 1 }], subject(change)).length === 1;

test('only a part that this library made and that no manifest names is swept', () => {
  assert.ok(left(mine));
  assert.ok(!left(mine, { parts: new Map([[NAME, new Set([mine])]]) }));
  assert.ok(left(mine, { parts: new Map([[NAME, new Set([`${base}${NAME}/uid-1-other/shard-0.snapshot`])]]) }));
  assert.ok(!left(mine, { spare: new Set([NAME]) }));
  assert.ok(!left(mine, { uid: 'uid-2' }));
  for (const key of [
    `${base}${NAME}/manifest.json`,
    `${base}notes.txt`,
    `${base}${NAME}/uid-1-run/other.txt`,
    `${base}${NAME}/uid-1-run/deeper/shard-0.snapshot`,
    `${base}someone/uid-1-run/shard-0.snapshot`,
    `backups/team/docs-too/${NAME}/uid-1-run/shard-0.snapshot`,
    `other/${NAME}/uid-1-run/shard-0.snapshot`,
  ]) {
    assert.ok(!left(key), key);
  }
});

test('of open uploads the same are aborted', () => {
  const uploads = [
    { key: mine, id: '1' },
    { key: `${base}${NAME}/uid-2-run/shard-0.snapshot`, id: '2' },
  ];
  assert.deepEqual(
    leftUploads(uploads, subject()).map(({ id }) => id),
    ['1'],
  );
});

test('snapshots are those folders that have a manifest', () => {
  const keys = [`${base}${NAME}/manifest.json`, mine, `${base}manifest.json`, `${base}x/y/manifest.json`];
  assert.deepEqual(
    manifestsIn(
      keys.map((key) => ({ key, bytes: 1 })),
      base,
    ),
    [NAME],
  );
});

test('names tell the library and the second', () => {
  assert.equal(snapshotName('docs', NOW), 'docs-20260201t000000z');
  assert.ok(isSnapshotName('docs', 'docs-20260201t000000z'));
  for (const name of ['docs-too-20260201t000000z', 'docs', 'docs-20260201', 'doc-s-20260201t000000z']) {
    assert.ok(!isSnapshotName('docs', name), name);
  }
});

const placed = (shard: number, key?: string) => ({
  shard,
  ...(key === undefined ? {} : { key }),
  peerIds: [1],
  active: ['main-0'],
  owners: ['main-0'],
});
const saved = (...shards: readonly { readonly shard: number; readonly key?: string }[]) =>
  manifest({
    layout: shards.map((each) => ({ ...each, replicas: [1] })),
    parts: shards.map((each) => ({
      ...each,
      peer: 'main-0',
      file: `f${each.shard}`,
      bytes: 1,
      sha256: 'a'.repeat(64),
    })),
  });

test('parts go where ids are the same again; a key of one shard may have another id', () => {
  const plain = pairShards(saved({ shard: 0 }, { shard: 1 }), [placed(1), placed(0)]);
  assert.deepEqual(
    plain.map(({ part, shard }) => [part.shard, shard.shard]),
    [
      [0, 0],
      [1, 1],
    ],
  );
  const keyed = pairShards(saved({ shard: 2, key: 'a' }, { shard: 3, key: 'b' }), [placed(1, 'a'), placed(2, 'b')]);
  assert.deepEqual(
    keyed.map(({ part, shard }) => [part.shard, shard.shard]),
    [
      [2, 1],
      [3, 2],
    ],
  );
});

test('another layout, several shards of a key under other ids and a missing part are refused', () => {
  assert.throws(() => pairShards(saved({ shard: 0 }), [placed(0), placed(1)]), { reason: 'LayoutDiffers' });
  const twice = saved({ shard: 3, key: 'a' }, { shard: 4, key: 'a' });
  assert.throws(() => pairShards(twice, [placed(1, 'a'), placed(2, 'a')]), { reason: 'LayoutDiffers', lasting: true });
  const lacking = { ...saved({ shard: 0 }, { shard: 1 }), parts: saved({ shard: 0 }).parts };
  assert.throws(() => pairShards(lacking, [placed(0), placed(1)]), { reason: 'PartMissing', lasting: true });
});
