import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { REASONS } from '../../src/library/index.ts';

const ROOM = join(import.meta.dirname, '../../src/library');
const REASON = /(?:reason: (?:removed \? '\w+' : )?|unready\(|event\(|blind\()'([A-Z]\w+)'/g;

test('every reason that the room gives stands in the table', () => {
  const files = readdirSync(ROOM, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const given = files.flatMap((name) =>
    [...readFileSync(join(ROOM, name), 'utf8').matchAll(REASON)].map((match) => match[1]),
  );
  assert.ok(given.length > 40);
  assert.deepEqual(
    [...new Set(given)].filter((reason) => reason !== undefined && !(reason in REASONS)),
    [],
  );
});

test('every reason has a meaning, one sentence or more', () => {
  for (const [reason, meaning] of Object.entries(REASONS))
    assert.match(`${reason}: ${meaning}`, /^[A-Z]\w+: [A-Z].+\.$/);
});
