import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ListingEnd, Source } from '../../../src/vectorize/source/source.ts';

/** A directory that is gone after the test. */
export function directory(t: TestContext, files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const root = mkdtempSync(join(tmpdir(), 'documents-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) put(root, path, content);
  return root;
}

export function put(root: string, path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

export const never = new AbortController().signal;
export const MEGABYTE = 1024 * 1024;

export async function listed(source: Source): Promise<{ paths: string[]; end: ListingEnd }> {
  const listing = await source.list(never);
  const paths: string[] = [];
  for await (const { path } of listing.entries) paths.push(path);
  return { paths, end: listing.end() };
}

export async function textOf(source: Source, path: string, maxBytes = MEGABYTE): Promise<string> {
  const listing = await source.list(never);
  for await (const entry of listing.entries) {
    if (entry.path !== path) continue;
    const content = await source.read(entry, { maxBytes, signal: never });
    return Buffer.from(content?.bytes ?? []).toString('utf8');
  }
  throw new Error(`${path} is not listed`);
}
