import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Facts, mebibytes, seconds } from '../../../sandbox/run/facts.ts';

test('the table marks what held, what did not and what has no bound', () => {
  const facts = new Facts();
  facts.check('points read', '10 of 10', true);
  facts.check('failed requests', '2', false);
  facts.note('operator memory', mebibytes(150 * 1024 * 1024));
  assert.equal(
    facts.table(),
    ['✔ points read      10 of 10', '✖ failed requests  2', '  operator memory  150 MiB', ''].join('\n'),
  );
  assert.deepEqual(
    facts.failed.map(({ name }) => name),
    ['failed requests'],
  );
});

test('durations are told in seconds with one decimal', () => {
  assert.equal(seconds(1234), '1.2 s');
});
