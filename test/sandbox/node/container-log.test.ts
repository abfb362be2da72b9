import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ContainerLog } from '../../../sandbox/node/container-log.ts';
import { readLog, selectLines } from '../../../sandbox/node/read-log.ts';

let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'log-'));
});
after(() => rmSync(directory, { recursive: true, force: true }));

let count = 0;
const newLog = (maximumBytes = 10_000): ContainerLog => {
  count += 1;
  return new ContainerLog(join(directory, `${count}.log`), maximumBytes);
};
const time = (second: number): string => new Date(second * 1000).toISOString();
const query = { follow: false, timestamps: false, signal: new AbortController().signal };

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

test('lines are kept as they were written, times beside them', async () => {
  const log = newLog();
  log.append('one  two ', time(1));
  log.append('', time(2));
  assert.equal(await textOf(readLog(log, query)), 'one  two \n\n');
  assert.equal(await textOf(readLog(log, { ...query, timestamps: true })), `${time(1)} one  two \n${time(2)} \n`);
  log.end();
});

test('a log never takes more than its bound, the newest lines stay', () => {
  const log = newLog(1000);
  for (let index = 0; index < 100; index += 1) log.append(`line ${index}`, time(index));
  const kept = log.kept();
  assert.ok(kept.length < 40 && kept.length > 10);
  assert.equal(kept.at(-1)?.text, 'line 99');
  log.end();
});

test('a tail, a time or a number of bytes cut the log', async () => {
  const lines = [1, 2, 3].map((second) => ({ time: time(second), text: `${second}` }));
  const selected = (change: object): string[] =>
    selectLines(lines, { ...query, ...change }, 4000).map(({ text }) => text);
  assert.deepEqual(
    [selected({ tailLines: 2 }), selected({ tailLines: 0 }), selected({ sinceSeconds: 2 })],
    [['2', '3'], [], ['2', '3']],
  );
  const log = newLog();
  log.append('0123456789', time(1));
  assert.equal(await textOf(readLog(log, { ...query, limitBytes: 4 })), '0123');
  log.end();
});

test('a follower sees what was, what comes, and the end of the run', async () => {
  const log = newLog();
  log.append('before', time(1));
  const following = textOf(readLog(log, { ...query, follow: true }));
  setImmediate(() => {
    log.append('after', time(2));
    log.end();
  });
  assert.equal(await following, 'before\nafter\n');
});

test('a follower that goes away ends the stream', async () => {
  const log = newLog();
  const reader = new AbortController();
  const following = textOf(readLog(log, { ...query, follow: true, signal: reader.signal }));
  setImmediate(() => reader.abort());
  assert.equal(await following, '');
  log.end();
});
