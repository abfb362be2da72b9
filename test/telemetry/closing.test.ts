import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeAll, createLogger } from '../../src/telemetry/index.ts';

test('the last opened is closed first, and what fails or never closes holds up none of the others', async () => {
  const lines: string[] = [];
  const log = createLogger('info', { write: (line: string) => void lines.push(line) });
  const closed: string[] = [];
  const never = Promise.withResolvers<void>().promise;
  await closeAll(
    [
      () => void closed.push('first'),
      () => Promise.reject(new Error('cut off')),
      () => never,
      async () => void closed.push('last'),
    ],
    log,
    20,
  );
  assert.deepEqual(closed, ['last', 'first']);
  assert.match(lines.join(''), /does not close.*\n.*can not be closed/);
});
