import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { expand } from '../../../sandbox/node/expand.ts';

const variables = new Map([
  ['A', '1'],
  ['POD_NAME', 'docs-0'],
]);

test('names in $( ) are replaced by their values', () => {
  assert.equal(expand('http://$(POD_NAME).svc:$(A)', variables), 'http://docs-0.svc:1');
});

test('unknown names and shell variables stay as they are written', () => {
  assert.equal(expand('$(NOPE) $A $', variables), '$(NOPE) $A $');
});

test('$$ is a dollar sign that expands nothing', () => {
  assert.equal(expand('$$(A) $$$(A)', variables), '$(A) $1');
});

test('text without a dollar sign is never changed', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!text.includes('$'));
      assert.equal(expand(text, variables), text);
    }),
  );
});
