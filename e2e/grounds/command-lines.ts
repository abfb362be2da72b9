import { readFile } from 'node:fs/promises';

/** Arguments of the processes and all their descendants. Linux only. */
export async function commandLines(pids: readonly number[]): Promise<string[]> {
  const children = await Promise.all(pids.map(descendants));
  return Promise.all(
    [...pids, ...children.flat()].map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
}

async function descendants(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const children = text.split(' ').filter(Boolean).map(Number);
  return [...children, ...(await Promise.all(children.map(descendants))).flat()];
}
