import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { type CacheEntry, cacheKey, FileCache, MemoryCache, textHash } from '../../../src/vectorize/embed/index.ts';

const scope = { protocol: 'OpenAI', model: 'm', dimensions: 3, prefix: 'p: ' } as const;
const key = (index: number): string => cacheKey(scope, textHash(`text ${index}`));
const entry = (index: number, length = 8): CacheEntry => ({
  key: key(index),
  vector: Float32Array.from({ length }, (_, place) => index + place / 7),
});

async function directory(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'embed-cache-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function sizeOf(path: string): Promise<number> {
  const names = await readdir(path);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(path, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

test('a key differs when anything differs that a vector depends on', () => {
  const hash = textHash('text');
  const keys = [
    cacheKey(scope, hash),
    cacheKey({ ...scope, protocol: 'TEI' }, hash),
    cacheKey({ ...scope, model: 'n' }, hash),
    cacheKey({ ...scope, dimensions: 4 }, hash),
    cacheKey({ protocol: 'OpenAI', model: 'm', prefix: 'p: ' }, hash),
    cacheKey({ ...scope, prefix: '' }, hash),
    cacheKey({ ...scope, revision: '2' }, hash),
    cacheKey(scope, textHash('text ')),
  ];
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(cacheKey({ ...scope }, hash), keys[0]);
});

test('the memory cache never holds more bytes than allowed, and what it gives is what was put', async () => {
  const steps = fc.array(fc.tuple(fc.nat(20), fc.integer({ min: 1, max: 40 })), { maxLength: 80 });
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 0, max: 5000 }), async (puts, maxBytes) => {
      const cache = new MemoryCache(maxBytes);
      const last = new Map<string, Float32Array>();
      for (const [index, length] of puts) {
        await cache.put([entry(index, length)]);
        last.set(key(index), entry(index, length).vector);
        assert.ok(cache.bytes <= maxBytes);
      }
      const keys = [...last.keys()];
      for (const [place, vector] of (await cache.get(keys)).entries()) {
        if (vector !== undefined) assert.deepEqual(vector, last.get(keys[place] ?? ''));
      }
    }),
    { numRuns: 50 },
  );
});

test('what was asked for last stays in memory longest', async () => {
  const cache = new MemoryCache(3 * 332);
  await cache.put([entry(1), entry(2), entry(3)]);
  await cache.get([key(1)]);
  await cache.put([entry(4)]);
  const found = await cache.get([key(1), key(2), key(3), key(4)]);
  assert.deepEqual(
    found.map((vector) => vector !== undefined),
    [true, false, true, true],
  );
});

test('the file cache gives back every vector, also after it was opened again', async (t) => {
  const path = await directory(t);
  const first = await FileCache.open({ directory: path, maxBytes: 1e6 });
  await Promise.all([first.put([entry(1), entry(2)]), first.put([entry(3)]), first.put([entry(2)])]);
  assert.deepEqual(await first.get([key(3), key(9), key(1)]), [entry(3).vector, undefined, entry(1).vector]);
  await first.close();
  const again = await FileCache.open({ directory: path, maxBytes: 1e6 });
  t.after(() => again.close());
  assert.equal(again.size, 3);
  assert.deepEqual(
    await again.get([1, 2, 3].map(key)),
    [1, 2, 3].map((index) => entry(index).vector),
  );
});

test('its files never take more than allowed, and the newest vectors stay', async (t) => {
  const path = await directory(t);
  const cache = await FileCache.open({ directory: path, maxBytes: 8000 });
  t.after(() => cache.close());
  for (let index = 0; index < 500; index += 1) {
    await cache.put([entry(index)]);
    assert.ok(cache.bytes <= 8000);
  }
  assert.equal(await sizeOf(path), cache.bytes);
  assert.ok(cache.size > 80, `${cache.size} are kept`);
  assert.deepEqual(await cache.get([key(499), key(0)]), [entry(499).vector, undefined]);
});

test('opened with less room than before it keeps the newest', async (t) => {
  const path = await directory(t);
  const large = await FileCache.open({ directory: path, maxBytes: 8000 });
  for (let index = 0; index < 90; index += 1) await large.put([entry(index)]);
  await large.close();
  const small = await FileCache.open({ directory: path, maxBytes: 3000 });
  t.after(() => small.close());
  assert.ok((await sizeOf(path)) <= 3000);
  assert.deepEqual(await small.get([key(89)]), [entry(89).vector]);
});

test('cut at whatever byte, or damaged, it gives right vectors or none, and goes on', async (t) => {
  const path = await directory(t);
  const written = await FileCache.open({ directory: path, maxBytes: 1e6 });
  await written.put([0, 1, 2, 3].map((index) => entry(index)));
  await written.close();
  const [name = ''] = await readdir(path);
  const whole = await readFile(join(path, name));
  const damages = fc.oneof(
    fc.nat(whole.length).map((length) => whole.subarray(0, length)),
    fc
      .tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }))
      .map(([at, flip]) => Buffer.from(whole.with(at, (whole[at] ?? 0) ^ flip))),
    fc.uint8Array({ maxLength: 100 }).map((tail) => Buffer.concat([whole, tail])),
  );
  await fc.assert(
    fc.asyncProperty(damages, async (bytes) => {
      await writeFile(join(path, name), bytes);
      const cache = await FileCache.open({ directory: path, maxBytes: 1e6 });
      const found = await cache.get([0, 1, 2, 3].map(key));
      for (const [index, vector] of found.entries()) {
        if (vector !== undefined) assert.deepEqual(vector, entry(index).vector);
      }
      await cache.put([entry(7)]);
      await cache.close();
      const again = await FileCache.open({ directory: path, maxBytes: 1e6 });
      assert.deepEqual(await again.get([key(7)]), [entry(7).vector]);
      await again.close();
    }),
    { numRuns: 40 },
  );
});

test('damage while it is open costs the damaged vector only', async (t) => {
  const path = await directory(t);
  const cache = await FileCache.open({ directory: path, maxBytes: 1e6 });
  t.after(() => cache.close());
  await cache.put([entry(1), entry(2)]);
  const [name = ''] = await readdir(path);
  await truncate(join(path, name), 100);
  assert.deepEqual(await cache.get([key(1), key(2)]), [entry(1).vector, undefined]);
  await appendFile(join(path, name), 'x');
});

test('a process killed while it writes costs nothing that was written before', async (t) => {
  const path = await directory(t);
  const child = fork(join(import.meta.dirname, 'cache-writer.ts'), [path], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let acknowledged = 0;
  child.on('message', (count: number) => {
    acknowledged = count;
    if (count >= 200) child.kill('SIGKILL');
  });
  await once(child, 'exit');
  assert.ok(acknowledged >= 200);
  const cache = await FileCache.open({ directory: path, maxBytes: 1e8 });
  t.after(() => cache.close());
  for (const [index, vector] of (await cache.get(Array.from({ length: acknowledged }, (_, i) => key(i)))).entries()) {
    assert.deepEqual(vector, entry(index).vector);
  }
});
