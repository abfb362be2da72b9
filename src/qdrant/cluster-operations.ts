import type { Call } from './call.ts';
import { unexpected } from './faults.ts';
import type { PeerTransport, RestRequest } from './peer-transport.ts';
import { isObject, part, restCall } from './rest.ts';
import type { CallOptions, Schemas } from './types.ts';

export type Readiness = { readonly ready: boolean; readonly message: string };

/** Operations on a cluster and its peers. */
export abstract class ClusterOperations {
  protected abstract run<T>(call: Call<T>, options?: CallOptions): Promise<T>;

  /** The version a peer runs, like `1.18.3`. Needs no key. */
  version(options?: CallOptions): Promise<string> {
    return this.run(VERSION, options);
  }

  /**
   * The peer's own `/readyz`. It latches: once ready it stays so, whatever happens (S9), so it says only that a
   * peer has started, never that it is healthy. On a cluster of several peers ask one by name.
   */
  readyz(options?: CallOptions): Promise<Readiness> {
    return this.run(READYZ, { attempts: 1, ...options });
  }

  /** Membership and consensus as the answering peer sees them. */
  cluster(options?: CallOptions): Promise<Schemas['ClusterStatus']> {
    return this.run(
      restCall({
        operation: 'cluster_status',
        kind: 'read',
        safety: 'read',
        method: 'GET',
        path: '/cluster',
        shape: 'object',
      }),
      options,
    );
  }

  /**
   * All peers' state collected by one of them. Since Qdrant 1.17; shards and transfers from level 3.
   *
   * @param patience seconds that Qdrant waits for its peers; by its own default when not given
   */
  clusterTelemetry({
    level = 3,
    patience,
    ...options
  }: CallOptions & { level?: number; patience?: number } = {}): Promise<Schemas['DistributedTelemetryData']> {
    const query = { details_level: level, ...(patience === undefined ? {} : { timeout: patience }) };
    return this.run(
      restCall({
        operation: 'cluster_telemetry',
        kind: 'read',
        safety: 'read',
        method: 'GET',
        path: '/cluster/telemetry',
        query,
        shape: 'object',
      }),
      options,
    );
  }

  /** One peer's telemetry. Level 3 shows shards, 4 segments. */
  telemetry(level = 1, options?: CallOptions): Promise<Schemas['TelemetryData']> {
    const query = { details_level: level };
    return this.run(
      restCall({
        operation: 'telemetry',
        kind: 'read',
        safety: 'read',
        onePeer: true,
        method: 'GET',
        path: '/telemetry',
        query,
        shape: 'object',
      }),
      options,
    );
  }

  /** One peer's metrics in Prometheus' text format. */
  metrics({ perCollection, ...options }: CallOptions & { perCollection?: boolean } = {}): Promise<string> {
    const request: RestRequest = { method: 'GET', path: '/metrics', query: { per_collection: perCollection } };
    return this.run(
      {
        operation: 'metrics',
        kind: 'read',
        safety: 'read',
        onePeer: true,
        attempt: async (peer, attempt) => (await peer.request(request, attempt)).text,
      },
      options,
    );
  }

  /**
   * Takes a peer out of the cluster. `force` drops its shards even where they are the last copy (S3): look at
   * `readableElsewhere` first. An unknown id is answered with success (S11): look at the membership afterwards.
   */
  removePeer(
    peerId: number | bigint,
    { force = false, ...options }: CallOptions & { force?: boolean } = {},
  ): Promise<boolean> {
    const path = `/cluster/peer/${part(peerId, 'remove_peer')}`;
    return this.run(
      restCall({
        operation: 'remove_peer',
        kind: 'consensus',
        safety: 'once',
        method: 'DELETE',
        path,
        query: { force },
        shape: 'boolean',
      }),
      options,
    );
  }

  /** Asks this peer to fetch the consensus state from the leader. Does nothing for shards. */
  recoverPeer(options?: CallOptions): Promise<boolean> {
    return this.run(
      restCall({
        operation: 'recover_peer',
        kind: 'consensus',
        safety: 'once',
        onePeer: true,
        method: 'POST',
        path: '/cluster/recover',
        shape: 'boolean',
      }),
      options,
    );
  }
}

const VERSION: Call<string> = {
  operation: 'version',
  kind: 'health',
  safety: 'read',
  attempt: async (peer, attempt) => {
    const { status, text } = await peer.request({ method: 'GET', path: '/' }, attempt);
    const version = versionOf(text);
    if (version === undefined)
      throw unexpected(status, 'what answers is not a Qdrant: no version', peer.origin(attempt));
    return version;
  },
};

function versionOf(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return isObject(body) && typeof body['version'] === 'string' ? body['version'] : undefined;
  } catch {
    return undefined;
  }
}

const READYZ: Call<Readiness> = {
  operation: 'readyz',
  kind: 'health',
  safety: 'read',
  onePeer: true,
  attempt: async (peer: PeerTransport, attempt) => {
    const { status, text } = await peer.request({ method: 'GET', path: '/readyz' }, attempt, [503]);
    return { ready: status === 200, message: text.trim().slice(0, 200) };
  },
};
