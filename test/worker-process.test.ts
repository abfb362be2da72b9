import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

const MODULE = new URL('../src/worker-process.ts', import.meta.url).href;

/** A worker whose server stays open; `stubborn` ignores the signal, too. */
const program = (work: string, patience: string): string => `
import { createServer } from 'node:net';
import { runWorkerProcess } from ${JSON.stringify(MODULE)};
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort(new Error('told to stop')));
const options = { configFile: '', environment: {}, signal: stop.signal };
const left = createServer().listen(0, '127.0.0.1', () => process.stderr.write('open'));
await runWorkerProcess(async () => ${work}, options, ${patience});
`;

/** Its exit code and what it wrote; SIGTERM comes as soon as its server is open when `told`. */
async function ended(work: string, { patience, told }: { patience: string; told: boolean }) {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program(work, patience)]);
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  if (told) child.stderr.once('data', () => child.kill('SIGTERM'));
  const [code, signal] = await once(child, 'close');
  return { code, signal, said };
}

test('a worker whose work is done ends, whatever is left open, and says what that was', {
  timeout: 20_000,
}, async () => {
  const { code, said } = await ended('async () => 3', { patience: '{ stop: 60_000, linger: 100 }', told: false });
  assert.equal(code, 3);
  assert.match(said, /something is still open/);
  assert.match(said, /TCPServerWrap|TCPSERVERWRAP/i);
});

test('a worker that does not listen ends soon after SIGTERM, before SIGKILL', { timeout: 20_000 }, async () => {
  const { code, signal } = await ended('() => new Promise(() => {})', {
    patience: '{ stop: 100, linger: 100 }',
    told: true,
  });
  assert.deepEqual({ code, signal }, { code: 143, signal: null });
});
