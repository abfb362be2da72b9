import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { load } from 'js-yaml';
import { isObject, type Json, type JsonObject, stringifyJson } from './base/json.ts';

export type Settings = {
  readonly host: string;
  readonly httpPort: number;
  readonly grpcPort: number | undefined;
  readonly p2pPort: number;
  readonly metricsPrefix: string;
  readonly apiKey: string | undefined;
  readonly altApiKey: string | undefined;
  readonly readOnlyApiKey: string | undefined;
  readonly maxRequestBytes: number;
  readonly keepAliveSeconds: number;
  readonly snapshotUrlRecovery: boolean;
  readonly clusterEnabled: boolean;
  readonly peerId: number | undefined;
  readonly storagePath: string;
  readonly snapshotsPath: string;
  readonly version: string;
  readonly commit: string;
  readonly collectionDefaults: JsonObject;
  readonly hnswDefaults: JsonObject;
  readonly optimizerDefaults: JsonObject;
  readonly walDefaults: JsonObject;
  readonly onDiskPayload: boolean;
  readonly transferMethod: 'snapshot' | 'stream_records' | 'wal_delta';
  readonly maxCollections: number | undefined;
  /** How the engine plays the slowness of the real one. */
  readonly pace: Pace;
  readonly faults: boolean;
};

/** Milliseconds. */
export type Pace = {
  /** A transfer takes at least this long. */
  readonly transfer: number;
  /** From a failed write to the proposal that marks the replica Dead. */
  readonly deadMark: number;
  /** How long a create waits for its replicas to come up; it answers 200 afterwards in any case. */
  readonly activation: number;
  /** How long a collection stays yellow after a change that is optimised. */
  readonly optimize: number;
};

/** What the engine refuses to start with, rather than run without. */
export class UnsupportedSetting extends Error {}

/**
 * Reads settings as the server does: built-in < `./config/config.yaml` < `--config-path` < `QDRANT__SECTION__KEY`.
 * @throws UnsupportedSetting for TLS and what else the engine does not model
 */
export function readSettings(env: NodeJS.ProcessEnv, configPath: string | undefined): Settings {
  const files = ['./config/config.yaml', ...(configPath === undefined ? [] : [configPath])];
  if (configPath !== undefined && !existsSync(configPath))
    throw new Error(`configuration file "${configPath}" not found`);
  let tree: JsonObject = {};
  for (const file of files) if (existsSync(file)) tree = mergeDeep(tree, readYaml(file));
  return settingsOf(mergeDeep(tree, fromEnvironment(env)), env);
}

function readYaml(file: string): JsonObject {
  const content: unknown = load(readFileSync(file, 'utf8'));
  if (content === null || content === undefined) return {};
  if (isObject(content)) return content;
  throw new Error(`configuration file "${file}" is not a mapping`);
}

function mergeDeep(base: JsonObject, over: JsonObject): JsonObject {
  const merged: Record<string, Json | undefined> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const present = merged[key];
    merged[key] = isObject(present) && isObject(value) ? mergeDeep(present, value) : value;
  }
  return merged;
}

function fromEnvironment(env: NodeJS.ProcessEnv): JsonObject {
  let tree: JsonObject = {};
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('QDRANT__') || text === undefined) continue;
    const path = name.slice('QDRANT__'.length).toLowerCase().split('__');
    tree = mergeDeep(tree, path.reduceRight<Json>((inner, key) => ({ [key]: inner }), scalar(text)) as JsonObject);
  }
  return tree;
}

function scalar(text: string): Json {
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  return text !== '' && /^-?\d+(\.\d+)?$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : text;
}

const section = (tree: JsonObject, ...path: string[]): JsonObject => {
  let current: JsonObject = tree;
  for (const key of path) {
    const next = current[key];
    current = isObject(next) ? next : {};
  }
  return current;
};

const text = (value: Json | undefined): string | undefined =>
  value === undefined || value === null ? undefined : typeof value === 'string' ? value : stringifyJson(value);
const flag = (value: Json | undefined): boolean => value === true || value === 'true';
const integer = (value: Json | undefined, fallback: number): number => {
  if (value === undefined || value === null) return fallback;
  if (Number.isInteger(Number(value))) return Number(value);
  throw new Error(`invalid configuration value ${text(value)}: expected an integer`);
};

function settingsOf(tree: JsonObject, env: NodeJS.ProcessEnv): Settings {
  const service = section(tree, 'service');
  const storage = section(tree, 'storage');
  const cluster = section(tree, 'cluster');
  refuseUnsupported(service, cluster, storage);
  return {
    host: text(service.host) ?? '0.0.0.0',
    httpPort: integer(service.http_port, 6333),
    grpcPort: service.grpc_port === null || service.grpc_port === 'null' ? undefined : integer(service.grpc_port, 6334),
    p2pPort: integer(section(cluster, 'p2p').port, 6335),
    metricsPrefix: text(service.metrics_prefix) ?? '',
    apiKey: text(service.api_key),
    altApiKey: text(service.alt_api_key),
    readOnlyApiKey: text(service.read_only_api_key),
    maxRequestBytes: integer(service.max_request_size_mb, 32) * 1024 * 1024,
    keepAliveSeconds: integer(service.http_keep_alive_timeout_sec, 5),
    snapshotUrlRecovery: service.enable_snapshot_url_recovery !== false,
    clusterEnabled: flag(cluster.enabled),
    peerId: cluster.peer_id === undefined || cluster.peer_id === null ? undefined : integer(cluster.peer_id, 0),
    storagePath: resolve(text(storage.storage_path) ?? './storage'),
    snapshotsPath: resolve(text(storage.snapshots_path) ?? './snapshots'),
    version: env.SANDBOX_QDRANT_VERSION ?? '1.18.3',
    commit: 'embedded',
    collectionDefaults: section(storage, 'collection'),
    hnswDefaults: section(storage, 'hnsw_index'),
    optimizerDefaults: section(storage, 'optimizers'),
    walDefaults: section(storage, 'wal'),
    onDiskPayload: storage.on_disk_payload !== false,
    transferMethod: methodOf(storage.shard_transfer_method),
    maxCollections: text(storage.max_collections) === undefined ? undefined : integer(storage.max_collections, 0),
    pace: {
      transfer: integer(env.SANDBOX_QDRANT_TRANSFER_MS, 300),
      deadMark: integer(env.SANDBOX_QDRANT_DEAD_MARK_MS, 400),
      activation: integer(env.SANDBOX_QDRANT_ACTIVATION_MS, 10_000),
      optimize: integer(env.SANDBOX_QDRANT_OPTIMIZE_MS, 300),
    },
    faults: env.SANDBOX_QDRANT_FAULTS === '1',
  };
}

function methodOf(value: Json | undefined): Settings['transferMethod'] {
  return value === 'stream_records' || value === 'wal_delta' ? value : 'snapshot';
}

function refuseUnsupported(service: JsonObject, cluster: JsonObject, storage: JsonObject): void {
  const refused: Readonly<Record<string, boolean>> = {
    'service.enable_tls': flag(service.enable_tls),
    'cluster.p2p.enable_tls': flag(section(cluster, 'p2p').enable_tls),
    'service.jwt_rbac': flag(service.jwt_rbac),
    'service.metrics_port': text(service.metrics_port) !== undefined,
    'cluster.resharding_enabled': flag(cluster.resharding_enabled),
    'storage.recovery_mode': text(storage.recovery_mode) !== undefined,
    'storage.snapshots_config.snapshots_storage': text(section(storage, 'snapshots_config').snapshots_storage) === 's3',
  };
  const names = Object.keys(refused).filter((name) => refused[name]);
  if (names.length > 0) throw new UnsupportedSetting(`the embedded engine does not build ${names.join(', ')}`);
}
