import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Watchdog } from '../../sandbox/node/watchdog.ts';
import type { ObjectStore } from '../ground.ts';
import { Daemon } from './control-plane/daemon.ts';
import { freePort } from './control-plane/free-port.ts';
import { type StoreFaults, startStoreFaults } from './store-faults.ts';

export type ObjectStoreOptions = {
  /** The executable of versitygw. */
  readonly file: string;
  /** For its data and log; does not exist yet. */
  readonly directory: string;
  readonly address: string;
};

const REGION = 'us-east-1';
const BUCKET = 'scenarios';

/** A real S3 server with one empty bucket, over plain HTTP; it can be struck with faults. */
export async function startObjectStore({
  file,
  directory,
  address,
}: ObjectStoreOptions): Promise<ObjectStore & Pick<StoreFaults, 'strike'> & { stop(): Promise<void> }> {
  // A directory below the first is a bucket.
  await mkdir(join(directory, 'data', BUCKET), { recursive: true });
  await mkdir(join(directory, 'metadata'));
  const credentials = { accessKeyId: 'scenarios', secretAccessKey: randomBytes(24).toString('hex') };
  const host = `${address}:${await freePort(address)}`;
  const watchdog = new Watchdog();
  const daemon = await Daemon.start({
    name: 'versitygw',
    file,
    directory,
    watchdog,
    environment: { ROOT_ACCESS_KEY: credentials.accessKeyId, ROOT_SECRET_KEY: credentials.secretAccessKey },
    arguments: [
      `--port=${host}`,
      `--region=${REGION}`,
      '--quiet',
      'posix',
      `--sidecar=${join(directory, 'metadata')}`,
      join(directory, 'data'),
    ],
  });
  let faults: StoreFaults | undefined;
  const stop = async (): Promise<void> => {
    await faults?.close();
    await daemon.kill();
    await watchdog.close();
  };
  try {
    // It knows nobody without a signature.
    await daemon.untilReady(async () => (await fetch(`http://${host}`)).status === 403);
    const bucketFolder = join(directory, 'data', BUCKET);
    faults = await startStoreFaults({ address, upstream: host, bucketFolder, away: join(directory, 'away') });
    const { url, strike } = faults;
    return { url, region: REGION, bucket: BUCKET, ...credentials, strike, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
