import { ClusterOperations } from './cluster-operations.ts';
import { refuseUnsafeDatatypes } from './datatypes.ts';
import { isQdrantError } from './errors.ts';
import { unexpected } from './faults.ts';
import { part, restCall } from './rest.ts';
import type { CallOptions, Schemas, ShardKey } from './types.ts';

/** Seconds that Qdrant itself waits for its consensus; its default is 10. */
export type ConsensusOptions = CallOptions & { readonly serverTimeout?: number };

export type AliasAction = Schemas['AliasOperations'];
export type Alias = { readonly alias: string; readonly collection: string };
export type PayloadFieldSchema = Schemas['PayloadFieldSchema'];
/** What a vector can't change any more. Index, quantization and place are for `updateCollection`, afterwards. */
export type NewVector = Schemas['VectorNameConfig'];

/** What all cluster operations wait for is only that they start: a transfer goes on after the answer. */
export type CollectionClusterOperation = Schemas['ClusterOperations'];

export type CreateShardKeyOptions = ConsensusOptions & {
  readonly shardsNumber?: number;
  readonly replicationFactor?: number;
  readonly placement?: readonly number[];
  readonly initialState?: 'Active' | 'Partial';
};

const read = { kind: 'read', safety: 'read', method: 'GET' } as const;
/** Never repeated: Qdrant may say "timed out" and commit the operation when a majority is back. */
const consensus = { kind: 'consensus', safety: 'once' } as const;

/** Operations on collections, their shards, aliases and payload indexes. All writes wait until applied. */
export abstract class CollectionOperations extends ClusterOperations {
  async collections(options?: CallOptions): Promise<string[]> {
    const path = '/collections';
    const decode = (result: Schemas['CollectionsResponse']) => result.collections.map(({ name }) => name);
    return this.run(restCall({ ...read, operation: 'list_collections', path, shape: 'object', decode }), options);
  }

  /** @throws QdrantError `NotFound` */
  async collection(name: string, options?: CallOptions): Promise<Schemas['CollectionInfo']> {
    const path = `/collections/${part(name, 'get_collection')}`;
    return this.run(restCall({ ...read, operation: 'get_collection', path, shape: 'object' }), options);
  }

  /** True for an alias too. */
  async collectionExists(name: string, options?: CallOptions): Promise<boolean> {
    const path = `/collections/${part(name, 'collection_exists')}/exists`;
    const decode = ({ exists }: Schemas['CollectionExistence']) => exists;
    return this.run(restCall({ ...read, operation: 'collection_exists', path, shape: 'object', decode }), options);
  }

  /**
   * Answers before all replicas are Active where a peer is down: look at `collectionCluster`. A datatype that could
   * stop the whole cluster (S1) is refused before it is sent.
   */
  async createCollection(
    name: string,
    body: Schemas['CreateCollection'],
    options: ConsensusOptions = {},
  ): Promise<boolean> {
    refuseUnsafeDatatypes(body, 'create_collection');
    const path = `/collections/${part(name, 'create_collection')}`;
    const query = { timeout: options.serverTimeout };
    return this.run(
      restCall({ ...consensus, operation: 'create_collection', method: 'PUT', path, query, body, shape: 'boolean' }),
      options,
    );
  }

  /** Merges: what is left out stays as it is. */
  async updateCollection(
    name: string,
    body: Schemas['UpdateCollection'],
    options: ConsensusOptions = {},
  ): Promise<boolean> {
    const path = `/collections/${part(name, 'update_collection')}`;
    const query = { timeout: options.serverTimeout };
    return this.run(
      restCall({ ...consensus, operation: 'update_collection', method: 'PATCH', path, query, body, shape: 'boolean' }),
      options,
    );
  }

  /** @returns false when there was none, and for an alias, which it does not follow */
  async deleteCollection(name: string, options: ConsensusOptions = {}): Promise<boolean> {
    const path = `/collections/${part(name, 'delete_collection')}`;
    const query = { timeout: options.serverTimeout };
    return this.run(
      restCall({ ...consensus, operation: 'delete_collection', method: 'DELETE', path, query, shape: 'boolean' }),
      options,
    );
  }

  /** Shards, replicas and transfers as the answering peer sees them. */
  async collectionCluster(name: string, options?: CallOptions): Promise<Schemas['CollectionClusterInfo']> {
    const path = `/collections/${part(name, 'collection_cluster')}/cluster`;
    return this.run(restCall({ ...read, operation: 'collection_cluster', path, shape: 'object' }), options);
  }

  /** Moves, replicates, drops, aborts: answers when the operation has started, not when it is over. */
  async updateCollectionCluster(
    name: string,
    body: CollectionClusterOperation,
    options: ConsensusOptions = {},
  ): Promise<boolean> {
    const path = `/collections/${part(name, 'update_collection_cluster')}/cluster`;
    const query = { timeout: options.serverTimeout };
    const call = {
      ...consensus,
      operation: 'update_collection_cluster',
      method: 'POST',
      path,
      query,
      body,
      shape: 'boolean',
    } as const;
    return this.run(restCall(call), options);
  }

  /** What the optimizer has queued and runs. Since Qdrant 1.17. */
  async optimizations(name: string, options?: CallOptions): Promise<Schemas['OptimizationsResponse']> {
    const path = `/collections/${part(name, 'optimizations')}/optimizations`;
    return this.run(restCall({ ...read, operation: 'optimizations', path, shape: 'object' }), options);
  }

  /** From the shards themselves: Qdrant lists keys only since 1.17. */
  async shardKeys(name: string, options?: CallOptions): Promise<ShardKey[]> {
    const info = await this.collectionCluster(name, options);
    const keys = [...info.local_shards, ...info.remote_shards].map((shard) => shard.shard_key);
    return [...new Set(keys.filter((key) => typeof key === 'string' || typeof key === 'number'))];
  }

  async createShardKey(name: string, key: ShardKey, options: CreateShardKeyOptions = {}): Promise<boolean> {
    const path = `/collections/${part(name, 'create_shard_key')}/shards`;
    const { shardsNumber, replicationFactor, placement, initialState } = options;
    const body = {
      shard_key: key,
      shards_number: shardsNumber,
      replication_factor: replicationFactor,
      placement,
      initial_state: initialState,
    };
    const query = { timeout: options.serverTimeout };
    return this.run(
      restCall({ ...consensus, operation: 'create_shard_key', method: 'PUT', path, query, body, shape: 'boolean' }),
      options,
    );
  }

  async deleteShardKey(name: string, key: ShardKey, options: ConsensusOptions = {}): Promise<boolean> {
    const path = `/collections/${part(name, 'delete_shard_key')}/shards/delete`;
    const query = { timeout: options.serverTimeout };
    const body = { shard_key: key };
    return this.run(
      restCall({ ...consensus, operation: 'delete_shard_key', method: 'POST', path, query, body, shape: 'boolean' }),
      options,
    );
  }

  async aliases(options?: CallOptions): Promise<Alias[]> {
    return this.run(
      restCall({ ...read, operation: 'list_aliases', path: '/aliases', shape: 'object', decode: aliasesOf }),
      options,
    );
  }

  async collectionAliases(name: string, options?: CallOptions): Promise<Alias[]> {
    const path = `/collections/${part(name, 'collection_aliases')}/aliases`;
    return this.run(
      restCall({ ...read, operation: 'collection_aliases', path, shape: 'object', decode: aliasesOf }),
      options,
    );
  }

  /**
   * `create_alias` over an existing alias switches it atomically. Several actions are not a transaction: those
   * before a failing one stay applied.
   */
  async updateAliases(actions: readonly AliasAction[], options: ConsensusOptions = {}): Promise<boolean> {
    const query = { timeout: options.serverTimeout };
    const path = '/collections/aliases';
    return this.run(
      restCall({
        ...consensus,
        operation: 'update_aliases',
        method: 'POST',
        path,
        query,
        body: { actions },
        shape: 'boolean',
      }),
      options,
    );
  }

  /** Waits until the index is built; that may take longer than the client waits (`Timeout`, ambiguous). */
  async createPayloadIndex(
    name: string,
    field: string,
    schema: PayloadFieldSchema,
    options: CallOptions = {},
  ): Promise<void> {
    const path = `/collections/${part(name, 'create_payload_index')}/index`;
    const body = { field_name: field, field_schema: schema };
    return this.#changeSchema({ operation: 'create_payload_index', method: 'PUT', path, body }, options);
  }

  async deletePayloadIndex(name: string, field: string, options: CallOptions = {}): Promise<void> {
    const path = `/collections/${part(name, 'delete_payload_index')}/index/${part(field, 'delete_payload_index')}`;
    return this.#changeSchema({ operation: 'delete_payload_index', method: 'DELETE', path }, options);
  }

  /**
   * Adds a named vector to a collection that exists; its points have none of that name until it is written. Since
   * Qdrant 1.18: every peer applies it, so every peer must be as new. A second time it changes nothing, except that
   * a datatype that is not said is none that is said.
   *
   * @throws QdrantError `BadRequest` where the name has another configuration or kind, and for a datatype that would
   *   stop the cluster (S1); `NotFound` where the collection, or before 1.18 the call, does not exist; `RateLimited`
   *   (ambiguous) under a write limit of strict mode, although the vector is there then. Measured on 1.18.3.
   */
  async createVector(name: string, vector: string, config: NewVector, options: CallOptions = {}): Promise<void> {
    const operation = 'create_vector';
    refuseUnsafeDatatypes(config, operation);
    const path = `/collections/${part(name, operation)}/vectors/${part(vector, operation)}`;
    try {
      await this.#changeSchema({ operation, method: 'PUT', path, body: config }, options);
    } catch (error) {
      // First consensus, then the shards: what they refuse for a limit has been made.
      throw isQdrantError(error, 'RateLimited') ? error.asAmbiguous() : error;
    }
  }

  async #changeSchema(
    request: { operation: string; method: 'PUT' | 'DELETE'; path: string; body?: unknown },
    options: CallOptions,
  ): Promise<void> {
    const call = restCall<Schemas['UpdateResult']>({
      ...request,
      kind: 'bulk',
      safety: 'once',
      query: { wait: true },
      shape: 'object',
    });
    const attempt: typeof call.attempt = async (peer, context) => {
      const result = await call.attempt(peer, context);
      if (result.status === 'completed') return result;
      throw unexpected(200, `Qdrant says ${String(result.status)} although asked to wait`, peer.origin(context));
    };
    await this.run({ ...call, attempt }, options);
  }
}

const aliasesOf = ({ aliases }: Schemas['CollectionsAliasesResponse']): Alias[] =>
  aliases.map(({ alias_name, collection_name }) => ({ alias: alias_name, collection: collection_name }));
