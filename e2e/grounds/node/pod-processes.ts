import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { ObjectKey } from '../../../src/kube/index.ts';
import { processesIn } from './cgroups.ts';
import { type Layout, layoutOf } from './layout.ts';

/**
 * The processes of a pod's containers: not the one that holds its namespaces. Every program that containers run later
 * is in the same cgroup, too.
 */
export async function processesOf(directory: string, { namespace, name }: ObjectKey): Promise<number[]> {
  const uids = await uidsOf(layoutOf(directory), `${namespace}_${name}_`);
  const pids = await Promise.all(uids.map((uid) => processesIn(basename(directory), `pod${uid}`)));
  return withoutPause(pids.flat());
}

/** Those of all pods. */
export const processesOfPods = async (directory: string): Promise<number[]> =>
  withoutPause(await processesIn(basename(directory), '/kubepods'));

/** The kubelet names a pod's folder of logs by namespace, name and uid, until the pod is gone. */
async function uidsOf({ podLogs }: Layout, beginning: string): Promise<string[]> {
  const folders = await readdir(podLogs);
  return folders.filter((folder) => folder.startsWith(beginning)).map((folder) => folder.slice(beginning.length));
}

async function withoutPause(pids: readonly number[]): Promise<number[]> {
  const names = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'pause\n')));
  return pids.filter((_, index) => names[index] !== 'pause\n');
}

/** @throws Error when the pod runs nothing */
export async function signalPod(directory: string, pod: ObjectKey, signal: NodeJS.Signals): Promise<void> {
  const pids = await processesOf(directory, pod);
  if (pids.length === 0) throw new Error(`pod ${pod.namespace}/${pod.name} has no process`);
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
