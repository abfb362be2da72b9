import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventRecorder, type KubeEvent, type KubeObject, type Occurrence } from '../../src/kube/index.ts';
import { ManualClock, settle } from './manual-clock.ts';
import { answer, failure, type Script, scriptedServer } from './scripted-server.ts';

const object: KubeObject = {
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { namespace: 'ns', name: 'w', uid: 'u', resourceVersion: '7' },
};
const scaled: Occurrence = { type: 'Normal', reason: 'Scaled', action: 'Scale', note: '1 to 2' };
const ok: Script = (request, response) => answer(response, 201, request.body);

async function recording(script: Script = ok) {
  const server = await scriptedServer(script);
  const clock = new ManualClock();
  const client = server.client({ maxRetries: 0 });
  const recorder = new EventRecorder({ client, controller: 'example.com/widgets', instance: 'pod-1', clock });
  return {
    clock,
    recorder,
    sent: () => server.requests.map(({ method, body }) => ({ method, event: JSON.parse(body) as KubeEvent })),
    [Symbol.asyncDispose]: async () => {
      await recorder.stop();
      await server[Symbol.asyncDispose]();
    },
  };
}

test('an event names what it is about, who reports it, and when to the microsecond', async () => {
  await using world = await recording();
  world.recorder.record(object, scaled);
  await world.recorder.flush();
  const [sent] = world.sent();
  assert.equal(sent?.method, 'POST');
  const { metadata, eventTime, ...rest } = sent?.event ?? assert.fail('nothing sent');
  assert.match(eventTime, /\.\d{6}Z$/);
  assert.match(metadata.name, /^w\.[0-9a-f]{12}$/);
  assert.equal(metadata.namespace, 'ns');
  assert.deepEqual(rest, {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    ...scaled,
    reportingController: 'example.com/widgets',
    reportingInstance: 'pod-1',
    regarding: {
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      name: 'w',
      namespace: 'ns',
      uid: 'u',
      resourceVersion: '7',
    },
  });
});

test('the same thing said again is one event with a series', async () => {
  await using world = await recording();
  world.recorder.record(object, scaled);
  await world.recorder.flush();
  for (let repeat = 0; repeat < 5; repeat += 1) world.recorder.record(object, scaled);
  await world.clock.run(9_000);
  assert.equal(world.sent().length, 1, 'repeats are gathered');
  await world.clock.run(1_000);
  await world.recorder.flush();
  const [first, second, ...more] = world.sent();
  assert.equal(more.length, 0);
  assert.equal(second?.method, 'PATCH');
  assert.equal(second?.event.series?.count, 6);
  assert.match(second?.event.series?.lastObservedTime ?? '', /\.\d{6}Z$/);
  assert.equal(first?.event.series, undefined);
});

test('another note, reason or object is another event', async () => {
  await using world = await recording();
  world.recorder.record(object, scaled);
  world.recorder.record(object, { ...scaled, note: '2 to 3' });
  world.recorder.record(object, { ...scaled, reason: 'Healed' });
  world.recorder.record({ ...object, metadata: { ...object.metadata, uid: 'other' } }, scaled);
  await world.recorder.flush();
  assert.deepEqual(
    world.sent().map(({ method }) => method),
    ['POST', 'POST', 'POST', 'POST'],
  );
});

test('after six quiet minutes the same thing begins a new event', async () => {
  await using world = await recording();
  world.recorder.record(object, scaled);
  await world.recorder.flush();
  await world.clock.run(361_000);
  world.recorder.record(object, scaled);
  await world.recorder.flush();
  assert.deepEqual(
    world.sent().map(({ method }) => method),
    ['POST', 'POST'],
  );
});

test('a long note is cut to 1 kB of whole characters', async () => {
  await using world = await recording();
  world.recorder.record(object, { ...scaled, note: 'é'.repeat(2000) });
  await world.recorder.flush();
  const note = world.sent()[0]?.event.note ?? '';
  assert.ok(Buffer.byteLength(note) <= 1024);
  assert.match(note, /^é+…$/);
});

test('an object without a namespace has its events in default', async () => {
  await using world = await recording();
  world.recorder.record({ ...object, metadata: { name: 'w' } }, scaled);
  await world.recorder.flush();
  assert.equal(world.sent()[0]?.event.metadata.namespace, 'default');
});

test('one object can not flood the server', async () => {
  await using world = await recording();
  for (let index = 0; index < 100; index += 1) world.recorder.record(object, { ...scaled, note: String(index) });
  await world.recorder.flush();
  assert.equal(world.sent().length, 25);
  await world.clock.run(300_000);
  world.recorder.record(object, { ...scaled, note: 'later' });
  await world.recorder.flush();
  assert.equal(world.sent().length, 26);
});

test('an event that the server forgot is made again with its count', async () => {
  await using world = await recording((request, response) =>
    request.method === 'PATCH' ? answer(response, 404, failure(404, 'NotFound')) : ok(request, response),
  );
  world.recorder.record(object, scaled);
  await world.recorder.flush();
  world.recorder.record(object, scaled);
  await world.recorder.flush();
  const last = world.sent().at(-1);
  assert.deepEqual([last?.method, last?.event.series?.count], ['POST', 2]);
});

test('a server that refuses events disturbs nobody', async () => {
  await using world = await recording((_request, response) => answer(response, 403, failure(403, 'Forbidden')));
  world.recorder.record(object, scaled);
  await world.recorder.flush();
  world.recorder.record(object, { ...scaled, note: 'again' });
  await world.recorder.flush();
});

test('stopping writes what is left, waits for a dead server five seconds at most, and records nothing more', async () => {
  await using dead = await recording(() => undefined);
  dead.recorder.record(object, scaled);
  const stopped = dead.recorder.stop();
  await settle();
  await dead.clock.run(5_000);
  await stopped;
  await using world = await recording();
  world.recorder.record(object, scaled);
  world.recorder.record(object, scaled);
  await world.recorder.stop();
  world.recorder.record(object, { ...scaled, reason: 'Late' });
  assert.deepEqual(
    world.sent().map(({ event }) => event.series?.count),
    [2],
  );
});

test('more events than a slow server takes are dropped, not kept', async () => {
  await using world = await recording();
  for (let index = 0; index < 300; index += 1) {
    world.recorder.record({ ...object, metadata: { ...object.metadata, uid: String(index) } }, scaled);
  }
  await world.recorder.flush();
  assert.equal(world.sent().length, 200);
});
