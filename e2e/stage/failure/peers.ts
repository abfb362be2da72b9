import type { QdrantCluster } from '../../../src/api/index.ts';
import { ClusterClient, connectionOf, stringifyJson } from '../../../src/qdrant/index.ts';
import type { Inquiry } from './inquiry.ts';

/** Of telemetry: shards and segments. */
const LEVEL = 4;

export type SecretData = (name: string) => Readonly<Record<string, string>> | undefined;

/** What every peer of a cluster says of the cluster and of itself. */
export async function inquirePeers(inquiry: Inquiry, cluster: QdrantCluster, secretData: SecretData): Promise<void> {
  const folder = `qdrant/${cluster.metadata.name}`;
  const result = connectionOf(cluster, secretData);
  if (!result.ok) {
    inquiry.troubles.push(`${folder}: ${result.reason} ${result.message}`);
    return;
  }
  const client = new ClusterClient(result.connection);
  const once = { signal: inquiry.signal, attempts: 1 };
  try {
    await Promise.all(
      client.peers.flatMap((peer) => {
        const place = `${folder}/${peer.name}`;
        return [
          keep(inquiry, `${place}/cluster.json`, () => peer.cluster(once)),
          keep(inquiry, `${place}/telemetry.json`, () => peer.telemetry(LEVEL, once)),
          keep(inquiry, `${place}/aliases.json`, () => peer.aliases(once)),
        ];
      }),
    );
  } finally {
    await inquiry.ask(`${folder}: end of connections`, () => client.close());
  }
}

async function keep(inquiry: Inquiry, file: string, ask: () => Promise<unknown>): Promise<void> {
  const value = await inquiry.ask(file, ask);
  if (value !== undefined) inquiry.files.set(file, `${indented(stringifyJson(value))}\n`);
}

/** Numbers beyond 2^53 stay as they came. */
const indented = (json: string): string =>
  JSON.stringify(
    JSON.parse(json, (_key, value: unknown, context?: { source: string }) =>
      typeof value === 'number' &&
      context !== undefined &&
      !Number.isSafeInteger(value) &&
      !/[.eE]/.test(context.source)
        ? context.source
        : value,
    ),
    undefined,
    2,
  );
