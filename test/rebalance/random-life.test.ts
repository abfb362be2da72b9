import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TRANSITIONS } from '../../src/rebalance/lifecycle.ts';
import type { PlanState } from '../../src/rebalance/verbs.ts';
import { randomNumbers } from '../../src/vectors/random.ts';
import { Room } from './room.ts';

const SEEDS = [1, 2, 3];
const ROUNDS = 25;
const LIBRARIES = ['docs', 'code', 'facts', 'notes', 'logs'];
const CLUSTERS = ['a', 'b', 'c'];

type Life = {
  readonly room: Room;
  readonly random: () => number;
  /** Digests that somebody approved, or that mode Auto approves. */
  readonly approved: Set<string>;
  states: PlanState[];
};

const pick = <T>({ random }: Life, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;

/** What people, clusters, libraries and processes do to a policy. */
const EVENTS: readonly ((life: Life) => Promise<unknown>)[] = [
  ({ room }) => room.say('even', 'refresh'),
  ({ room }) => room.say('even', 'refresh'),
  async ({ room, approved }) => {
    const digest = (await room.policy()).status?.plan?.digest;
    if (digest === undefined) return;
    approved.add(digest);
    await room.say('even', `approve=${digest}`);
  },
  async ({ room, approved }) => {
    const digest = (await room.policy()).status?.plan?.digest;
    if (digest === undefined) return;
    approved.add(digest);
    await room.say('even', `approve=${digest}`);
  },
  ({ room }) => room.say('even', 'stop'),
  ({ room }) => room.say('even', 'approve=0000000000000000'),
  ({ room }) => room.moveOrdered(),
  ({ room }) => room.moveOrdered(),
  async (life) => {
    const name = pick(life, LIBRARIES);
    const { status } = await life.room.library(name);
    if (status?.assignment !== undefined && status.assignment.cluster !== status.cluster)
      await life.room.beginMove(name);
  },
  (life) => life.room.libraryStatus(pick(life, LIBRARIES), { change: null }),
  async (life) => {
    const cluster = life.room.clusters.get(pick(life, CLUSTERS));
    if (cluster !== undefined) cluster.silent = cluster.silent === undefined ? 'refused' : undefined;
  },
  async (life) => {
    const library = life.room.libraries.get(pick(life, LIBRARIES));
    if (library !== undefined) library.requests = Math.floor(life.random() * 300);
  },
  async ({ room }) => room.restart(),
];

async function live(seed: number): Promise<Life> {
  const room = await Room.start();
  const life: Life = { room, random: randomNumbers(seed), approved: new Set(), states: [] };
  try {
    for (const name of CLUSTERS) await room.createCluster(name);
    for (const name of LIBRARIES) await room.createLibrary(name, 'a', { requests: Math.floor(life.random() * 300) });
    await room.createPolicy('even', { mode: 'Recommend', budget: { maxMoves: 4, maxConcurrentMoves: 2 } });
    await room.run(660);
    for (let round = 0; round < ROUNDS; round += 1) {
      await pick(life, EVENTS)(life);
      await room.run(30 * (1 + Math.floor(life.random() * 4)));
      await holds(life, `seed ${seed}, round ${round}`);
    }
    return life;
  } finally {
    await room.stop();
  }
}

async function holds({ room, approved, states }: Life, where: string): Promise<void> {
  const { status } = await room.policy();
  const state = status?.plan?.state ?? 'None';
  states.push(state);
  const orders = await Promise.all(LIBRARIES.map(async (name) => (await room.library(name)).status));
  const open = orders.filter((one) => one?.assignment !== undefined && one.assignment.cluster !== one.cluster);
  assert.ok(open.length <= 2, `${where}: ${open.length} orders at a time`);
  for (const one of open)
    assert.ok(approved.has(one?.assignment?.planDigest ?? ''), `${where}: an order that nobody approved`);
  assert.ok((status?.moves ?? []).length <= 2, where);
  assert.equal(room.forbidden(), 0, where);
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  assert.ok(ready !== undefined, where);
}

test('whatever happens, only approved plans are executed, two moves at a time, and every pass comes to rest', async (t) => {
  let count = 0;
  for (const seed of SEEDS) {
    const { states, approved } = await live(seed);
    count += approved.size;
    t.diagnostic(`seed ${seed}: ${[...new Set(states)].join(', ')}; ${approved.size} plans approved`);
  }
  assert.ok(count > 0, 'nothing was ever approved');
});

test('every state of a plan has a way out', () => {
  for (const [state, next] of Object.entries(TRANSITIONS)) assert.ok(next.length > 0, state);
});
