import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Simulation } from './simulation.ts';

function running(size: number, collections: readonly [shards: number, factor: number][] = [[6, 2]]): Simulation {
  const simulation = new Simulation({ size });
  simulation.settle();
  for (const [index, [shards, factor]] of collections.entries())
    simulation.createCollection(`c${index}`, shards, factor);
  simulation.settle();
  return simulation;
}

const loads = ({ members, shards }: Simulation): number[] =>
  [...members.keys()].map((peer) => shards.filter(({ replicas }) => replicas.has(peer)).length);

test('a new cluster is founded once and all its peers join', () => {
  const simulation = new Simulation({ size: 3 });
  simulation.settle();
  assert.equal(simulation.members.size, 3);
  assert.equal(simulation.founded, 1);
  assert.equal(simulation.announced?.founder, undefined);
});

test('nothing is done to a cluster at rest', () => {
  const simulation = running(3);
  const before = simulation.steps.length;
  const status = simulation.cluster.status;
  for (let pass = 0; pass < 20; pass += 1) {
    simulation.pass();
    simulation.tick();
  }
  assert.equal(simulation.steps.length, before);
  assert.deepEqual(simulation.cluster.status, status);
});

test('a new peer gets its share of the shards', () => {
  const simulation = running(3);
  simulation.resize(4);
  simulation.settle();
  assert.deepEqual(loads(simulation), [3, 3, 3, 3]);
});

test('a peer that leaves is drained, removed and stopped; its volume is marked and emptied before it is used again', () => {
  const simulation = running(4);
  simulation.resize(3);
  simulation.settle();
  assert.deepEqual([simulation.members.size, simulation.replicas, simulation.pods.size], [3, 3, 3]);
  assert.notEqual(simulation.claims.get(3)?.removedPeer, undefined);
  simulation.resize(4);
  simulation.settle();
  assert.equal(simulation.members.size, 4);
  assert.equal(simulation.claims.get(3)?.removedPeer, undefined);
  assert.ok(simulation.steps.some(({ kind }) => kind === 'deleteClaims'));
});

test('a peer is stopped while it is a member still, so that it serves to its end; of two the other can not do without it', () => {
  const order = (from: number, to: number): string[] => {
    const simulation = running(from, [[1, 1]]);
    const before = simulation.steps.length;
    simulation.resize(to);
    simulation.settle();
    return simulation.steps.slice(before).flatMap(({ kind }) => (kind === 'startTransfers' ? [] : [kind]));
  };
  assert.deepEqual(order(3, 2), ['lowerReplicas', 'removePeer']);
  assert.deepEqual(order(2, 1), ['removePeer', 'lowerReplicas']);
  assert.deepEqual(order(4, 1), [
    ...['lowerReplicas', 'removePeer', 'lowerReplicas', 'removePeer'],
    ...['removePeer', 'lowerReplicas'],
  ]);
});

test('one peer at a time, from the highest ordinal', () => {
  const simulation = running(5, [[4, 1]]);
  simulation.resize(2);
  simulation.settle();
  const lowered = simulation.steps.flatMap((step) => (step.kind === 'lowerReplicas' ? [step.to] : []));
  assert.deepEqual(lowered, [4, 3, 2]);
});

test('scale-in is refused where a shard would have too few replicas, until the size is taken back', () => {
  const simulation = running(3, [[3, 3]]);
  simulation.resize(2);
  for (let pass = 0; pass < 30; pass += 1) {
    simulation.pass();
    simulation.tick();
  }
  assert.equal(simulation.members.size, 3);
  assert.deepEqual(
    simulation.cluster.status?.operation?.blockedBy?.map(({ name }) => name),
    ['replication-factor-fits'],
  );
  const blocked = simulation.cluster.status?.conditions?.find(({ type }) => type === 'ScalingBlocked');
  assert.equal(blocked?.status, 'True');
  simulation.resize(3);
  simulation.settle();
});

test('with that predicate switched off, replicas that nobody can take are dropped, never the last one', () => {
  const simulation = running(3, [[3, 3]]);
  simulation.disabled = new Set(['replication-factor-fits']);
  simulation.resize(2);
  simulation.settle();
  assert.equal(simulation.members.size, 2);
  assert.ok(simulation.steps.some(({ kind }) => kind === 'dropReplica'));
});

test('a peer whose node is gone for good leaves by scale-in: its replicas are dropped and made anew', () => {
  const simulation = running(4);
  simulation.losePod(3);
  simulation.resize(3);
  simulation.settle();
  assert.equal(simulation.members.size, 3);
  assert.ok(simulation.shards.every(({ replicas }) => replicas.size === 2));
});

test('a mind changed while nobody can tell whether the last peer is out waits until somebody can', () => {
  const simulation = running(3, [[1, 2]]);
  const play = (event: () => void, passes: number) => {
    event();
    for (let pass = 0; pass <= passes; pass += 1) {
      simulation.pass();
      simulation.tick();
    }
  };
  play(() => {
    simulation.template = 'two';
  }, 5);
  play(() => simulation.resize(2), 0);
  play(() => simulation.killPod(0), 0);
  simulation.resize(4);
  simulation.settle();
  assert.equal(simulation.members.size, 4);
});

test('a mind may be changed in the middle of a scale-in', () => {
  for (let at = 0; at < 25; at += 1) {
    const simulation = running(4);
    simulation.resize(3);
    for (let pass = 0; pass < at; pass += 1) {
      simulation.pass();
      simulation.tick();
    }
    simulation.resize(4);
    simulation.settle();
    assert.equal(simulation.members.size, 4, `after ${at} passes`);
    assert.ok(
      [...simulation.pods.values()].every(({ serving }) => serving),
      'all pods serve again',
    );
  }
});

test('a scale-in goes on after the operator was killed at any of its passes, before or after it reported', () => {
  for (let at = 0; at < 25; at += 1) {
    for (const crash of [false, true]) {
      const simulation = running(4);
      simulation.resize(3);
      for (let pass = 0; pass < at; pass += 1) {
        simulation.pass();
        simulation.tick();
      }
      simulation.pass({ crash });
      simulation.restartOperator();
      simulation.settle();
      assert.equal(simulation.members.size, 3, `killed at pass ${at}`);
    }
  }
});

test('a changed template restarts the pods one by one, highest first, each after the settling time', () => {
  const simulation = running(3);
  simulation.template = 'two';
  const restarted: number[] = [];
  for (let second = 0; second < 200; second += 1) {
    const { step } = simulation.pass();
    if (step?.kind === 'deletePod') restarted.push(second);
    simulation.tick();
  }
  assert.equal(restarted.length, 3);
  for (const [index, second] of restarted.slice(1).entries()) {
    assert.ok(second - (restarted[index] ?? 0) >= 5, 'five seconds at least');
  }
  assert.ok([...simulation.pods.values()].every(({ template, serving }) => template === 'two' && serving));
});

test('a cluster of one peer takes over a changed template', () => {
  const simulation = running(1, [[2, 1]]);
  simulation.template = 'two';
  simulation.settle();
  for (let second = 0; second < 30; second += 1) {
    simulation.pass();
    simulation.tick();
  }
  assert.equal(simulation.pods.get(0)?.template, 'two');
});

test('a peer whose consensus failed is not restarted (S1)', () => {
  const simulation = running(3);
  for (const ordinal of [0, 1, 2]) simulation.stoppedWithError.add(ordinal);
  simulation.template = 'two';
  for (let second = 0; second < 30; second += 1) {
    simulation.pass();
    simulation.tick();
  }
  assert.ok(simulation.cluster.status?.operation?.blockedBy?.some(({ name }) => name === 'consensus-not-failed'));
  assert.ok(!simulation.steps.some(({ kind }) => kind === 'deletePod'));
});

test('a killed peer comes back by itself', () => {
  const simulation = running(3);
  const before = simulation.steps.length;
  simulation.killPod(1);
  simulation.settle();
  assert.equal(simulation.steps.length, before);
});

test('a lost volume: its replicas are dropped where others are Active, the peer joins anew and gets replicas again', () => {
  for (const ordinal of [0, 1, 2]) {
    const simulation = running(3);
    simulation.loseVolume(ordinal);
    simulation.settle();
    assert.equal(simulation.members.size, 3);
    assert.equal(simulation.founded, 1);
    assert.ok(simulation.shards.every(({ replicas }) => replicas.size === 2));
  }
});

test('a lost volume with the last replica of a shard: nothing is dropped, and the predicate says so (S3)', () => {
  const simulation = running(3, [[3, 1]]);
  simulation.loseVolume(2);
  for (let pass = 0; pass < 30; pass += 1) {
    simulation.pass();
    simulation.tick();
  }
  assert.ok(!simulation.steps.some(({ kind }) => kind === 'dropReplica' || kind === 'removePeer'));
  assert.deepEqual(
    simulation.cluster.status?.operation?.blockedBy?.map(({ name }) => name),
    ['another-replica-active'],
  );
});

test('the first peer of a one-peer cluster that lost its volume founds again only when told to (S10)', () => {
  const simulation = running(1, []);
  simulation.loseVolume(0);
  simulation.members.clear();
  for (let pass = 0; pass < 20; pass += 1) {
    simulation.pass();
    simulation.tick();
  }
  assert.equal(simulation.founded, 1);
  const { metadata } = simulation.cluster;
  simulation.cluster = {
    ...simulation.cluster,
    metadata: { ...metadata, annotations: { 'qdrant-librarian.io/found-again': 'yes-1' } },
  };
  simulation.founded = 0;
  simulation.settle();
  assert.equal(simulation.founded, 1);
  assert.equal(simulation.cluster.status?.lastHandled?.['found-again'], 'yes-1');
  assert.equal(simulation.announced?.founder, undefined);
});

const happening = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('resize' as const), size: fc.integer({ min: 2, max: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('kill' as const), pod: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restartOperator' as const), crash: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('loseVolume' as const), pod: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('template' as const) }) },
);

/** Whether a peer may go away: all answer, none recovers, and no shard is on it alone. */
function bears(simulation: Simulation, ordinal: number): boolean {
  const peer = simulation.peerOf(ordinal);
  if (
    peer === undefined ||
    !simulation.answers(ordinal) ||
    ![...simulation.members.values()].every((one) => simulation.answers(one))
  )
    return false;
  return simulation.shards.every(
    ({ replicas }) => !replicas.has(peer) || [...replicas].some(([id, state]) => id !== peer && state === 'Active'),
  );
}

test('whatever happens and whenever the operator is killed, no shard loses its last replica and the world converges', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(happening, fc.nat(12)), { maxLength: 8 }),
      fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 2 })), {
        minLength: 1,
        maxLength: 3,
      }),
      (story, collections) => {
        const simulation = running(3, collections);
        let templates = 1;
        for (const [event, passes] of story) {
          let crash = false;
          if (event.kind === 'resize') simulation.resize(event.size);
          else if (event.kind === 'template') {
            templates += 1;
            simulation.template = `t${templates}`;
          } else if (event.kind === 'restartOperator') crash = event.crash;
          else if (bears(simulation, event.pod)) {
            // Of two peers none can be given up: the other is no majority.
            const lost = event.kind === 'loseVolume' && simulation.members.size >= 3;
            simulation[lost ? 'loseVolume' : 'killPod'](event.pod);
          }
          simulation.pass({ crash });
          if (event.kind === 'restartOperator') simulation.restartOperator();
          for (let pass = 0; pass < passes; pass += 1) {
            simulation.tick();
            simulation.pass();
          }
        }
        simulation.tick();
        simulation.settle(900);
        assert.equal(simulation.members.size, simulation.cluster.spec.size);
        assert.equal(simulation.replicas, simulation.cluster.spec.size);
        const counts = loads(simulation);
        assert.ok(Math.max(...counts) - Math.min(...counts) <= 2, `balanced: ${counts.join()}`);
      },
    ),
    { numRuns: 60 },
  );
});
