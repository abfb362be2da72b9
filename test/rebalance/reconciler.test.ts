import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { Room } from './room.ts';

let room: Room;
beforeEach(async () => {
  room = await Room.start();
});
afterEach(() => room.stop());

/** Three libraries on one of two clusters, one of them busier than the others. */
async function lopsided(): Promise<void> {
  await room.createCluster('a');
  await room.createCluster('b');
  await room.createLibrary('docs', 'a', { requests: 200 });
  await room.createLibrary('code', 'a', { requests: 150 });
  await room.createLibrary('facts', 'a', { requests: 50 });
}

const digest = async (): Promise<string> => (await room.policy()).status?.plan?.digest ?? '';

test('load is seen by cluster, rounded, and too little of the window is said to be too little', async () => {
  await lopsided();
  await room.createPolicy('even', { mode: 'Observe' });
  await room.pass();
  assert.equal(await room.says('Ready'), 'False LoadUnknown');
  await room.run(120);
  const { status } = await room.policy();
  assert.equal(await room.says('Ready'), 'False LoadUnknown');
  assert.match(await room.message('Ready'), /\d+ % of the window is known; it takes 95 %/);
  assert.deepEqual(
    status?.load?.map(({ cluster, libraries, requestsPerMinute }) => [cluster, libraries, requestsPerMinute]),
    [
      ['a', 3, 24_000],
      ['b', 0, 0],
    ],
  );
  await room.run(600);
  assert.equal(await room.says('Ready'), 'True Watching');
  assert.equal(room.forbidden(), 0);
});

test('a plan is shown with its digest, refused to a stale approval, approved, executed as shown, and remembered', async () => {
  await lopsided();
  await room.createPolicy('even', { mode: 'Recommend' });
  await room.run(1500);
  assert.equal(await room.says('Balanced'), 'False Imbalanced');
  const { plan } = (await room.policy()).status ?? {};
  assert.equal(plan?.state, 'Proposed');
  assert.equal(await room.says('Planned'), 'True AwaitingApproval');
  assert.ok((plan?.imbalanceAfterPercent ?? 99) < (plan?.imbalanceBeforePercent ?? 0));
  assert.ok((plan?.lowerBoundRatioPermille ?? 0) >= 1000);

  await room.say('even', 'approve=0123456789abcdef');
  await room.pass();
  assert.equal(await room.says('VerbRefused'), 'True DigestDiffers');
  assert.equal(Object.keys((await room.policy()).metadata.annotations ?? {}).length, 1, 'the annotation stays');
  assert.equal((await room.policy()).status?.plan?.state, 'Proposed');

  await room.say('even', `approve=${await digest()}`);
  await room.pass();
  assert.equal(await room.says('VerbRefused'), undefined);
  assert.deepEqual((await room.policy()).metadata.annotations ?? {}, {}, 'the annotation is gone');
  assert.equal((await room.policy()).status?.plan?.state, 'Running');
  assert.equal((await room.policy()).status?.moves?.length, 1, 'one at a time');

  let moved: string[] = [];
  for (let round = 0; round < 5; round += 1) {
    moved = [...moved, ...(await room.moveOrdered())];
    await room.run(30);
  }
  const { status } = await room.policy();
  assert.equal(status?.plan?.state, 'Completed');
  assert.equal(moved.length, plan?.moves);
  assert.deepEqual(
    status?.history?.map(({ digest: past, state, moved: count }) => [past, state, count]),
    [[plan?.digest, 'Completed', plan?.moves]],
  );
  const reasons = room.events.map(({ reason }) => reason);
  for (const reason of ['Proposed', 'DigestDiffers', 'Approved', 'MoveStarted', 'MoveCompleted', 'Completed'])
    assert.ok(reasons.includes(reason), `event ${reason}`);
  assert.equal(room.forbidden(), 0);
});
