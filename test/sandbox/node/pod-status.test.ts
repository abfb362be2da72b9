import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ContainerView, podPhase, podStatus } from '../../../sandbox/node/pod-status.ts';
import type { ContainerState } from '../../../sandbox/node/wire.ts';
import { place, podOf } from './pods.ts';

const view = (state: ContainerState, change: Partial<ContainerView> = {}): ContainerView => ({
  name: 'main',
  image: 'x',
  containerID: 'process://1',
  state,
  lastState: undefined,
  restartCount: 0,
  started: state.running !== undefined,
  ready: state.running !== undefined,
  ...change,
});
const waiting = { waiting: { reason: 'ContainerCreating' } };
const running = { running: { startedAt: '2026-01-01T00:00:00Z' } };
const ended = (exitCode: number): ContainerState => ({ terminated: { exitCode } });

const facts = (restartPolicy: string, containers: ContainerView[], initContainers: ContainerView[] = []) => ({
  pod: podOf('web', { restartPolicy, containers: [{ name: 'main' }] }),
  place,
  now: '2026-01-01T00:00:10Z',
  startTime: '2026-01-01T00:00:00Z',
  containers,
  initContainers,
});

test('the phase follows the containers and the restart policy', () => {
  const rows: [string, ContainerState[], string][] = [
    ['Always', [waiting], 'Pending'],
    ['Always', [running, waiting], 'Pending'],
    ['Always', [running, ended(1)], 'Running'],
    ['Always', [ended(0)], 'Running'],
    ['OnFailure', [ended(0)], 'Succeeded'],
    ['OnFailure', [ended(1)], 'Running'],
    ['Never', [ended(0), ended(0)], 'Succeeded'],
    ['Never', [ended(0), ended(1)], 'Failed'],
    ['Never', [running, ended(1)], 'Running'],
  ];
  for (const [policy, states, phase] of rows) {
    assert.equal(
      podPhase(
        facts(
          policy,
          states.map((state) => view(state)),
        ),
      ),
      phase,
      `${policy} ${JSON.stringify(states)}`,
    );
  }
});

test('a container that waits for its restart keeps the pod running', () => {
  const crashed = view({ waiting: { reason: 'CrashLoopBackOff' } }, { lastState: ended(1) });
  assert.equal(podPhase(facts('Always', [crashed])), 'Running');
});

test('a failed init container fails a pod that never restarts, and holds up one that does', () => {
  assert.equal(podPhase(facts('Never', [view(waiting)], [view(ended(1))])), 'Failed');
  assert.equal(podPhase(facts('Always', [view(waiting)], [view(ended(1))])), 'Pending');
});

test('a pod that is being deleted ends by its exit codes', () => {
  const terminating = facts('Always', [view(ended(0))]);
  terminating.pod.metadata.deletionTimestamp = '2026-01-01T00:00:09Z';
  assert.equal(podPhase(terminating), 'Succeeded');
});

test('Ready names the containers that are not', () => {
  const status = podStatus(facts('Always', [view(running, { ready: false })]));
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  assert.deepEqual([ready?.status, ready?.reason], ['False', 'ContainersNotReady']);
  assert.equal(ready?.message, 'containers with unready status: [main]');
});

test('a condition that did not change keeps its time, and conditions of others stay', () => {
  const before = facts('Always', [view(running)]);
  const lastTransitionTime = '2025-01-01T00:00:00Z';
  const foreign = { type: 'example.com/seen', status: 'True' };
  before.pod.status = { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime }, foreign] };
  const { conditions = [] } = podStatus(before);
  assert.equal(conditions.find(({ type }) => type === 'Ready')?.lastTransitionTime, lastTransitionTime);
  assert.equal(conditions.find(({ type }) => type === 'Initialized')?.lastTransitionTime, before.now);
  assert.deepEqual(conditions.at(-1), foreign);
});

test('a pod is not ready before its readiness gates are passed', () => {
  const gated = facts('Always', [view(running)]);
  gated.pod.spec = { ...gated.pod.spec, containers: [], readinessGates: [{ conditionType: 'gate' }] };
  const readyOf = (): string | undefined => podStatus(gated).conditions?.find(({ type }) => type === 'Ready')?.status;
  assert.equal(readyOf(), 'False');
  gated.pod.status = { conditions: [{ type: 'gate', status: 'True' }] };
  assert.equal(readyOf(), 'True');
});
