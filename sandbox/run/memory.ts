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

/** Memory of its own, in bytes: of files it counts nothing. 0 when it is gone, or where nothing tells it. */
async function ownBytes(pid: number): Promise<number> {
  try {
    const [, resident = 0, shared = 0] = (await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ').map(Number);
    return (resident - shared) * PAGE_BYTES;
  } catch {
    return 0;
  }
}

/** Only compared with itself: the size does not matter. */
const PAGE_BYTES = 4096;
/** What is shared varies less than this with the number of processes. */
const WORTH_A_LOOK = 0.93;

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);

/**
 * Highest sum, in bytes, of the processes that `pids` gives, sampled every second until stopped. The kernel takes 3 to 9
 * ms of a processor to tell the share of one process (measured): so it is asked only while their own memory is
 * near its highest.
 */
export function watchMemory(pids: () => readonly number[]): { stop(): number } {
  let peak = 0;
  let mostOwn = 0;
  const look = async (): Promise<void> => {
    const all = pids();
    const own = sum(await Promise.all(all.map(ownBytes)));
    mostOwn = Math.max(mostOwn, own);
    if (own >= mostOwn * WORTH_A_LOOK) peak = Math.max(peak, sum(await Promise.all(all.map(proportionalBytes))));
  };
  const timer = setInterval(() => void look(), 1000);
  return {
    stop: () => {
      clearInterval(timer);
      return peak;
    },
  };
}
