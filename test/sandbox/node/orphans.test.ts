import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { alive, until } from './host.ts';

const WATCHDOG = new URL('../../../sandbox/node/watchdog.ts', import.meta.url).href;
const GROUP = new URL('../../../sandbox/node/process-group.ts', import.meta.url).href;

/** An agent that runs a process, which starts another, and tells both ids. */
const agentScript = (directory: string, then: string): string => `
  const { Watchdog } = await import(${JSON.stringify(WATCHDOG)});
  const { ProcessGroup } = await import(${JSON.stringify(GROUP)});
  const watchdog = new Watchdog(${JSON.stringify(directory)});
  const specification = {
    file: '/bin/sh', arguments: ['-c', 'trap "" TERM INT HUP; sleep 1000 & echo $$ $!; wait'],
    workingDirectory: '/', environment: { PATH: process.env.PATH },
  };
  await ProcessGroup.start(specification, { watchdog, onLine: (line) => { console.log(line); ${then} } });
`;

async function pidsOfAgent(directory: string, then: string): Promise<{ agent: number; pids: number[] }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', agentScript(directory, then)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { agent: child.pid ?? 0, pids: line.split(' ').map(Number) };
}

const newDirectory = (): string => mkdtempSync(join(tmpdir(), 'watchdog-'));

test('an agent killed with SIGKILL leaves no process and no file', async () => {
  const directory = newDirectory();
  const { agent, pids } = await pidsOfAgent(directory, '');
  assert.ok(pids.every(alive));
  process.kill(agent, 'SIGKILL');
  await until(() => !pids.some(alive), 'the end of the processes');
  await until(() => !existsSync(directory), 'the end of the directory');
});

test('an agent that exits without stopping leaves no process either', async () => {
  const directory = newDirectory();
  const { pids } = await pidsOfAgent(directory, 'setTimeout(() => process.exit(1), 20);');
  await until(() => !pids.some(alive), 'the end of the processes');
  await until(() => !existsSync(directory), 'the end of the directory');
});
