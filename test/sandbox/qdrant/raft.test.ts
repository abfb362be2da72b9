import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { AppendAnswer, AppendRequest } from '../../../sandbox/qdrant/consensus/messages.ts';
import { Raft, TICK_MILLISECONDS } from '../../../sandbox/qdrant/consensus/raft.ts';
import { ConsensusStorage } from '../../../sandbox/qdrant/consensus/storage.ts';
import type { PeerState } from '../../../sandbox/qdrant/state/types.ts';
import { until } from './peers.ts';

const peer = (id: number): PeerState => ({ uri: `http://peer-${id}:6335`, voter: true });
const TICKS = 5;
/** Timers of a busy machine come late, then soon after each other. */
const SLACK = 3;

/** A leader of three, and how often it has sent to the third. */
async function leader(context: TestContext, third: (request: AppendRequest) => Promise<AppendAnswer>) {
  const directory = await mkdtemp(join(tmpdir(), 'raft-'));
  const members: Record<string, PeerState> = { 1: peer(1), 2: peer(2), 3: peer(3) };
  const hard = { this_peer_id: 1, uri: 'http://peer-1:6335', term: 0, vote: null, commit: 0, removed: false };
  const storage = ConsensusStorage.create(directory, hard);
  let sent = 0;
  const raft = new Raft({
    storage,
    members: () => members,
    sendVote: async (_to, request) => ({ term: request.term, granted: true }),
    sendAppend: async (to, request) => {
      if (to === 2) return agreed(request);
      sent += 1;
      await nextTurn();
      return third(request);
    },
    apply: () => storage.hard.commit,
    install: () => undefined,
    onCaughtUp: () => undefined,
  });
  context.after(async () => {
    raft.stop();
    await rm(directory, { recursive: true });
  });
  raft.start();
  await until(async () => raft.role === 'Leader' && storage.hard.commit > 0 && sent > 0);
  const sentIn = async (milliseconds: number): Promise<number> => {
    const before = sent;
    await sleep(milliseconds);
    return sent - before;
  };
  return { raft, members, sentIn };
}

const agreed = ({ term, previousIndex, entries }: AppendRequest): AppendAnswer => ({
  kind: 'ok',
  term,
  match: entries.at(-1)?.index ?? previousIndex,
});

for (const [what, answer] of [
  ['refuses its connection', () => Promise.reject(new Error('ECONNREFUSED'))],
  ['ignores it', () => Promise.resolve<AppendAnswer>({ kind: 'ignored' })],
] as const) {
  test(`a peer that lags and ${what} is sent to once a tick, and no more once it is removed`, async (context) => {
    let away = false;
    const { raft, members, sentIn } = await leader(context, async (request) => (away ? answer() : agreed(request)));
    away = true;
    raft.propose('lost on one', { op: 'noop' });
    const tries = await sentIn(TICKS * TICK_MILLISECONDS);
    assert.ok(tries > 0, 'it is tried again');
    assert.ok(tries <= TICKS + SLACK, `${tries} tries in ${TICKS} ticks`);
    delete members[3];
    raft.propose('removed', { op: 'noop' });
    await sleep(TICK_MILLISECONDS);
    assert.equal(await sentIn(2 * TICK_MILLISECONDS), 0);
  });
}
