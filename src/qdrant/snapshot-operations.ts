import type { Attempt } from './attempt.ts';
import type { Call } from './call.ts';
import { CollectionOperations } from './collection-operations.ts';
import type { PeerTransport, RestRequest } from './peer-transport.ts';
import { part, restCall } from './rest.ts';
import { type Download, readDownload, type Upload, uploadBody } from './snapshot-stream.ts';
import type { CallOptions, Schemas, Timeouts } from './types.ts';

/** A collection, or one of its shards. */
export type SnapshotScope = string | { readonly collection: string; readonly shard: number };
export type Snapshot = Schemas['SnapshotDescription'];
/**
 * Who wins where replicas differ; there is no default, for the server's and its documentation differ.
 * `snapshot`: the snapshot, other replicas follow it. `replica`: replicas elsewhere, this one follows them.
 * `no_sync`: only this replica changes.
 */
export type SnapshotPriority = Schemas['SnapshotPriority'];
export type RecoverOptions = CallOptions & {
  readonly priority: SnapshotPriority;
  /** SHA-256 in hex that Qdrant compares first. */
  readonly checksum?: string;
  /** False: the call returns when the work is accepted; how it ended can be seen only from the collection. */
  readonly wait?: boolean;
};
export type RecoverFromOptions = RecoverOptions & {
  /** `http(s)://...`, or `file:///...` inside the peer's snapshot directory. */
  readonly location: string;
  /** Sent to a location that is another Qdrant. */
  readonly apiKey?: string;
};
export type DownloadOptions = CallOptions & { readonly checksum?: string };

/**
 * Snapshots. Every peer holds only those of its own shards, so all of these are asked of one peer.
 * Shard-level recovery checks no compatibility (S6): compare `config.params` before.
 */
export abstract class SnapshotOperations extends CollectionOperations {
  protected abstract readonly timeouts: Timeouts;

  async listSnapshots(scope: SnapshotScope, options?: CallOptions): Promise<Snapshot[]> {
    const path = snapshotsPath(scope, 'list_snapshots');
    return this.run(
      restCall({
        operation: 'list_snapshots',
        kind: 'read',
        safety: 'read',
        onePeer: true,
        method: 'GET',
        path,
        shape: 'array',
      }),
      options,
    );
  }

  /** Names have a resolution of one second: two snapshots of one collection within it overwrite each other (S7). */
  async createSnapshot(scope: SnapshotScope, options?: CallOptions): Promise<Snapshot> {
    const path = snapshotsPath(scope, 'create_snapshot');
    const query = { wait: true };
    return this.run(
      restCall({
        operation: 'create_snapshot',
        kind: 'snapshot',
        safety: 'once',
        onePeer: true,
        method: 'POST',
        path,
        query,
        shape: 'object',
      }),
      options,
    );
  }

  /** Returns when the work is accepted; the snapshot shows in `listSnapshots` when it is done. */
  async startSnapshot(scope: SnapshotScope, options?: CallOptions): Promise<void> {
    const request: RestRequest = {
      method: 'POST',
      path: snapshotsPath(scope, 'start_snapshot'),
      query: { wait: false },
    };
    await this.run(
      accepted('start_snapshot', 'consensus', (peer, attempt) => peer.request(request, attempt)),
      options,
    );
  }

  async deleteSnapshot(scope: SnapshotScope, name: string, options?: CallOptions): Promise<boolean> {
    const path = `${snapshotsPath(scope, 'delete_snapshot')}/${part(name, 'delete_snapshot')}`;
    const query = { wait: true };
    return this.run(
      restCall({
        operation: 'delete_snapshot',
        kind: 'bulk',
        safety: 'once',
        onePeer: true,
        method: 'DELETE',
        path,
        query,
        shape: 'boolean',
      }),
      options,
    );
  }

  /** Makes this peer fetch a snapshot and put it in the place of its data. */
  async recoverSnapshot(scope: SnapshotScope, options: RecoverFromOptions): Promise<void> {
    const { location, priority, checksum, apiKey, wait = true } = options;
    const request: RestRequest = {
      method: 'PUT',
      path: `${snapshotsPath(scope, 'recover_snapshot')}/recover`,
      query: { wait },
      body: JSON.stringify({ location, priority, checksum, api_key: apiKey }),
      // A presigned location carries its credentials in the query.
      secrets: [apiKey ?? '', location.split('?')[1] ?? ''],
    };
    await this.run(
      accepted('recover_snapshot', 'snapshot', (peer, attempt) => peer.request(request, attempt)),
      options,
    );
  }

  /** The file as a stream. Its checksum comes from `listSnapshots` when not given; snapshots in S3 have none. */
  async downloadSnapshot(scope: SnapshotScope, name: string, options: DownloadOptions = {}): Promise<Download> {
    const path = `${snapshotsPath(scope, 'download_snapshot')}/${part(name, 'download_snapshot')}`;
    const checksum = options.checksum ?? (await this.#checksum(scope, name, options));
    return this.#download({ operation: 'download_snapshot', path, checksum }, options);
  }

  /** A shard's state as a stream, without a file on the server: no length and no checksum are known before its end. */
  async streamShardSnapshot(collection: string, shard: number, options: DownloadOptions = {}): Promise<Download> {
    const path = `${scopePath({ collection, shard }, 'stream_shard_snapshot')}/snapshot`;
    return this.#download({ operation: 'stream_shard_snapshot', path, checksum: options.checksum }, options);
  }

  /** Sends a snapshot as it is read and puts it in the place of this peer's data. Sent once: a stream can't be rewound. */
  async uploadSnapshot(scope: SnapshotScope, upload: Upload, options: RecoverOptions): Promise<void> {
    const { priority, checksum, wait = true } = options;
    const { contentType, contentLength, stream, sourceError } = uploadBody(upload, this.timeouts.snapshotTotal);
    const request: RestRequest = {
      method: 'POST',
      path: `${snapshotsPath(scope, 'upload_snapshot')}/upload`,
      query: { priority, wait, checksum },
      body: stream,
      contentType,
      ...(contentLength === undefined ? {} : { contentLength }),
    };
    const send = async (peer: PeerTransport, attempt: Attempt): Promise<unknown> => {
      try {
        return await peer.request(request, attempt);
      } catch (error) {
        throw sourceError() ?? error;
      }
    };
    await this.run(accepted('upload_snapshot', 'stream', send), { ...options, attempts: 1 });
  }

  async #checksum(scope: SnapshotScope, name: string, options: CallOptions): Promise<string | undefined> {
    const listed = await this.listSnapshots(scope, options);
    return listed.find((snapshot) => snapshot.name === name)?.checksum ?? undefined;
  }

  async #download(
    what: { operation: string; path: string; checksum: string | undefined },
    options: CallOptions,
  ): Promise<Download> {
    const { operation, path, checksum } = what;
    const attempt: Call<Download>['attempt'] = async (peer, context) =>
      readDownload(await peer.stream({ method: 'GET', path }, context), { peer, attempt: context, checksum });
    return this.run({ operation, kind: 'stream', safety: 'read', onePeer: true, attempt }, options);
  }
}

const scopePath = (scope: SnapshotScope, operation: string): string =>
  typeof scope === 'string'
    ? `/collections/${part(scope, operation)}`
    : `/collections/${part(scope.collection, operation)}/shards/${part(scope.shard, operation)}`;

const snapshotsPath = (scope: SnapshotScope, operation: string): string => `${scopePath(scope, operation)}/snapshots`;

/** A change of which any 2xx answer, 202 included, says that it is done or accepted. */
const accepted = (
  operation: string,
  kind: Call<unknown>['kind'],
  attempt: Call<unknown>['attempt'],
): Call<unknown> => ({
  operation,
  kind,
  safety: 'once',
  onePeer: true,
  attempt,
});
