import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Handle, within } from './processes.ts';

const INSIDE = 'E2E_NODE_INSIDE';

/** Whether this process plays a file of scenarios, and does so from outside the node. */
export const playsOutside = (): boolean =>
  process.env['NODE_TEST_CONTEXT'] !== undefined && process.env[INSIDE] === undefined;

/**
 * Plays the file of this process once more, inside the network of the node, where its clients find pods and Services by
 * name as an application would. What it tells goes where this process would have told it.
 *
 * @returns its exit code
 */
export async function playInside(handle: Handle): Promise<number> {
  const program = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn('/bin/sh', within(handle, program), {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: String(handle.holder) },
  });
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => child.kill(name));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
