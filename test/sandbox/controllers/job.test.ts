import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide, type JobDecision } from '../../../sandbox/controllers/job/decide.ts';
import type { Job, Pod } from '../../../src/kube/index.ts';
import { now, podOf } from './objects.ts';

type JobSpec = NonNullable<Job['spec']>;

const jobOf = (spec: Partial<JobSpec> = {}, status: Job['status'] = {}): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'copy', namespace: 'team-a', uid: 'uid-job' },
  spec: { backoffLimit: 2, template: { spec: { restartPolicy: 'Never', containers: [] } }, ...spec },
  status,
});
const failedPod = (name: string, finishedAt = '2026-01-01T00:00:00Z'): Pod => {
  const pod = podOf({ name, phase: 'Failed', ready: false });
  const state = { terminated: { exitCode: 1, finishedAt } };
  pod.status = {
    ...pod.status,
    containerStatuses: [{ name: 'main', state, image: '', imageID: '', ready: false, restartCount: 0 }],
  };
  return pod;
};
const decided = (job: Job, pods: Pod[] = []): JobDecision => decide({ job, pods, now });
const kinds = ({ steps }: JobDecision): string[] => steps.map(({ kind }) => kind);
const conditions = ({ status }: JobDecision): string[] =>
  (status.conditions ?? []).map(({ type, reason }) => `${type} ${reason}`);

test('a new job starts one pod and notes the time', () => {
  const decision = decided(jobOf());
  assert.deepEqual(decision.steps, [{ kind: 'createPods', count: 1 }]);
  assert.equal(decision.status.startTime, new Date(now).toISOString());
});

test('a job with a running pod waits', () => {
  const decision = decided(jobOf(), [podOf({ name: 'copy-a' })]);
  assert.deepEqual([kinds(decision), decision.status.active, decision.status.ready], [[], 1, 1]);
});

test('a pod that succeeded completes the job', () => {
  const decision = decided(jobOf(), [podOf({ name: 'copy-a', phase: 'Succeeded', ready: false })]);
  assert.deepEqual(conditions(decision), ['SuccessCriteriaMet CompletionsReached', 'Complete CompletionsReached']);
  assert.deepEqual([decision.status.succeeded, decision.status.completionTime], [1, new Date(now).toISOString()]);
});

test('a failed pod is followed by another after a pause that grows', () => {
  const twice = [failedPod('copy-a'), failedPod('copy-b', new Date(now - 400).toISOString())];
  const resting = decided(jobOf(), twice);
  assert.deepEqual([kinds(resting), resting.againIn], [[], 600]);
  assert.deepEqual(kinds(decided(jobOf(), [failedPod('copy-a'), failedPod('copy-b')])), ['createPods']);
});

test('more failures than backoffLimit fail the job', () => {
  const decision = decided(
    jobOf(),
    ['a', 'b', 'c'].map((name) => failedPod(`copy-${name}`)),
  );
  assert.deepEqual(conditions(decision), ['FailureTarget BackoffLimitExceeded', 'Failed BackoffLimitExceeded']);
  assert.equal(decision.status.failed, 3);
});

test('a failure stays counted when its pod is deleted', () => {
  const decision = decided(jobOf({ backoffLimit: 1 }, { failed: 2 }));
  assert.equal(decision.status.failed, 2);
  assert.ok(conditions(decision).includes('Failed BackoffLimitExceeded'));
});

test('restarts inside the pod count where the policy is OnFailure', () => {
  const pod = podOf({ name: 'copy-a' });
  pod.status = {
    ...pod.status,
    containerStatuses: [{ name: 'main', image: '', imageID: '', ready: true, restartCount: 2 }],
  };
  const template = { spec: { restartPolicy: 'OnFailure', containers: [] } };
  const decision = decided(jobOf({ template }), [pod]);
  assert.deepEqual(kinds(decision), ['deletePod']);
  assert.deepEqual(conditions(decision), ['FailureTarget BackoffLimitExceeded']);
});

test('at its deadline a job ends its pods, and has failed when they are gone', () => {
  const status = { startTime: new Date(now - 10_000).toISOString() };
  const early = decided(jobOf({ activeDeadlineSeconds: 15 }, status), [podOf({ name: 'copy-a' })]);
  assert.deepEqual([kinds(early), early.againIn], [[], 5000]);
  const late = decided(jobOf({ activeDeadlineSeconds: 10 }, status), [podOf({ name: 'copy-a' })]);
  assert.deepEqual([kinds(late), conditions(late)], [['deletePod'], ['FailureTarget DeadlineExceeded']]);
  const after = decided(jobOf({ activeDeadlineSeconds: 10 }, late.status));
  assert.deepEqual(conditions(after), ['FailureTarget DeadlineExceeded', 'Failed DeadlineExceeded']);
});

test('a finished job starts nothing and goes when its time is over', () => {
  const finished = (lastTransitionTime: string): Job =>
    jobOf({ ttlSecondsAfterFinished: 30 }, { conditions: [{ type: 'Complete', status: 'True', lastTransitionTime }] });
  const waiting = decided(finished('2026-01-01T00:00:50Z'));
  assert.deepEqual([kinds(waiting), waiting.againIn], [[], 20_000]);
  assert.deepEqual(kinds(decided(finished('2026-01-01T00:00:00Z'))), ['deleteJob']);
});

test('a suspended job has no pods', () => {
  const decision = decided(jobOf({ suspend: true }), [podOf({ name: 'copy-a' })]);
  assert.deepEqual([kinds(decision), decision.status.startTime], [['deletePod'], undefined]);
});
