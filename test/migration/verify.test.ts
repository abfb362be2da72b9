import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerState, SideState } from '../../src/migration/side.ts';
import { aliasedEverywhere, commonFence, queued, unreadable } from '../../src/migration/side.ts';
import { type Evidence, objections, parseRanges, rangesText } from '../../src/migration/verify.ts';

const peer = (change: Partial<PeerState> = {}): PeerState => ({
  peer: 'docs-0',
  exists: true,
  unreadableShards: [],
  inactive: [],
  transfers: 0,
  fence: 'x',
  updateQueue: 0,
  aliases: ['docs'],
  ...change,
});
const state = (...peers: PeerState[]): SideState => ({ silent: [], peers: peers.length === 0 ? [peer()] : peers });
const digest = { count: 3, sum: 7n };

const calm = (change: Partial<Evidence> = {}): Evidence => ({
  ranges: new Map([[4, { source: digest, target: digest }]]),
  counts: { source: 3, target: 3 },
  states: [{ side: 'source', state: state() }],
  ...change,
});

test('equal digests and counts of fully readable sides are a proof', () => {
  assert.deepEqual(objections(calm()), []);
});

const against: [string, Partial<Evidence>, RegExp][] = [
  [
    'digests differ',
    { ranges: new Map([[4, { source: digest, target: { count: 3, sum: 8n } }]]) },
    /differ in 1 ranges/,
  ],
  ['the source counts more than was read', { counts: { source: 4, target: 3 } }, /source counts 4/],
  ['the target counts less than was read', { counts: { source: 3, target: 2 } }, /target counts 2/],
  [
    'a shard was not readable (S2)',
    { states: [{ side: 'target', state: state(peer({ unreadableShards: [2] })) }] },
    /target may have been read in part: shards 2/,
  ],
  [
    'a peer was silent',
    { states: [{ side: 'source', state: { silent: [{ peer: 'docs-1', error: 'refused' }], peers: [peer()] } }] },
    /docs-1 doesn't answer: refused/,
  ],
];
for (const [what, change, reason] of against) {
  test(`it is no proof when ${what}`, () => assert.match(objections(calm(change)).join(), reason));
}

test('digests by range survive being written down', () => {
  const { ranges } = calm();
  assert.deepEqual(parseRanges(rangesText(ranges)), new Map([[4, digest]]));
  assert.deepEqual(parseRanges(''), new Map());
});

test('no peer at all, or one that does not know the collection, is not readable', () => {
  assert.match(unreadable({ silent: [], peers: [] }) ?? '', /no peer/);
  assert.match(unreadable(state(peer({ exists: false }))) ?? '', /doesn't know/);
});

test('a fence counts only when every peer shows the same one', () => {
  assert.equal(commonFence(state(peer(), peer())), 'x');
  assert.equal(commonFence(state(peer(), peer({ fence: undefined }))), undefined);
  assert.equal(commonFence({ ...state(), silent: [{ peer: 'docs-1', error: '' }] }), undefined);
});

test('an alias counts only when every peer shows it', () => {
  assert.equal(aliasedEverywhere(state(peer(), peer()), 'docs'), true);
  assert.equal(aliasedEverywhere(state(peer(), peer({ aliases: [] })), 'docs'), false);
  assert.equal(aliasedEverywhere({ silent: [], peers: [] }, 'docs'), false);
});

test('a queue is known only when every peer tells its length', () => {
  assert.equal(queued(state(peer({ updateQueue: 2 }), peer({ updateQueue: 3 }))), 5);
  assert.equal(queued(state(peer(), peer({ updateQueue: undefined }))), undefined);
});
