import assert from 'node:assert/strict';
import { test } from 'node:test';
import { API_VERSION, type DomainLibrary, type DomainLibraryStatus } from '../../src/api/index.ts';
import { follow } from '../../src/rebalance/decide/follow.ts';
import type { MoveRecord } from '../../src/rebalance/kept.ts';
import { NOW } from './problems.ts';

const ordered = { policy: 'even', digest: 'cafe', now: NOW };
const assignment = { cluster: 'b', policy: 'even', planDigest: 'cafe' };
const record: MoveRecord = {
  index: 0,
  library: 'docs',
  from: 'a',
  to: 'b',
  bytes: 1,
  state: 'Running',
  startedAt: NOW,
};
const change = { step: 'Copying', from: 1, to: 2, reason: '', startedAt: '', toCluster: 'b' } as const;

const library = (
  status: Partial<DomainLibraryStatus>,
  spec: object = { placement: { clusterSelector: {} } },
): DomainLibrary =>
  ({ apiVersion: API_VERSION, kind: 'DomainLibrary', metadata: { name: 'docs' }, spec, status }) as DomainLibrary;

test('the order is given until it stands, and again where it was lost before anything began', () => {
  assert.equal(follow(record, library({ cluster: 'a' }), ordered).order, true);
  assert.equal(follow(record, library({ cluster: 'a', assignment }), ordered).order, false);
  const others = { ...assignment, planDigest: 'beef' };
  assert.equal(follow(record, library({ cluster: 'a', assignment: others }), ordered).order, true);
});

test('a move is done when the library lives there and has finished its change', () => {
  assert.equal(follow(record, library({ cluster: 'b', assignment, change }), ordered).record.state, 'Running');
  const done = follow(record, library({ cluster: 'b', assignment }), ordered);
  assert.deepEqual([done.record.state, done.record.endedAt, done.withdraw], ['Done', NOW, false]);
});

test('another change of the library is no move: it is waited for', () => {
  const other = { ...change, toCluster: undefined };
  const waiting = follow(record, library({ cluster: 'a', assignment, change: other as never }), ordered);
  assert.deepEqual([waiting.record.state, waiting.record.begun], ['Running', undefined]);
});

test('a move that began and is no more was given up: the order goes, too', () => {
  const begun = follow(record, library({ cluster: 'a', assignment, change }), ordered).record;
  assert.equal(begun.begun, true);
  const ended = follow(begun, library({ cluster: 'a', assignment }), ordered);
  assert.deepEqual([ended.record.state, ended.withdraw], ['Failed', true]);
});

test('a library that is gone or pinned fails its move by name', () => {
  assert.equal(follow(record, undefined, ordered).record.message, 'library docs is gone');
  const pinned = library({ cluster: 'a' }, { placement: { clusterRef: { name: 'a' } } });
  assert.match(follow(record, pinned, ordered).record.message ?? '', /names a now/);
});

test('an order that is taken back is taken back until it is gone, and the move ends by its library', () => {
  const back = { ...record, withdrawn: true };
  assert.deepEqual(follow(back, library({ cluster: 'a', assignment }), ordered).withdraw, true);
  assert.equal(follow(back, library({ cluster: 'a', change }), ordered).record.state, 'Running');
  assert.equal(follow(back, library({ cluster: 'a' }), ordered).record.state, 'Stopped');
  assert.equal(follow(back, library({ cluster: 'b' }), ordered).record.state, 'Done');
});

test('what has ended stays as it ended', () => {
  for (const state of ['Done', 'Failed', 'Stopped'] as const) {
    const told = follow({ ...record, state }, undefined, ordered);
    assert.deepEqual(told, { record: { ...record, state }, order: false, withdraw: false });
  }
});
