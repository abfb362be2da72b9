import assert from 'node:assert/strict';
import { test } from 'node:test';
import { healLostPeer } from '../../src/cluster/decide/heal.ts';
import { calm, claim, pod, viewOf } from './builders.ts';

const TAKEN = 'peer URI http://docs-0 already used by peer 1 which still has shards';
const EMPTY = 'qdrant-librarian: the volume is empty: joining through http://docs-1';

/** What is done about a silent peer 0 of that id, whose pod ended with that message and whose volume bears that mark. */
function about(peer: number, message: string, mark = '1') {
  const members = new Map([
    [peer, 0],
    [2, 1],
    [3, 2],
  ]);
  const { world, topology } = calm({
    view: viewOf({ peers: [null, 2, 3], members }),
    pods: [pod(0, { ready: false, lastExit: { code: 101, message, seconds: 0 } }), pod(1), pod(2)],
    claims: [claim(0, { peer: mark }), claim(1), claim(2)],
  });
  return healLostPeer(world, topology)?.step;
}

for (const message of [TAKEN, EMPTY]) {
  test(`a peer whose pod could not join is given up: ${message}`, () => {
    assert.deepEqual(about(1, message), { kind: 'removePeer', peer: 1, name: 'docs-0' });
  });

  test(`its successor, which joined and does not answer yet, is not: ${message}`, () => {
    assert.equal(about(1009, message), undefined);
  });
}
