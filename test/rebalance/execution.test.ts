import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { CONFIG_MAPS } from '../../src/kube/index.ts';
import { NAMESPACE, Room } from './room.ts';

let room: Room;
beforeEach(async () => {
  room = await Room.start();
  await room.createCluster('a');
  await room.createCluster('b');
  await room.createLibrary('docs', 'a', { requests: 200 });
  await room.createLibrary('code', 'a', { requests: 150 });
  await room.createLibrary('facts', 'a', { requests: 50 });
});
afterEach(() => room.stop());

const state = async (): Promise<string | undefined> => (await room.policy()).status?.plan?.state;
const digest = async (): Promise<string> => (await room.policy()).status?.plan?.digest ?? '';
const moving = async (): Promise<string> => (await room.policy()).status?.moves?.[0]?.library ?? '';

async function proposed(): Promise<void> {
  await room.createPolicy('even', { mode: 'Recommend' });
  await room.run(720);
  await room.say('even', 'refresh');
  await room.pass();
  assert.equal(await state(), 'Proposed');
}

async function approved(): Promise<void> {
  await proposed();
  await room.say('even', `approve=${await digest()}`);
  await room.pass();
  assert.equal(await state(), 'Running');
}

test('a process that takes over goes on with plan, moves and load where they were', async () => {
  await approved();
  const library = await moving();
  await room.run(120);
  room.restart();
  await room.run(60);
  assert.equal(await state(), 'Running');
  assert.equal(await moving(), library);
  const known = (await room.policy()).status?.load?.find(({ cluster }) => cluster === 'a')?.knownPercent ?? 0;
  assert.ok(known >= 70, `of the window ${known} % are known`);
  for (let round = 0; round < 4; round += 1) {
    await room.moveOrdered();
    await room.run(30);
  }
  assert.equal(await state(), 'Completed');
});

test('an order that was lost before it was given is given again, and only to the library of the plan', async () => {
  await approved();
  const library = await moving();
  await room.libraryStatus(library, { assignment: null });
  await room.run(30);
  const given = (await room.library(library)).status?.assignment;
  assert.deepEqual(given, { cluster: 'b', policy: 'even', planDigest: await digest() });
});

test('stop takes the order back; the library ends its move by its own rules, and refresh looks for another plan', async () => {
  await approved();
  const library = await moving();
  await room.beginMove(library);
  await room.run(30);
  assert.equal((await room.policy()).status?.moves?.[0]?.step, 'BaseCopy');
  await room.say('even', 'stop');
  await room.pass();
  assert.equal(await state(), 'Stopped');
  assert.equal((await room.library(library)).status?.assignment, undefined);
  assert.equal((await room.policy()).status?.moves?.length, 1, 'it runs until its library says otherwise');
  await room.libraryStatus(library, { change: null });
  await room.run(60);
  assert.equal((await room.policy()).status?.moves, undefined);
  assert.equal(await state(), 'Stopped', 'no other plan is pushed');
  assert.equal(await room.says('Planned'), 'False Ended');
  await room.say('even', 'refresh');
  await room.pass();
  assert.equal(await state(), 'Proposed');
});

test('a move that its library gives up ends the plan with the library’s words, and nothing else begins', async () => {
  await approved();
  const library = await moving();
  await room.beginMove(library);
  await room.run(30);
  const condition = {
    type: 'MoveBlocked',
    status: 'True',
    reason: 'PredicatesRefuse',
    message: 'target-ready: b is not Ready',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  };
  await room.libraryStatus(library, { change: null, conditions: [condition] });
  await room.run(60);
  assert.equal(await state(), 'Failed');
  assert.equal((await room.library(library)).status?.assignment, undefined, 'the order is taken back');
  const event = room.events.find(({ reason }) => reason === 'MoveFailed');
  assert.match(event?.note ?? '', /target-ready: b is not Ready/);
  const moved = await room.moveOrdered();
  assert.deepEqual(moved, []);
});

test('an order that nobody takes up for ten minutes is given up', async () => {
  await approved();
  await room.run(540);
  assert.equal(await state(), 'Running');
  await room.run(120);
  assert.equal(await state(), 'Failed');
  assert.match(
    room.events.find(({ reason }) => reason === 'MoveFailed')?.note ?? '',
    /has not begun to move within 600 s/,
  );
});

test('a library that is pinned under a plan ends it by name, before anything moves', async () => {
  await proposed();
  const plan = await room.planned();
  const [first] = plan.moves;
  await room.changeLibrary(first?.library ?? '', {
    spec: { placement: { clusterSelector: null, clusterRef: { name: 'a' } } },
  });
  await room.say('even', `approve=${await digest()}`);
  await room.run(30);
  assert.notEqual(await state(), 'Running');
  assert.ok(room.events.some(({ reason, note }) => reason === 'InputsChanged' && note.includes('names a now')));
  assert.deepEqual(await room.moveOrdered(), []);
});

test('a plan that somebody has changed is never executed', async () => {
  await proposed();
  const key = { namespace: NAMESPACE, name: 'even-plan' };
  const map = await room.admin.get(CONFIG_MAPS, key);
  const text = (map.data?.['plan.json'] ?? '').replaceAll('"to": "b"', '"to": "a"');
  await room.admin.patch(CONFIG_MAPS, key, { data: { 'plan.json': text } }, { type: 'merge' });
  await room.say('even', `approve=${await digest()}`);
  await room.pass();
  assert.deepEqual(await room.moveOrdered(), []);
  assert.ok(room.events.some(({ reason, note }) => reason === 'InputsChanged' && note.includes("can't be read back")));
});

test('a plan that nobody approves expires after a quarter of an hour, and leaves no trace in the history', async () => {
  await proposed();
  await room.run(930);
  assert.ok(room.events.some(({ reason }) => reason === 'Expired'));
  const { plan, history } = (await room.policy()).status ?? {};
  assert.equal(history, undefined);
  assert.equal(plan?.state, 'Proposed', 'another one is shown');
  assert.ok(Date.parse(plan?.expiresAt ?? '') > room.now);
});

test('in mode Auto a plan waits for its window and then runs by itself', async () => {
  const windows = [{ schedule: '0 9 * * *', durationMinutes: 30 }];
  await room.createPolicy('even', { mode: 'Auto', windows });
  await room.run(1500);
  assert.equal(await room.says('Planned'), 'True AwaitingWindow');
  assert.match(await room.message('Planned'), /the next window opens at 2026-03-02T09:00:00/);
  await room.run(35 * 60);
  // Once for its age, when the window has opened.
  assert.ok(room.events.filter(({ reason }) => reason === 'Expired').length <= 1);
  assert.equal(await state(), 'Running', new Date(room.now).toISOString());
});

test('what is only observed is never planned, and a suspended policy does nothing at all', async () => {
  await room.createPolicy('even', { mode: 'Observe' });
  await room.run(1500);
  assert.equal(await room.says('Planned'), 'False Observing');
  assert.equal(room.plans, 0);
  await room.changePolicy('even', { spec: { mode: 'Auto', suspend: true } });
  await room.pass();
  assert.equal(await room.says('Suspended'), 'True Suspended');
  room.writes();
  await room.run(600);
  assert.deepEqual(room.writes(), []);
  assert.equal(room.plans, 0);
  await room.changePolicy('even', { spec: { suspend: null } });
  await room.pass();
  assert.equal(await room.says('Suspended'), undefined);
});
