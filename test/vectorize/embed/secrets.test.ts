import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import type { Fault } from '../../../sandbox/embedder/faults.ts';
import { createLogger } from '../../../src/telemetry/log.ts';
import { EmbedClient, EmbedError } from '../../../src/vectorize/embed/index.ts';
import { embedderAndClient, failure, PROTOCOLS } from './support.ts';

const KEY = 'canary-4711-must-not-show';
const TEXT = 'private words nobody may read';
const everything = (value: unknown): string =>
  [
    inspect(value, { depth: 12, showHidden: true, customInspect: false }),
    inspect(value),
    String(value),
    JSON.stringify(value),
    value instanceof Error ? value.stack : '',
  ].join('\n');
const silent = (text: string): void => {
  assert.ok(!text.includes(KEY), 'the key shows');
  assert.doesNotMatch(text, /private|nobody/);
};

/** A server that repeats what it got: body and headers. */
const ECHOES: readonly Fault[] = [
  ...[400, 401, 403, 404, 413, 422, 429, 500, 503].map((status) => ({ kind: 'status', status, echo: true }) as const),
  { kind: 'nan' },
  { kind: 'zero' },
  { kind: 'half' },
  { kind: 'cut' },
  { kind: 'notJson' },
  { kind: 'wrongDimension' },
];

for (const protocol of PROTOCOLS) {
  test(`${protocol}: no error and no log line holds the key or a text, even where the endpoint repeats them`, async (t) => {
    const lines: string[] = [];
    const log = createLogger('trace', { write: (line: string) => lines.push(line) });
    const serve = { apiKey: KEY };
    const options = { protocol, apiKey: KEY, log, dimensions: 64, retry: { attempts: 2 }, serve };
    const { server, client } = await embedderAndClient(t, options);
    for (const fault of ECHOES) {
      server.faults.clear();
      server.faults.add(fault, { times: 99 });
      silent(everything(await failure(client.embed([TEXT]))));
    }
    await server.stop();
    server.stop = async () => {};
    silent(everything(await failure(client.embed([TEXT]))));
    assert.ok(lines.length > 0);
    silent(lines.join(''));
    assert.ok(!inspect(client).includes(KEY));
  });
}

test('a key or URL that cannot be used is refused without being repeated', () => {
  const good = { protocol: 'OpenAI', url: 'http://127.0.0.1:1', model: 'm' } as const;
  const bad = [
    { ...good, apiKey: `${KEY}\n` },
    { ...good, apiKey: '' },
    { ...good, url: `http://user:${KEY}@host` },
    { ...good, url: `http://host/?key=${KEY}` },
    { ...good, url: `ftp://${KEY}` },
    { ...good, url: KEY },
  ];
  for (const options of bad) {
    assert.throws(
      () => new EmbedClient(options),
      (error) => error instanceof EmbedError && error.permanent && !everything(error).includes(KEY),
    );
  }
});
