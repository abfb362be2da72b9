import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { startObjectStore } from '../../../sandbox/object-store/server.ts';
import { type BucketOptions, bucketSource } from '../../../src/vectorize/source/bucket.ts';
import { selectionOf } from '../../../src/vectorize/source/selection.ts';
import { listed, MEGABYTE, never, textOf } from './files.ts';

const directory = mkdtempSync(join(tmpdir(), 'bucket-'));
const store = await startObjectStore({ directory });
const { accessKeyId, secretAccessKey, region, bucket, url: endpoint } = store;
const credentials = { accessKeyId, secretAccessKey };
const client = new S3Client({ region, endpoint, forcePathStyle: true, credentials });
after(async () => {
  client.destroy();
  await store.stop();
  rmSync(directory, { recursive: true });
});

const put = (key: string, text: string) =>
  client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: text, ContentLength: text.length }));
const source = (change: Partial<BucketOptions> = {}) =>
  bucketSource({ bucket, prefix: 'docs/', endpoint, region, credentials, selection: selectionOf([], []), ...change });

test('objects are named by what follows the prefix, page by page', async () => {
  for (let n = 0; n < 1005; n += 1) await put(`docs/many/${n}.txt`, 'x');
  for (const [key, text] of [
    ['docs/a.md', '# A'],
    ['docs/b/c.md', '# C'],
    ['docs/b/', ''],
    ['other/x.md', ''],
  ] as const) {
    await put(key, text);
  }
  const { paths, end } = await listed(source({ selection: selectionOf([], ['many/**']) }));
  assert.deepEqual(paths, ['a.md', 'b/c.md']);
  assert.equal(end.complete, true);
  assert.equal(await textOf(source(), 'b/c.md'), '# C');
  assert.equal((await source().list(never)).total, 1007);
});

test('an object that has not changed is not read again; one that is too large or gone is named', async () => {
  await put('docs/a.md', '# A');
  const some = source();
  const options = { maxBytes: MEGABYTE, signal: never };
  const first = await some.read({ path: 'a.md' }, options);
  assert.ok(first?.validator !== undefined);
  assert.equal(await some.read({ path: 'a.md' }, { ...options, known: first.validator }), undefined);
  await put('docs/a.md', '# A, changed');
  const second = await some.read({ path: 'a.md' }, { ...options, known: first.validator });
  assert.equal(Buffer.from(second?.bytes ?? []).toString(), '# A, changed');
  await assert.rejects(some.read({ path: 'a.md' }, { ...options, maxBytes: 3 }), { reason: 'TooLarge' });
  await assert.rejects(some.read({ path: 'gone.md' }, options), { reason: 'Vanished' });
});

test('a bucket that is not there, refuses or is cut off fails the source by name', async () => {
  await assert.rejects(source({ bucket: 'nowhere' }).list(never), { reason: 'SourceMissing' });
  const wrong = { accessKeyId, secretAccessKey: 'canary-4711' };
  await assert.rejects(source({ credentials: wrong }).list(never), (error: Error & { reason?: string }) => {
    assert.equal(error.reason, 'SourceUnauthorized');
    assert.doesNotMatch(error.message, /canary/);
    return true;
  });
  await assert.rejects(source({ endpoint: 'http://127.0.0.1:1' }).list(never), { reason: 'SourceUnreachable' });
});
