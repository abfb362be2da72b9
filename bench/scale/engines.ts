import { join } from 'node:path';
import { startNode } from '../../sandbox/qdrant/node.ts';
import { readSettings } from '../../sandbox/qdrant/settings.ts';

// A hundred clusters of one peer each in one process: as processes of their own they would need gigabytes.
//
//     node bench/scale/engines.ts <directory> <address>...
//
// Says `ready` when all answer; the API key comes from QDRANT__SERVICE__API_KEY.

const [directory = '.', ...addresses] = process.argv.slice(2);
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => process.exit(0));

for (const address of addresses) {
  const settings = readSettings(
    {
      ...process.env,
      QDRANT__SERVICE__HOST: address,
      // External clusters are named by one address, which is REST.
      QDRANT__SERVICE__GRPC_PORT: 'null',
      QDRANT__CLUSTER__ENABLED: 'true',
      QDRANT__STORAGE__STORAGE_PATH: join(directory, address, 'storage'),
      QDRANT__STORAGE__SNAPSHOTS_PATH: join(directory, address, 'snapshots'),
    },
    undefined,
  );
  await startNode(settings, { uri: `http://${address}:6335`, bootstrap: undefined });
}
process.stdout.write('ready\n');
