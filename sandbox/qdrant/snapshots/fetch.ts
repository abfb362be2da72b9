import { existsSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EngineError } from '../base/errors.ts';
import type { Settings } from '../settings.ts';
import { sha256 } from './store.ts';

export type Source = {
  readonly location: string;
  readonly apiKey: string | undefined;
  readonly checksum: string | undefined;
};

/**
 * Reads the archive at a location: `http://…`, `file:///…` inside the snapshots directory, or (shards) a bare file name.
 * @throws EngineError 400, or 403 for a path outside
 */
export async function fetchArchive(settings: Settings, source: Source, bareDirectory?: string): Promise<Buffer> {
  const bytes = await read(settings, source, bareDirectory);
  if (source.checksum !== undefined) {
    const actual = sha256(bytes);
    if (actual !== source.checksum)
      throw new EngineError('BadInput', `Snapshot checksum mismatch: expected ${source.checksum}, got ${actual}`);
  }
  return bytes;
}

async function read(settings: Settings, source: Source, bareDirectory: string | undefined): Promise<Buffer> {
  const { location } = source;
  if (/^http:\/\//.test(location)) {
    if (!settings.snapshotUrlRecovery) throw new EngineError('BadRequest', 'Snapshot recovery from URL is disabled');
    return await download(location, source.apiKey);
  }
  // A collection takes files of the machine, a shard only names of its own snapshots.
  if (bareDirectory === undefined && location.startsWith('file://'))
    return readInside(settings, fileURLToPath(location));
  if (location.startsWith('file://'))
    throw new EngineError('BadInput', `Invalid snapshot URL ${location}: URLs with file scheme are not supported`);
  if (location.includes(':'))
    throw new EngineError('BadRequest', `Invalid snapshot URI, file path or HTTP URL expected, got ${location}`);
  if (bareDirectory === undefined) throw new EngineError('Format', `relative URL without a base: "${location}"`);
  const path = join(bareDirectory, location);
  if (!existsSync(path)) throw new EngineError('NotFound', `Snapshot "${path}" not found`);
  return readInside(settings, path);
}

function readInside(settings: Settings, path: string): Buffer {
  const root = settings.snapshotsPath;
  if (!resolve(path).startsWith(root + sep)) {
    throw new EngineError('Forbidden', `Snapshot file path must be inside the snapshots directory "${root}"`);
  }
  if (!existsSync(path)) throw new EngineError('BadRequest', `Snapshot file "${path}" does not exist`);
  return readFileSync(path);
}

function download(location: string, apiKey: string | undefined): Promise<Buffer> {
  return new Promise((resolvePromise, reject) => {
    const headers = apiKey === undefined ? {} : { 'api-key': apiKey };
    const request = get(location, { headers }, (response) => {
      if (response.statusCode !== 200) {
        response.resume();
        const status = `${response.statusCode} ${response.statusMessage}`;
        reject(new EngineError('BadInput', `Failed to download tar from ${location}: status - ${status}`));
        return;
      }
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolvePromise(Buffer.concat(chunks)));
      response.on('error', reject);
    });
    request.on('error', (error) =>
      reject(new EngineError('Service', `Failed to download tar from ${location}: ${error.message}`)),
    );
  });
}
