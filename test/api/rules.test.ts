import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validate } from '../../src/api/index.ts';
import { CASES } from './cases.ts';

/** Without fields that are undefined, as in JSON. */
const json = (object: unknown): unknown => JSON.parse(JSON.stringify(object));

for (const { rule, good, bad } of CASES) {
  test(rule, () => {
    for (const object of good) assert.deepEqual(validate(json(object)), []);
    for (const [object, field, message] of bad) {
      const violations = validate(json(object));
      assert.equal(violations.length, 1, JSON.stringify(violations));
      assert.equal(violations[0]?.field, field);
      assert.match(violations[0]?.rule ?? '', message);
    }
  });
}
