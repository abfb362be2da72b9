import type { Registry } from 'prom-client';
import type { RetryOptions } from '../http/index.ts';
import type { Logger } from '../telemetry/log.ts';
import type { JsonObject } from './json.ts';

/** Qdrant's own request and answer shapes, generated from its OpenAPI document. */
export type { Schemas } from '@qdrant/js-client-rest';

/** Where one peer listens. `name` is ours (a pod name or a host) and stands in errors, logs and traces. */
export type PeerAddress = {
  readonly name: string;
  /** `http(s)://host:port`, with an optional path prefix. */
  readonly rest: string;
  /** `http(s)://host:port`. Without it bulk reads and writes go by REST: a choice by configuration, never a silent retry. */
  readonly grpc?: string;
};

/** PEM texts. `ca` replaces the system's list; `cert` and `key` are the client's own. */
export type TlsOptions = {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
};

/** All that is needed to talk to one cluster. */
export type Connection = {
  readonly peers: readonly PeerAddress[];
  readonly apiKey?: string;
  readonly tls?: TlsOptions;
};

/** Milliseconds by kind of call. `streamSilence` bounds silence on a stream; `snapshotTotal` a snapshot that answers only when done. */
export type Timeouts = {
  readonly connect: number;
  readonly health: number;
  readonly read: number;
  readonly consensus: number;
  readonly bulk: number;
  readonly streamSilence: number;
  readonly snapshotTotal: number;
};

export type ClientOptions = {
  readonly metrics?: Registry;
  readonly log?: Logger;
  readonly timeouts?: Partial<Timeouts>;
  /** Where a repeat is safe; a cluster client asks every peer at least once, whatever `attempts` says. */
  readonly retry?: Partial<RetryOptions>;
  /** Ends reads that bring no signal of their own. Writes are waited for: late ones would meet those of a successor. */
  readonly reading?: AbortSignal;
};

/** What every operation accepts. */
export type CallOptions = {
  readonly signal?: AbortSignal;
  /** Milliseconds for one attempt; the default goes by the kind of call. */
  readonly timeout?: number;
  /** Attempts in all; 1 = ask once. Only calls that are safe to repeat are ever repeated. */
  readonly attempts?: number;
};

/** Unsigned 64-bit number (a bigint above 2^53) or UUID. */
export type PointId = number | bigint | string;
export type ShardKey = string | number;
/** Integral doubles of a payload arrive as `Double`, so that a copy writes `1.0` where it read `1.0`. */
export type Payload = JsonObject;

export type SparseVector = { readonly indices: readonly number[]; readonly values: readonly number[] };
export type MultiVector = readonly (readonly number[])[];
export type VectorValue = readonly number[] | MultiVector | SparseVector;
export type NamedVectors = { readonly [name: string]: VectorValue };
/** The unnamed vector, or vectors by name. `{}` when vectors were not asked for. Values are float32. */
export type PointVectors = readonly number[] | MultiVector | NamedVectors;

/** One shape, whether it came by REST or by gRPC. */
export type Point = {
  readonly id: PointId;
  readonly vector: PointVectors;
  readonly payload: Payload;
  /** Only on collections with custom sharding. */
  readonly shardKey?: ShardKey;
};

export type ScoredPoint = Point & { readonly score: number; readonly version: number };
