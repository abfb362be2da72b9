import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { createLogger } from '../../src/telemetry/index.ts';

function capture(): { lines: string[]; stream: Writable } {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  return { lines, stream };
}

test('a line is JSON with level, ISO time, constant message and fields', () => {
  const { lines, stream } = capture();
  createLogger('info', stream).info({ peer: 'docs-2', shard: 3 }, 'shard transfer started');
  const line = JSON.parse(lines.join('')) as Record<string, unknown>;
  assert.deepEqual(
    [line['level'], line['msg'], line['peer'], line['shard']],
    ['info', 'shard transfer started', 'docs-2', 3],
  );
  assert.match(String(line['time']), /^\d{4}-\d\d-\d\dT/);
});

test('secret fields are redacted at every depth that the code logs', () => {
  const { lines, stream } = capture();
  createLogger('info', stream).info(
    {
      apiKey: 'canary-1',
      connection: { apiKey: 'canary-2', headers: { 'api-key': 'canary-3', authorization: 'Bearer canary-4' } },
      object: { data: { key: 'canary-5' } },
    },
    'connected',
  );
  assert.doesNotMatch(lines.join(''), /canary/);
  assert.match(lines.join(''), /\[redacted\]/);
});

test('an unknown level is refused', () => {
  assert.throws(() => createLogger('chatty'), /chatty/);
});
