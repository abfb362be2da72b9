import type { Schemas } from '../../qdrant/index.ts';
import type { Capacity } from '../load.ts';

/** What one peer stores of a collection. */
export type Stored = {
  readonly points: number;
  /** Vectors and payloads, as Qdrant estimates them: without indexes. */
  readonly bytes: number;
  readonly unsettled: boolean;
};

export type PeerStorage = {
  readonly startedAt: string | undefined;
  /** Memory that the process holds, in bytes; undefined: the peer doesn't tell. */
  readonly residentBytes: number | undefined;
  /** Of the machine, not of the container; undefined: the peer doesn't tell. */
  readonly capacity: Capacity | undefined;
  readonly collections: ReadonlyMap<string, Stored>;
};

const KIBIBYTE = 1024;

/** @param telemetry of one peer, of level 3 at least: shards are not in it below. Source: Qdrant `telemetry_ops`, v1.18.3 */
export function peerStorage({ app, memory, collections }: Schemas['TelemetryData']): PeerStorage {
  const told = (collections?.collections ?? []).flatMap((one) => ('id' in one ? [one] : []));
  return {
    startedAt: typeof app?.startup === 'string' ? app.startup : undefined,
    residentBytes:
      memory !== null && memory !== undefined && 'resident_bytes' in memory ? Number(memory.resident_bytes) : undefined,
    capacity: capacityOf(app?.system as System),
    collections: new Map(told.map(({ id, shards }) => [id, stored((shards ?? []).map(({ local }) => local as Local))])),
  };
}

/** The generated types have any object beside the real one. */
type Local = Schemas['LocalShardTelemetry'] | null | undefined;
type System = Schemas['RunningEnvironmentTelemetry'] | null | undefined;

/** `ram_size` and `disk_size` are in KiB. Source: `sys-info` crate, `mem_info` and `disk_info`. */
function capacityOf(system: System): Capacity | undefined {
  const { cores, ram_size: memory, disk_size: disk } = system ?? {};
  if (typeof cores !== 'number' || typeof memory !== 'number' || typeof disk !== 'number') return undefined;
  return { cores, memoryBytes: memory * KIBIBYTE, diskBytes: disk * KIBIBYTE };
}

function stored(shards: readonly Local[]): Stored {
  const sum = (value: (shard: NonNullable<Local>) => number): number =>
    shards.reduce((total, shard) => total + (shard === null || shard === undefined ? 0 : value(shard)), 0);
  return {
    points: sum(({ num_points }) => num_points ?? 0),
    bytes: sum(({ vectors_size_bytes, payloads_size_bytes }) => (vectors_size_bytes ?? 0) + (payloads_size_bytes ?? 0)),
    unsettled: shards.some(
      (shard) => shard !== null && shard !== undefined && (shard.status === 'yellow' || queued(shard) > 0),
    ),
  };
}

const queued = ({ update_queue: queue }: NonNullable<Local>): number =>
  queue !== null && queue !== undefined && 'length' in queue ? Number(queue.length) : 0;
