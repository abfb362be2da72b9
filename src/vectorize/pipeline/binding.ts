import type { Connection } from '../../qdrant/index.ts';
import type { TargetConfig } from '../config.ts';
import { readMounted, readOptional } from '../mounted.ts';

/** Where a library is, and under which name. */
export type Address = { readonly connection: Connection; readonly collection: string };

/** The library's binding as it is mounted now: it follows a move. @throws RunEnd for a Secret that is none */
export async function readBinding(directory: string | undefined, target: TargetConfig): Promise<Address> {
  const uri = await readMounted(directory, 'uri');
  const [collection, apiKey, ca] = await Promise.all(
    ['collection', 'api-key', 'ca.crt'].map((file) => readOptional(directory, file)),
  );
  const known = uri === target.uri ? target.peers : undefined;
  const peers = known?.map(({ name, rest, grpc }) => ({ name, rest, ...(grpc === undefined ? {} : { grpc }) }));
  return {
    collection: collection ?? target.collection,
    connection: {
      peers: peers ?? [{ name: new URL(uri).host, rest: uri }],
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(ca === undefined ? {} : { tls: { ca } }),
    },
  };
}
