import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Resident memory of a process in bytes; 0 when it is gone. */
export async function residentBytes(pid: number): Promise<number> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    // No /proc on macOS.
    try {
      return Number((await run('ps', ['-o', 'rss=', '-p', String(pid)])).stdout.trim()) * 1024;
    } catch {
      return 0;
    }
  }
}

/** Highest sum, in bytes, of the processes that `pids` gives, sampled twice a second until stopped. */
export function watchMemory(pids: () => readonly number[]): { stop(): number } {
  let peak = 0;
  const timer = setInterval(() => {
    void Promise.all(pids().map(residentBytes)).then((sizes) => {
      peak = Math.max(
        peak,
        sizes.reduce((sum, size) => sum + size, 0),
      );
    });
  }, 500);
  return {
    stop: () => {
      clearInterval(timer);
      return peak;
    },
  };
}
