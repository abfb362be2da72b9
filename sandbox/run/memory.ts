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

/**
 * A process's share of memory in bytes: pages that several processes use count once among them. Resident memory would
 * count Node's own 100 MB executable anew for every process. Elsewhere than on Linux: resident memory.
 */
export async function proportionalBytes(pid: number): Promise<number> {
  try {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024;
  } catch {
    return residentBytes(pid);
  }
}

/** Highest sum, in bytes, of the processes that `pids` gives, sampled every second until stopped. */
export function watchMemory(pids: () => readonly number[]): { stop(): number } {
  let peak = 0;
  const timer = setInterval(() => {
    void Promise.all(pids().map(proportionalBytes)).then((sizes) => {
      peak = Math.max(
        peak,
        sizes.reduce((sum, size) => sum + size, 0),
      );
    });
  }, 1000);
  return {
    stop: () => {
      clearInterval(timer);
      return peak;
    },
  };
}
