import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { PodRunner } from '../../../sandbox/node/pod-runner.ts';
import type { ContainerStatus } from '../../../sandbox/node/wire.ts';
import { alive, shell, TestHost, until } from './host.ts';
import { referencesOf } from './pods.ts';

let node: TestHost;
before(async () => {
  node = await TestHost.create();
});
after(() => node.stop());

const statusOf = (pod: string): ContainerStatus | undefined => node.statuses.get(pod)?.containerStatuses?.[0];
const waitingOf = (pod: string): { reason?: string; message?: string } | undefined => {
  const waiting = statusOf(pod)?.state?.waiting;
  return waiting?.message === undefined ? undefined : waiting;
};
const linesOf = (runner: PodRunner, previous = false): string[] =>
  (runner.logOf('main', previous)?.kept() ?? []).map(({ text }) => text);
const conditionOf = (pod: string, type: string): string | undefined =>
  node.statuses.get(pod)?.conditions?.find((condition) => condition.type === type)?.status;

test('a container that ends well makes a pod that never restarts Succeeded, its output kept', async () => {
  const runner = node.run('once', { restartPolicy: 'Never', containers: [shell('echo out; echo err >&2')] });
  await until(() => node.statuses.get('once')?.phase === 'Succeeded');
  assert.deepEqual(linesOf(runner).toSorted(), ['err', 'out']);
  assert.equal(statusOf('once')?.state?.terminated?.reason, 'Completed');
});

test('the exit code and the signal of a failed container are told', async () => {
  node.run('bad', { restartPolicy: 'Never', containers: [shell('exit 3')] });
  node.run('killed', { restartPolicy: 'Never', containers: [shell("sh -c 'kill -9 $PPID'")] });
  await until(() => node.statuses.get('bad')?.phase === 'Failed' && node.statuses.get('killed')?.phase === 'Failed');
  assert.equal(statusOf('bad')?.state?.terminated?.exitCode, 3);
  const { exitCode, signal } = statusOf('killed')?.state?.terminated ?? {};
  assert.deepEqual([exitCode, signal], [137, 9]);
});

test('the last words of a failed container are its termination message where it asks for that', async () => {
  const terminationMessagePolicy = 'FallbackToLogsOnError';
  const words = 'i=0; while [ $i -lt 100 ]; do echo "line $i"; i=$((i + 1)); done; echo the volume is empty; exit 101';
  node.run('talking', { restartPolicy: 'Never', containers: [shell(words, { terminationMessagePolicy })] });
  node.run('silent', { restartPolicy: 'Never', containers: [shell(words)] });
  await until(() => ['talking', 'silent'].every((name) => node.statuses.get(name)?.phase === 'Failed'));
  const { reason, message = '' } = statusOf('talking')?.state?.terminated ?? {};
  assert.equal(reason, 'Error');
  assert.match(message, /^line 21\n[\s\S]*\nthe volume is empty\n$/);
  assert.equal(statusOf('silent')?.state?.terminated?.message, undefined);
});

test('a crashing container is started again with growing delay, and its last end is told', async () => {
  const runner = node.run('crashing', { containers: [shell('echo run; exit 1')] });
  const status = await until(() => {
    const seen = statusOf('crashing');
    return (seen?.restartCount ?? 0) >= 3 && seen?.state?.waiting?.reason === 'CrashLoopBackOff' && seen;
  });
  assert.equal(status.lastState?.terminated?.exitCode, 1);
  assert.deepEqual(linesOf(runner, true), ['run']);
  await runner.end(0, false);
});

test('environment, command and arguments see mounted paths as directories of the host', async () => {
  node.references = referencesOf({ settings: { 'a.yaml': 'content' } });
  const container = shell('cat $FILE /etc/app/a.yaml; cd /data && echo kept > file; pwd -P', {
    env: [{ name: 'FILE', value: '/etc/app/a.yaml' }],
    volumeMounts: [
      { name: 'config', mountPath: '/etc/app' },
      { name: 'data', mountPath: '/data' },
    ],
  });
  const volumes = [
    { name: 'config', configMap: { name: 'settings' } },
    { name: 'data', persistentVolumeClaim: { claimName: 'claim-0' } },
  ];
  const runner = node.run('mounted', { restartPolicy: 'Never', containers: [container], volumes });
  await until(() => node.statuses.get('mounted')?.phase === 'Succeeded');
  assert.deepEqual(linesOf(runner), [`contentcontent${node.claim('claim-0')}`]);
  await runner.end(0, false);
  assert.equal(readFileSync(join(node.claim('claim-0'), 'file'), 'utf8'), 'kept\n');
});

test('a changed ConfigMap reaches a running pod', async () => {
  node.references = referencesOf({ members: { list: 'one' } });
  const container = shell('until grep -q two /peers/list; do sleep 0.02; done; cat /peers/list; echo; exec sleep 100', {
    volumeMounts: [{ name: 'peers', mountPath: '/peers' }],
  });
  const volumes = [{ name: 'peers', configMap: { name: 'members' } }];
  const runner = node.run('watching', { containers: [container], volumes });
  await until(() => statusOf('watching')?.state?.running);
  node.references = referencesOf({ members: { list: 'two' } });
  await runner.refreshVolumes();
  await until(() => linesOf(runner).includes('two'));
  await runner.end(0, false);
});

test('a pod waits for what it mounts and refers to, and says what is missing', async () => {
  node.references = referencesOf();
  const env = [{ name: 'KEY', valueFrom: { secretKeyRef: { name: 'late', key: 'k' } } }];
  const runner = node.run('early', { restartPolicy: 'Never', containers: [shell('echo $KEY', { env })] });
  const waiting = await until(() => waitingOf('early'));
  assert.deepEqual([waiting.reason, waiting.message], ['CreateContainerConfigError', 'secret "late" not found']);
  node.references = referencesOf({}, { late: { k: 'here' } });
  await until(() => node.statuses.get('early')?.phase === 'Succeeded');
  assert.deepEqual(linesOf(runner), ['here']);
});

test('an image that no runtime runs is named', async () => {
  const runner = node.run('strange', { containers: [{ name: 'main', image: 'unknown/thing:1' }] });
  const { reason, message } = await until(() => waitingOf('strange'));
  assert.equal(reason, 'ErrImagePull');
  assert.match(message ?? '', /unknown\/thing:1/);
  await runner.end(0, false);
});

test('init containers run one after the other before the containers', async () => {
  const mount = { volumeMounts: [{ name: 'shared', mountPath: '/shared' }] };
  const initContainers = [
    shell('echo 1 >> /shared/order', { ...mount, name: 'one' }),
    shell('echo 2 >> /shared/order', { ...mount, name: 'two' }),
  ];
  const containers = [shell('cat /shared/order', mount)];
  const volumes = [{ name: 'shared', emptyDir: {} }];
  const runner = node.run('initialized', { restartPolicy: 'Never', initContainers, containers, volumes });
  await until(() => node.statuses.get('initialized')?.phase === 'Succeeded');
  assert.deepEqual(linesOf(runner), ['1', '2']);
});

test('a pod is ready when its readiness probe says so, and no longer when it stops', async () => {
  let status = 503;
  const server = createServer((_request, response) => response.writeHead(status).end()).listen(0, '127.0.0.1');
  await until(() => server.listening);
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const readinessProbe = { httpGet: { path: '/readyz', port: 'http' }, periodSeconds: 0.02, failureThreshold: 2 };
  const container = shell('exec sleep 100', { ports: [{ name: 'http', containerPort: port }], readinessProbe });
  const runner = node.run('probed', { containers: [container] });
  await until(() => statusOf('probed')?.state?.running);
  assert.equal(conditionOf('probed', 'Ready'), 'False');
  status = 200;
  await until(() => conditionOf('probed', 'Ready') === 'True');
  status = 500;
  await until(() => conditionOf('probed', 'Ready') === 'False');
  await runner.end(0, false);
  server.close();
});

test('a failed liveness probe restarts the container', async () => {
  const livenessProbe = {
    exec: { command: ['/bin/sh', '-c', 'test ! -e bad'] },
    periodSeconds: 0.02,
    failureThreshold: 2,
  };
  const container = shell('[ -e again ] && exec sleep 100; touch again bad; exec sleep 100', { livenessProbe });
  const runner = node.run('unwell', { terminationGracePeriodSeconds: 1, containers: [container] });
  await until(() => (statusOf('unwell')?.restartCount ?? 0) >= 1);
  assert.equal(
    node.events.some(({ reason }) => reason === 'Unhealthy'),
    true,
  );
  await runner.end(0, false);
});

test('a container is not started before its startup probe succeeds', async () => {
  const startupProbe = {
    exec: { command: ['/bin/sh', '-c', 'test -e up'] },
    periodSeconds: 0.02,
    failureThreshold: 1000,
  };
  const container = shell('until [ -e go ]; do sleep 0.02; done; touch up; exec sleep 100', { startupProbe });
  const runner = node.run('slow', { containers: [container] });
  await until(() => statusOf('slow')?.state?.running);
  assert.deepEqual([statusOf('slow')?.started, statusOf('slow')?.ready], [false, false]);
  writeFileSync(join(node.directory, 'pods', runner.pod.metadata.uid ?? '', 'containers', 'main', 'work', 'go'), '');
  await until(() => statusOf('slow')?.started === true && statusOf('slow')?.ready === true);
  await runner.end(0, false);
});

const deleted = (runner: PodRunner, grace: number): void =>
  runner.update({
    ...runner.pod,
    metadata: {
      ...runner.pod.metadata,
      deletionTimestamp: new Date().toISOString(),
      deletionGracePeriodSeconds: grace,
    },
  });

test('a deleted pod gets SIGTERM, ends in order, and only then its object goes', async () => {
  const runner = node.run('polite', {
    containers: [shell("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.02; done")],
  });
  await until(() => linesOf(runner).includes('up'));
  const [pid = 0] = runner.pids;
  deleted(runner, 30);
  await until(() => node.removed.includes('polite'));
  assert.equal(alive(pid), false);
  assert.equal(node.statuses.get('polite')?.phase, 'Succeeded');
  await until(() => !existsSync(join(node.directory, 'pods', runner.pod.metadata.uid ?? '')));
});

test('what ignores SIGTERM is killed with all it started when the grace period is over', async () => {
  const runner = node.run('stubborn', {
    containers: [shell("trap '' TERM; sleep 100 & echo $!; while :; do sleep 0.02; done")],
  });
  const child = Number(await until(() => linesOf(runner)[0]));
  deleted(runner, 0.2);
  await until(() => node.removed.includes('stubborn'));
  assert.equal(statusOf('stubborn')?.state?.terminated?.exitCode, 137);
  await until(() => !alive(child), 'the end of the child process');
});

test('the preStop hook runs before SIGTERM', async () => {
  const lifecycle = { preStop: { exec: { command: ['/bin/sh', '-c', 'touch hooked'] } } };
  const script = "trap '[ -e hooked ] && exit 7; exit 8' TERM; echo up; while :; do sleep 0.02; done";
  const runner = node.run('hooked', { containers: [shell(script, { lifecycle })] });
  await until(() => linesOf(runner).includes('up'));
  deleted(runner, 30);
  await until(() => node.removed.includes('hooked'));
  assert.equal(statusOf('hooked')?.state?.terminated?.exitCode, 7);
});

test('a second deletion can only shorten the grace period', async () => {
  const runner = node.run('hurried', { containers: [shell("trap '' TERM; echo up; while :; do sleep 0.02; done")] });
  await until(() => linesOf(runner).includes('up'));
  deleted(runner, 60);
  deleted(runner, 0);
  await until(() => node.removed.includes('hurried'));
});

test('a crash restarts the pod, and work can be done while it is down', async () => {
  const container = shell('[ -e /data/mark ] && echo found || echo empty; touch /data/mark; exec sleep 100', {
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
  });
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'lost' } }];
  const runner = node.run('crashed', { containers: [container], volumes });
  await until(() => existsSync(join(node.claim('lost'), 'mark')));
  runner.crash();
  await until(() => linesOf(runner).includes('found'));
  await until(() => statusOf('crashed')?.restartCount === 1 && runner.pids.length === 1);
  await runner.crashFor(() => rm(join(node.claim('lost'), 'mark')));
  await until(() => statusOf('crashed')?.restartCount === 2 && linesOf(runner).includes('empty'));
  await runner.end(0, false);
});

test('a paused pod says nothing until it is resumed', async () => {
  const runner = node.run('paused', { containers: [shell('while :; do echo tick; sleep 0.02; done')] });
  await until(() => linesOf(runner).length > 0);
  const [pid] = runner.pids;
  runner.pause();
  // A shell that is stopped inside vfork waits for its stopped child: D instead of T.
  await until(() => /\) [TD] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
  const count = linesOf(runner).length;
  runner.resume();
  await until(() => linesOf(runner).length > count + 1);
  await runner.end(0, false);
});

test('a service account of its own becomes a kubeconfig', async () => {
  const runner = node.run('account', {
    serviceAccountName: 'worker',
    restartPolicy: 'Never',
    containers: [shell('cat $KUBECONFIG; echo')],
  });
  await until(() => node.statuses.get('account')?.phase === 'Succeeded');
  assert.deepEqual(linesOf(runner), ['token: token-of-pod']);
});
