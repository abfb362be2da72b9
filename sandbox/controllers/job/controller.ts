import { randomBytes } from 'node:crypto';
import {
  Controller,
  DONE,
  Expectations,
  isControlledBy,
  JOBS,
  keyOf,
  type ObjectKey,
  type Outcome,
  PODS,
  TerminalError,
  toController,
  watching,
} from '../../../src/kube/index.ts';
import type { ControllerParts, Startable } from '../context.ts';
import { writeStatus } from '../write-status.ts';
import { decide, podObject } from './decide.ts';

/** Runs Jobs to their end and writes their status. */
export function jobController({ client, informers, log, now }: ControllerParts): Startable {
  const jobs = informers.of(JOBS);
  const pods = informers.of(PODS);
  const expectations = new Expectations({ log, timeoutSeconds: 10 });
  return new Controller({
    name: 'job',
    primary: jobs,
    watches: [watching({ informer: pods, map: (pod) => toController(JOBS)(pod) })],
    workers: 2,
    backoffFloorSeconds: 0.1,
    log,
    reconcile,
  });

  async function reconcile(key: ObjectKey): Promise<Outcome> {
    const job = jobs.store.get(key);
    if (job === undefined || job.metadata.deletionTimestamp !== undefined) return DONE;
    if (job.spec?.completionMode === 'Indexed') {
      throw new TerminalError('NotBuilt', 'this job controller has no Indexed jobs');
    }
    if (expectations.pending(key).length > 0) {
      return { kind: 'wait', seconds: 0.2, reason: 'CacheBehind', message: 'own writes not seen yet' };
    }
    const owned = pods.store.list(key.namespace).filter((pod) => isControlledBy(pod, job));
    const { steps, status, againIn } = decide({ job, pods: owned, now: now() });
    for (const step of steps) {
      switch (step.kind) {
        case 'deleteJob':
          await client.delete(JOBS, key, { uid: job.metadata.uid ?? '', propagationPolicy: 'Background' });
          return DONE;
        case 'deletePod':
          await client.delete(PODS, keyOf(step.pod), { uid: step.pod.metadata.uid ?? '' });
          break;
        case 'createPods':
          for (let count = 0; count < step.count; count += 1) {
            const created = await client.create(PODS, podObject(job, randomBytes(3).toString('hex').slice(0, 5)));
            expectations.wrote(key, pods, created);
          }
      }
    }
    await writeStatus(client, JOBS, { object: job, status });
    if (againIn === undefined) return DONE;
    return { kind: 'wait', seconds: againIn / 1000, reason: 'TimeNotOver', message: 'a deadline, pause or ttl runs' };
  }
}
