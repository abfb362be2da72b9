import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { imageRepository, runtimeOf } from '../../../sandbox/node/image.ts';
import type { Runtime } from '../../../sandbox/node/process-specification.ts';
import { sandboxRuntimes } from '../../../sandbox/node/runtimes.ts';

let directory: string;
let runtimes: Readonly<Record<string, Runtime>>;
before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'runtimes-'));
  runtimes = await sandboxRuntimes(directory, '/opt/qdrant/bin/qdrant');
});
after(() => rmSync(directory, { recursive: true, force: true }));

test('every image of the product is run, from whatever registry it comes', () => {
  const images = ['qdrant/qdrant:v1.18.3', 'docker.io/qdrant/qdrant@sha256:00', 'example.com/x/qdrant-librarian:0.1.0'];
  for (const image of images) assert.notEqual(runtimeOf(image, runtimes), undefined, imageRepository(image));
  assert.equal(runtimeOf('example.com/other:1', runtimes), undefined);
});

test('an engine listens on the address of its pod alone', () => {
  const environment = runtimes['qdrant/qdrant']?.environment?.('127.9.1.1') ?? {};
  assert.equal(environment['QDRANT__SERVICE__HOST'], '127.9.1.1');
});

test("a real Qdrant is started with the cluster's names as its hosts file", () => {
  const executable = runtimes['qdrant/qdrant']?.files?.['/qdrant/qdrant'] ?? '';
  assert.match(executable, /unshare --mount/);
  assert.match(executable, /'\/opt\/qdrant\/bin\/qdrant' "\$@"/);
});

test('the sources of the product are compiled beforehand', () => {
  const cache = runtimes['qdrant-librarian']?.environment?.('127.9.1.1')['NODE_COMPILE_CACHE'] ?? '';
  assert.ok(readdirSync(cache, { recursive: true }).length > 50);
});
