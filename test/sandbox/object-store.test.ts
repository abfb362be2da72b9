import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { CreateMultipartUploadCommand, GetObjectTaggingCommand, S3Client } from '@aws-sdk/client-s3';
import { startObjectStore as startVersitygw } from '../../e2e/grounds/object-store.ts';
import { toolAtHand } from '../../e2e/tools/tools.ts';
import { type StoreFault, startObjectStore } from '../../sandbox/object-store/server.ts';
import { type Bucket, openBucket } from '../../src/library/snapshots/bucket.ts';
import { TaskFailure } from '../../src/library/snapshots/failure.ts';

type Store = {
  readonly url: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  strike(fault: StoreFault | undefined): Promise<void> | void;
  stop(): Promise<void>;
};

const directory = await mkdtemp(join(tmpdir(), 'object-store-'));
after(() => rm(directory, { recursive: true, force: true }));

const real = await toolAtHand('versitygw');

/** One suite for both: what differs is a defect of the embedded one. */
const STORES: readonly { readonly name: string; readonly start: () => Promise<Store>; readonly skip?: string }[] = [
  { name: 'embedded', start: () => startObjectStore({ directory: join(directory, 'embedded') }) },
  {
    name: 'versitygw',
    start: () => startVersitygw({ file: real ?? '', directory: join(directory, 'real'), address: '127.0.0.1' }),
    ...(real === undefined ? { skip: 'versitygw is not built: npm run e2e:assets' } : {}),
  },
];

const opened = (store: Store, change: { readonly bucket?: string; readonly secretAccessKey?: string } = {}): Bucket =>
  openBucket(
    { bucket: change.bucket ?? store.bucket, prefix: '', endpoint: store.url, region: store.region, credentials: true },
    { accessKeyId: store.accessKeyId, secretAccessKey: change.secretAccessKey ?? store.secretAccessKey },
  );

const never = new AbortController().signal;
const refused = (reason: string) => (error: unknown) => error instanceof TaskFailure && error.reason === reason;
/** More than a part of an upload, which is 8 MiB. */
const LARGE = 9 * 1024 * 1024;

for (const { name, start, skip } of STORES) {
  test(`${name}: what snapshots ask of a bucket`, { ...(skip === undefined ? {} : { skip }) }, async (context) => {
    const store = await start();
    const bucket = opened(store);
    context.after(async () => {
      bucket.close();
      await store.stop();
    });
    const small = randomBytes(1000);
    const large = randomBytes(LARGE);

    await context.test('objects come back as they went in, in one piece and in parts', async () => {
      await bucket.put('a/b/small', Readable.from([small]), { bytes: small.length, signal: never });
      await bucket.put('a/b/large', Readable.from([large.subarray(0, 5_000_000), large.subarray(5_000_000)]), {
        bytes: large.length,
        signal: never,
      });
      assert.deepEqual(await buffer(await bucket.get('a/b/small')), small);
      assert.ok((await buffer(await bucket.get('a/b/large'))).equals(large));
      await bucket.putText('a/manifest with blanks+.json', '{"a": "ä & <b>"}');
      assert.equal(await bucket.getText('a/manifest with blanks+.json'), '{"a": "ä & <b>"}');
    });

    await context.test('what is there is listed and measured, what is not is not', async () => {
      assert.deepEqual(await bucket.list('a/'), [
        { key: 'a/b/large', bytes: LARGE },
        { key: 'a/b/small', bytes: 1000 },
        { key: 'a/manifest with blanks+.json', bytes: 17 },
      ]);
      assert.equal(await bucket.size('a/b/large'), LARGE);
      assert.equal(await bucket.size('a/none'), undefined);
      assert.equal(await bucket.getText('a/none'), undefined);
      assert.deepEqual(await bucket.list('none/'), []);
      await assert.rejects(bucket.get('a/none'), refused('PartMissing'));
    });

    await context.test('an upload that was left open is found and aborted', async () => {
      const client = new S3Client({
        endpoint: store.url,
        region: store.region,
        forcePathStyle: true,
        credentials: { accessKeyId: store.accessKeyId, secretAccessKey: store.secretAccessKey },
      });
      await client.send(new CreateMultipartUploadCommand({ Bucket: store.bucket, Key: 'a/open' }));
      client.destroy();
      const uploads = await bucket.openUploads('a/');
      assert.deepEqual(
        uploads.map(({ key }) => key),
        ['a/open'],
      );
      for (const upload of uploads) await bucket.abort(upload);
      assert.deepEqual(await bucket.openUploads('a/'), []);
    });

    await context.test('a stream that breaks leaves neither an object nor an open upload', async () => {
      const broken = Readable.from(
        (function* () {
          yield large;
          throw new Error('broken on purpose');
        })(),
      );
      await assert.rejects(bucket.put('a/broken', broken, { bytes: LARGE, signal: never }), /broken on purpose/);
      assert.equal(await bucket.size('a/broken'), undefined);
      assert.deepEqual(await bucket.openUploads('a/'), []);
    });

    await context.test('a wrong key and a bucket that is not there are told apart', async () => {
      const stranger = opened(store, { secretAccessKey: 'wrong' });
      await assert.rejects(stranger.list('a/'), refused('BucketDenied'));
      await assert.rejects(stranger.putText('a/x', 'x'), refused('BucketDenied'));
      stranger.close();
      const nowhere = opened(store, { bucket: 'nowhere' });
      await assert.rejects(nowhere.list('a/'), refused('BucketMissing'));
      await assert.rejects(nowhere.size('a/x'), refused('BucketMissing'));
      await assert.rejects(nowhere.getText('a/x'), refused('BucketMissing'));
      await assert.rejects(nowhere.get('a/x'), refused('BucketMissing'));
      await assert.rejects(nowhere.putText('a/x', 'x'), refused('BucketMissing'));
      nowhere.close();
    });

    await context.test('what a fault spoils is told, and only while it lasts', async () => {
      for (const [fault, reason] of [
        ['deny', 'BucketDenied'],
        ['gone', 'BucketMissing'],
        ['cut', 'BucketUnreachable'],
      ] as const) {
        await store.strike(fault);
        await assert.rejects(bucket.list('a/'), refused(reason), fault);
        await assert.rejects(bucket.putText('a/x', 'x'), refused(reason), fault);
        const some = Readable.from([large]);
        await assert.rejects(bucket.put('a/x', some, { bytes: LARGE, signal: never }), refused(reason), fault);
        await store.strike(undefined);
        assert.equal(await bucket.size('a/x'), undefined);
      }
      await store.strike('truncate');
      await bucket.put('a/half', Readable.from([small]), { bytes: small.length, signal: never });
      await bucket.put('a/large half', Readable.from([large]), { bytes: LARGE, signal: never });
      await store.strike(undefined);
      assert.equal(await bucket.size('a/half'), small.length / 2);
      assert.equal(await bucket.size('a/large half'), LARGE / 2);
      assert.equal(await bucket.size('a/b/large'), LARGE, 'what lay in it is there again');
      for (const key of ['a/half', 'a/large half']) await bucket.remove(key);
    });

    await context.test('deleting is done once it is answered, and twice does no harm', async () => {
      await bucket.remove('a/b/small');
      await bucket.remove('a/b/small');
      assert.equal(await bucket.size('a/b/small'), undefined);
    });
  });
}

test('what is not built is answered 501, and a service that is away is told', async () => {
  const store = await startObjectStore({ directory: join(directory, 'other') });
  const client = new S3Client({
    endpoint: store.url,
    region: store.region,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: store.accessKeyId, secretAccessKey: store.secretAccessKey },
  });
  await assert.rejects(client.send(new GetObjectTaggingCommand({ Bucket: store.bucket, Key: 'x' })), {
    name: 'NotImplemented',
  });
  client.destroy();
  const bucket = opened(store);
  await store.stop();
  await assert.rejects(bucket.list('a/'), refused('BucketUnreachable'));
  bucket.close();
});
