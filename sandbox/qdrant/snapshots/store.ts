import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../base/errors.ts';

export type SnapshotDescription = {
  readonly name: string;
  readonly creation_time: string;
  readonly size: number;
  readonly checksum: string;
};

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** `2026-11-21-11-47-11`: a second snapshot within the second takes the first one's place (S7). */
export function timeStamp(now: Date): string {
  return now.toISOString().slice(0, 19).replaceAll(/[:T]/g, '-');
}

/** Writes a snapshot and its checksum beside it. */
export function saveSnapshot(directory: string, name: string, bytes: Buffer): SnapshotDescription {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, name);
  writeFileSync(`${path}.part`, bytes);
  renameSync(`${path}.part`, path);
  writeFileSync(`${path}.checksum`, sha256(bytes));
  return describe(directory, name);
}

export function listSnapshots(directory: string): SnapshotDescription[] {
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory).filter((name) => name.endsWith('.snapshot'));
  return names.sort().map((name) => describe(directory, name));
}

function describe(directory: string, name: string): SnapshotDescription {
  const { size, mtime } = statSync(join(directory, name));
  const sidecar = join(directory, `${name}.checksum`);
  return {
    name,
    creation_time: mtime.toISOString().slice(0, 19),
    size,
    checksum: existsSync(sidecar) ? readFileSync(sidecar, 'utf8') : '',
  };
}

/** The path of a present snapshot; 404 for others. */
export function snapshotPath(directory: string, name: string): string {
  const path = join(directory, name);
  const known = !name.includes('/') && name.endsWith('.snapshot') && existsSync(path);
  if (!known) throw new EngineError('NotFound', `Snapshot ${name} not found`);
  return path;
}

export function deleteSnapshot(directory: string, name: string): void {
  const path = snapshotPath(directory, name);
  rmSync(path);
  rmSync(`${path}.checksum`, { force: true });
}
