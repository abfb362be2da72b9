import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import {
  CONFIG_MAPS,
  type ConfigMap,
  Controller,
  type ControllerOptions,
  Informer,
  KubeError,
  type Outcome,
  TerminalError,
  watching,
} from '../../src/kube/index.ts';
import { createLogger } from '../../src/telemetry/index.ts';
import { ConfigMapServer } from './config-map-server.ts';
import { hastyClock, until } from './scripted-server.ts';

const done: Outcome = { kind: 'done' };

type Reconcile = ControllerOptions<ConfigMap>['reconcile'];

async function running(reconcile: Reconcile, options: Partial<ControllerOptions<ConfigMap>> = {}) {
  const server = await ConfigMapServer.start();
  const lines: string[] = [];
  const metrics = new Registry();
  const client = server.http.client({ maxRetries: 0 });
  const primary = new Informer({ client, type: CONFIG_MAPS, clock: hastyClock });
  const controller = new Controller({
    name: 'test',
    primary,
    reconcile,
    clock: hastyClock,
    metrics,
    log: createLogger('debug', { write: (line) => lines.push(line) }),
    backoffFloorSeconds: 0.1,
    ...options,
  });
  const stop = new AbortController();
  const ended = Promise.all([primary.start(stop.signal), controller.start(stop.signal)]);
  await primary.whenSynced();
  return {
    server,
    controller,
    stop,
    ended,
    logged: (message: string) =>
      lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter((line) => line['msg'] === message),
    metric: async (line: string) => (await metrics.metrics()).includes(line),
    metrics: () => metrics.metrics(),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await ended;
      await server.http[Symbol.asyncDispose]();
    },
  };
}

/** Answers in turn, then always the last; counts its calls per object. */
function script(...answers: (Outcome | Error)[]): { reconcile: Reconcile; calls: string[] } {
  const calls: string[] = [];
  const reconcile: Reconcile = ({ name }) => {
    const answer = answers[Math.min(calls.length, answers.length - 1)] ?? done;
    calls.push(name);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  return { reconcile, calls };
}

test('each object is reconciled when it appears and when it changes', async () => {
  const { reconcile, calls } = script(done);
  await using world = await running(reconcile);
  world.server.put('a');
  await until('a', () => calls.length === 1);
  world.server.put('a');
  await until('a again', () => calls.length === 2);
  world.server.remove('a');
  await until('its deletion', () => calls.length === 3);
  assert.ok(await world.metric('controller_runtime_reconcile_total{controller="test",result="success"} 3'));
});

test('metrics are there with 0 before anything happened', async () => {
  await using world = await running(script(done).reconcile, { workers: 3 });
  for (const line of [
    ...['success', 'error', 'requeue', 'requeue_after'].map(
      (result) => `controller_runtime_reconcile_total{controller="test",result="${result}"} 0`,
    ),
    'controller_runtime_reconcile_errors_total{controller="test"} 0',
    'controller_runtime_terminal_reconcile_errors_total{controller="test"} 0',
    'controller_runtime_reconcile_panics_total{controller="test"} 0',
    'controller_runtime_reconcile_timeouts_total{controller="test"} 0',
    'controller_runtime_reconcile_time_seconds_count{controller="test"} 0',
    'controller_runtime_max_concurrent_reconciles{controller="test"} 3',
    'controller_runtime_active_workers{controller="test"} 0',
    'workqueue_adds_total{name="test",controller="test"} 0',
  ]) {
    assert.ok(await world.metric(line), `${line}\nin\n${await world.metrics()}`);
  }
});

test('wait means: look again after that time', async () => {
  const { reconcile, calls } = script({ kind: 'wait', seconds: 1, reason: 'Copying', message: '' }, done);
  await using world = await running(reconcile);
  world.server.put('a');
  await until('the second look', () => calls.length === 2);
  assert.ok(await world.metric('result="requeue_after"} 1'));
});

test('an error is tried again with growing delay', async () => {
  const { reconcile, calls } = script(new Error('one'), new Error('two'), done);
  await using world = await running(reconcile);
  world.server.put('a');
  await until('the third try', () => calls.length === 3);
  assert.ok(await world.metric('controller_runtime_reconcile_errors_total{controller="test"} 2'));
  assert.ok(await world.metric('workqueue_retries_total{name="test",controller="test"} 2'));
  assert.equal(world.logged('reconcile failed').length, 2);
});

test('neither a terminal error nor a stalled object is tried again before it changes', async () => {
  const stalled: Outcome = { kind: 'stalled', reason: 'BadField', message: '' };
  const { reconcile, calls } = script(new TerminalError('BadField', 'no'), stalled, done);
  await using world = await running(reconcile);
  world.server.put('a');
  await until('the error', () => world.metric('terminal_reconcile_errors_total{controller="test"} 1'));
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(calls.length, 1);
  world.server.put('a');
  await until('the stall', () => world.metric('terminal_reconcile_errors_total{controller="test"} 2'));
  world.server.put('a');
  await until('success', () => world.metric('result="success"} 1'));
});

test('a conflict is tried again without being called an error', async () => {
  const conflict = new KubeError({ verb: 'update', resource: 'x', status: 409, reason: 'Conflict' });
  const { reconcile, calls } = script(conflict, done);
  await using world = await running(reconcile);
  world.server.put('a');
  await until('the second try', () => calls.length === 2);
  assert.ok(await world.metric('controller_runtime_reconcile_errors_total{controller="test"} 0'));
  assert.ok(await world.metric('result="requeue"} 1'));
});

test('what can not be made because its namespace is being deleted is tried again without being called an error', async () => {
  const leaving = new KubeError({
    ...{ verb: 'create', resource: 'secrets', status: 403, reason: 'Forbidden' },
    details: { causes: [{ reason: 'NamespaceTerminating', field: 'metadata.namespace' }] },
  });
  const { reconcile, calls } = script(leaving, done);
  await using world = await running(reconcile);
  world.server.put('a');
  await until('the second try', () => calls.length === 2);
  assert.ok(await world.metric('controller_runtime_reconcile_errors_total{controller="test"} 0'));
  assert.equal(world.logged('reconcile failed').length, 0);
  assert.equal(world.logged('the namespace is being deleted; trying again').length, 1);
});

test('a mistake in the code is counted as a panic, and the controller goes on', async () => {
  let calls = 0;
  await using world = await running(() => {
    calls += 1;
    if (calls === 1) throw new TypeError('undefined is not a function');
    return Promise.resolve(done);
  });
  world.server.put('a');
  await until('the second try', () => calls === 2);
  assert.ok(await world.metric('controller_runtime_reconcile_panics_total{controller="test"} 1'));
});

test('a pass that takes too long is aborted and tried again', async () => {
  let calls = 0;
  const reconcile: Reconcile = (_key, { signal }) => {
    calls += 1;
    if (calls > 1) return Promise.resolve(done);
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  };
  await using world = await running(reconcile, { timeoutSeconds: 0.02 });
  world.server.put('a');
  await until('the second try', () => calls === 2);
  assert.ok(await world.metric('controller_runtime_reconcile_timeouts_total{controller="test"} 1'));
});

test('one object is never reconciled twice at once, different ones are', async () => {
  const now = new Set<string>();
  let most = 0;
  let passes = 0;
  const reconcile: Reconcile = async ({ name }) => {
    assert.ok(!now.has(name));
    now.add(name);
    most = Math.max(most, now.size);
    await new Promise((resolve) => setTimeout(resolve, 5));
    now.delete(name);
    passes += 1;
    return done;
  };
  await using world = await running(reconcile, { workers: 2 });
  for (const name of ['a', 'b', 'a', 'b', 'a']) world.server.put(name);
  await until('all', () => passes >= 3 && now.size === 0);
  assert.equal(most, 2);
  assert.ok(await world.metric('controller_runtime_reconcile_errors_total{controller="test"} 0'));
});

test('every pass has an id of its own, and its log lines carry it', async () => {
  await using world = await running(({ name }, { log }) => {
    log.info({ step: name }, 'working');
    return Promise.resolve(done);
  });
  world.server.put('a');
  world.server.put('b');
  await until('both', () => world.logged('working').length >= 2);
  const [first, second] = world.logged('working');
  assert.match(String(first?.['reconcileID']), /^[0-9a-f-]{36}$/);
  assert.notEqual(first?.['reconcileID'], second?.['reconcileID']);
  assert.deepEqual([first?.['controller'], first?.['namespace'], first?.['object']], ['test', 'ns', 'a']);
});

test('changes of watched objects wake up those they map to, before the change and after it', async () => {
  const seen = new Set<string>();
  const server = await ConfigMapServer.start();
  await using _ = server.http;
  const client = server.http.client();
  const primary = new Informer({ client, type: CONFIG_MAPS, clock: hastyClock });
  const controller = new Controller({
    name: 'test',
    primary,
    filter: () => false,
    watches: [
      watching({
        informer: primary,
        map: ({ data, metadata }) => [{ namespace: metadata.namespace ?? '', name: data?.['owner'] ?? '' }],
      }),
    ],
    reconcile: ({ name }) => {
      seen.add(name);
      return Promise.resolve(done);
    },
  });
  const stop = new AbortController();
  const ended = Promise.all([primary.start(stop.signal), controller.start(stop.signal)]);
  server.put('a', { owner: 'x' });
  await until('x', () => seen.has('x'));
  seen.clear();
  server.put('a', { owner: 'y' });
  await until('x and y', () => seen.has('x') && seen.has('y'));
  stop.abort();
  await ended;
});

test('every object is looked at again from time to time', async () => {
  const { reconcile, calls } = script(done);
  await using world = await running(reconcile, { resyncSeconds: 1 });
  world.server.put('a');
  await until('several looks', () => calls.length > 3);
});

test('stopping waits for what is in hand and begins nothing new', async () => {
  const release = Promise.withResolvers<void>();
  const calls: string[] = [];
  await using world = await running(async ({ name }) => {
    calls.push(name);
    await release.promise;
    return done;
  });
  world.server.put('a');
  world.server.put('b');
  await until('a', () => calls.length === 1);
  world.stop.abort();
  let ended = false;
  const waiting = world.ended.then(() => {
    ended = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(ended, false);
  release.resolve();
  await waiting;
  assert.deepEqual(calls, ['a']);
});

test('what does not end within the grace of a stop is aborted', async () => {
  let began = false;
  await using world = await running((_key, { signal }) => {
    began = true;
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  world.server.put('a');
  await until('the pass', () => began);
  world.stop.abort();
  await world.ended;
  assert.equal(world.logged('graceful stop took too long').length, 1);
});

test('a cache that is never complete fails the start and is named', async () => {
  const server = await ConfigMapServer.start();
  await using _ = server.http;
  const primary = new Informer({ client: server.http.client(), type: CONFIG_MAPS });
  const clock = { ...hastyClock, sleep: () => Promise.resolve() };
  const controller = new Controller({ name: 'test', primary, reconcile: () => Promise.resolve(done), clock });
  await assert.rejects(controller.start(new AbortController().signal), /configmaps \(not started\)/);
});

test('the leadership check of the process reaches the pass', async () => {
  const failures: unknown[] = [];
  const assertLeading = (): void => {
    throw new Error('not leading');
  };
  const reconcile: Reconcile = (_key, context) => {
    try {
      context.assertLeading();
    } catch (error) {
      failures.push(error);
    }
    return Promise.resolve(done);
  };
  await using world = await running(reconcile, { assertLeading });
  world.server.put('a');
  await until('the check', () => failures.length === 1);
});
