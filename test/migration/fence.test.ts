import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Fence, fencePatch, MARK_KEY, type Mark, parseMark, unfencePatch } from '../../src/migration/fence.ts';

const mark: Mark = { uid: 'u', namespace: 'n', name: 'docs', generation: 2, indexes: ['lang'], aliases: ['d'] };
const fence: Fence = { nonce: 'x', at: 5, before: { enabled: true, writeRateLimit: 500, writeConsistencyFactor: 2 } };

test('a fence refuses writes and names itself in one PATCH', () => {
  const patch = fencePatch(mark, fence);
  assert.deepEqual(patch.strict_mode_config, { enabled: true, write_rate_limit: 1 });
  assert.deepEqual(parseMark(patch.metadata), { ...mark, fence });
});

test('under a fence no write is acknowledged that some replica refuses', () => {
  assert.ok((fencePatch(mark, fence).params?.write_consistency_factor ?? 0) >= 100);
});

test('lifting it gives back the limits from before and keeps the mark', () => {
  const patch = unfencePatch({ ...mark, fence });
  assert.deepEqual(patch.strict_mode_config, { enabled: true, write_rate_limit: 500 });
  assert.deepEqual(patch.params, { write_consistency_factor: 2 });
  assert.deepEqual(patch.metadata[MARK_KEY], mark);
});

test('where strict mode was off it is off again; a limit that was never set becomes one that is never reached', () => {
  const before = { enabled: false };
  const { strict_mode_config: strict, params } = unfencePatch({ ...mark, fence: { ...fence, before } });
  assert.equal(params, undefined, 'a fence of an earlier version changed no factor');
  assert.equal(strict.enabled, false);
  assert.ok((strict.write_rate_limit ?? 0) >= 1_000_000_000);
});

for (const foreign of [
  undefined,
  null,
  'x',
  {},
  { [MARK_KEY]: 'x' },
  { [MARK_KEY]: { uid: 1 } },
  { [MARK_KEY]: { ...mark, generation: '2' } },
]) {
  test(`${JSON.stringify(foreign)} is no mark of ours`, () => assert.equal(parseMark(foreign), undefined));
}

test('a mark with damaged extras is still a mark', () => {
  assert.deepEqual(parseMark({ [MARK_KEY]: { ...mark, indexes: 'x', aliases: [1], fence: { nonce: 1 } } }), {
    uid: 'u',
    namespace: 'n',
    name: 'docs',
    generation: 2,
  });
});
