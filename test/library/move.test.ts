import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accepting, filled, to, until } from './moving.ts';
import { ready, type Sim, type SimQdrant } from './sim.ts';

test('a move goes through all its steps; the source stays, bears no name, and the status follows', () => {
  const { sim, cloud } = filled({ aliases: ['manual'] });
  sim.edit(to('cloud'));
  const seen: string[] = [];
  sim.settle(60, () => {
    const step = sim.library.status?.change?.step ?? '-';
    if (seen.at(-1) !== step) seen.push(step);
    assert.ok(accepting(sim).length <= 1, `writes are accepted on ${accepting(sim).join(' and ')}`);
  });
  assert.deepEqual(seen, ['-', 'Probed', 'Building', 'Copying', 'Converging', 'Fenced', 'Verified', 'Switched', '-']);
  assert.equal(sim.library.status?.cluster, 'cloud');
  assert.deepEqual(Object.fromEntries(cloud.aliases), { docs: 'docs--g2', manual: 'docs--g2' });
  assert.deepEqual([...sim.aliases], []);
  assert.equal(cloud.collections.get('docs--g2')?.points.size, 10);
  assert.deepEqual(
    sim.library.status?.generations?.map(({ number, cluster, state }) => [number, cluster, state]),
    [
      [1, 'main', 'Retired'],
      [2, 'cloud', 'Active'],
    ],
  );
  assert.deepEqual(accepting(sim), ['cloud']);
  assert.equal(sim.condition('Ready')?.status, 'True');
  assert.ok(sim.events.includes('Moved'));
  assert.equal(sim.jobs.length, 0);
  const done = sim.steps.length;
  sim.settle(5);
  assert.equal(sim.steps.length, done, 'nothing is left to do');
});

test('and back, onto what it had left: compared, not copied, and promised while the numbers allow it', () => {
  const { sim, cloud } = filled();
  sim.edit(to('cloud'));
  sim.settle(60);
  assert.match(sim.condition('QuickReturn')?.message ?? '', /docs--g1\) on main takes about 21 s/);
  assert.equal(sim.condition('QuickReturn')?.status, 'True');
  sim.write(99, 'written on cloud');
  sim.write(3, undefined);
  sim.edit(to('main'));
  sim.settle(60, () => assert.ok(accepting(sim).length <= 1));
  assert.equal(sim.library.status?.cluster, 'main');
  assert.equal(sim.library.status?.generation, 3);
  assert.equal(sim.aliases.get('docs'), 'docs--g1');
  assert.deepEqual([...sim.collections.keys()], ['docs--g1']);
  assert.equal(sim.active?.points.get(99), 'written on cloud');
  assert.equal(sim.active?.points.has(3), false);
  assert.equal(cloud.aliases.size, 0);
  assert.ok(sim.events.includes('MovedBack'));
  assert.equal(sim.steps.findLast((step) => step.kind === 'startCopy')?.again, true);
  assert.deepEqual(
    sim.library.status?.generations?.map(({ number, collection, state }) => [number, collection, state]),
    [
      [2, 'docs--g2', 'Retired'],
      [3, 'docs--g1', 'Active'],
    ],
  );
});

test('a way back that is too long, out of reach, or of another shape is not promised, and says why', () => {
  const { sim } = filled();
  sim.edit(to('cloud'));
  sim.settle(60);
  const { status } = sim.library;
  const entry = status?.generations?.find(({ number }) => number === 1);
  assert.ok(entry !== undefined);
  entry.returnSeconds = 301;
  sim.pass();
  assert.deepEqual(
    [sim.condition('QuickReturn')?.status, sim.condition('QuickReturn')?.reason],
    ['False', 'TakesLonger'],
  );
  sim.main.blind = { kind: 'blind', reason: 'Unreachable', message: 'no peer answers' };
  sim.pass();
  assert.equal(sim.condition('QuickReturn')?.reason, 'SourceAway');
  sim.main.blind = undefined;
  sim.edit({ shards: { number: 2 } });
  sim.settle(60);
  assert.equal(sim.condition('QuickReturn')?.reason, 'SourceDiffers');
  sim.edit(to('main'));
  sim.settle(60);
  assert.equal(sim.library.status?.cluster, 'main');
  assert.equal(sim.aliases.get('docs'), 'docs--g4', 'it was copied anew');
});

test('a selected library moves where a policy assigns it, and its source is kept as long as the policy says', () => {
  const { sim } = filled({ placement: { clusterSelector: {} } });
  sim.moveRules = { keepSourceHours: 2 };
  assert.ok(sim.library.status !== undefined);
  sim.library = { ...sim.library, status: { ...sim.library.status, assignment: { cluster: 'cloud', policy: 'even' } } };
  const keepAssignment = (): void => {
    sim.library = {
      ...sim.library,
      status: { ...sim.library.status, assignment: { cluster: 'cloud', policy: 'even' } },
    };
  };
  sim.settle(60, keepAssignment);
  assert.equal(sim.library.status?.cluster, 'cloud');
  assert.ok(sim.collections.has('docs--g1'));
  sim.now += 2 * 3_600_000 - 70_000;
  sim.settle(2, keepAssignment);
  assert.ok(sim.collections.has('docs--g1'));
  sim.now += 70_000;
  sim.settle(3, keepAssignment);
  assert.deepEqual(sim.dropped, [{ name: 'docs--g1', wasActive: false, marked: true }]);
});

for (const fence of ['Auto', 'BestEffort'] as const) {
  test(`a source whose members can't all be asked to hold writes back, and a policy of fence ${fence}`, () => {
    const { sim } = filled({ placement: { clusterSelector: {} } });
    sim.main.oneAddress = true;
    sim.moveRules = { fence };
    const assign = (): void => {
      const status = { ...sim.library.status, assignment: { cluster: 'cloud', policy: 'even' } };
      sim.library = { ...sim.library, status };
    };
    sim.settle(60, () => {
      assign();
      assert.ok(accepting(sim).length <= 1);
    });
    const moved = fence === 'BestEffort';
    assert.equal(sim.library.status?.cluster, moved ? 'cloud' : 'main');
    assert.equal(sim.events.includes('FenceBestEffort'), moved);
    const refusing = sim.library.status?.change?.blockedBy?.map(({ name }) => name);
    assert.deepEqual(refusing, moved ? undefined : ['every-peer-can-be-asked']);
  });
}

test('best effort of no policy, or of one that did not order the move, changes nothing', () => {
  const { sim } = filled();
  sim.main.oneAddress = true;
  sim.edit(to('cloud'));
  sim.settle(60);
  assert.equal(sim.library.status?.cluster, 'main');
  assert.equal(sim.library.status?.change?.maxFreezeSeconds, 20, 'the bound stands in the status before any fence');
});

test('a source that was written to after it was left is not dropped', () => {
  const { sim } = filled({ generations: { keep: 0 } });
  sim.edit(to('cloud'));
  sim.settle(60);
  const source = sim.collections.get('docs--g1');
  assert.ok(source !== undefined);
  source.points.set(77, 'late');
  sim.now += 400_000;
  const plan = sim.settle(3);
  assert.deepEqual(
    plan.blockedBy?.map(({ name }) => name),
    ['source-unchanged'],
  );
  assert.ok(sim.collections.has('docs--g1'));
});

type Refusing = {
  readonly name: string;
  readonly make: (sim: Sim, cloud: SimQdrant) => void;
  readonly cure: (sim: Sim, cloud: SimQdrant) => void;
};
const spec = (cloud: SimQdrant, change: object): void => {
  if (cloud.cluster !== undefined) cloud.cluster = { ...cloud.cluster, spec: { size: 2, ...change } };
};
const REFUSING: readonly Refusing[] = [
  {
    name: 'target-ready',
    make: (_, cloud) => {
      cloud.blind = { kind: 'blind', reason: 'Unreachable', message: 'no peer answers' };
    },
    cure: (_, cloud) => {
      cloud.blind = undefined;
    },
  },
  {
    name: 'keys-accepted',
    make: (_, cloud) => {
      cloud.blind = { kind: 'blind', reason: 'Unauthorized', message: 'Qdrant refuses the key' };
    },
    cure: (_, cloud) => {
      cloud.blind = undefined;
    },
  },
  {
    name: 'target-version-not-older',
    make: (_, cloud) => {
      cloud.versions = ['1.18.3', '1.17.1'];
    },
    cure: (_, cloud) => {
      cloud.versions = ['1.18.3', '1.18.0'];
    },
  },
  {
    name: 'target-has-room',
    make: (sim, cloud) => {
      assert.ok(sim.library.status !== undefined);
      sim.library.status.vectorsBytes = 3 * 1024 * 1024;
      spec(cloud, { limits: { maxCollectionSizeMB: 2 } });
    },
    cure: (_, cloud) => spec(cloud, {}),
  },
  {
    name: 'target-name-free',
    make: (_, cloud) => {
      cloud.aliases.set('docs', 'theirs');
    },
    cure: (_, cloud) => {
      cloud.aliases.clear();
    },
  },
  {
    name: 'shape-fits',
    make: (sim) => {
      const active = sim.collections.get('docs--g1');
      assert.ok(active !== undefined);
      const { config } = active.info;
      active.info = {
        ...active.info,
        config: { ...config, params: { ...config.params, replication_factor: 3 } },
      } as typeof active.info;
    },
    cure: (sim) => sim.edit({ shards: { replicationFactor: 2 } }),
  },
];

for (const { name, make, cure } of REFUSING) {
  test(`${name} refuses a move before anything is made, and it goes on by itself when that is cured`, () => {
    const { sim, cloud } = filled();
    make(sim, cloud);
    sim.edit(to('cloud'));
    const plan = sim.settle(5);
    assert.deepEqual(
      plan.blockedBy?.map((blocker) => blocker.name),
      [name],
    );
    assert.equal(cloud.collections.size, 0);
    assert.match(sim.condition('MoveBlocked')?.message ?? '', new RegExp(name));
    assert.equal(sim.events.filter((reason) => reason === 'MoveBlocked').length, 1, 'an event says it once');
    assert.equal(sim.condition('Ready')?.status, 'True');
    cure(sim, cloud);
    sim.settle(60);
    assert.equal(sim.library.status?.cluster, 'cloud');
    assert.equal(sim.condition('MoveBlocked'), undefined);
  });
}

test('a cluster that does not exist, or is too small for the machine, is refused with figures', () => {
  const { sim, cloud } = filled();
  sim.edit(to('nowhere'));
  sim.settle(3);
  assert.match(sim.condition('MoveBlocked')?.message ?? '', /target-ready: QdrantCluster nowhere does not exist/);
  assert.ok(sim.library.status !== undefined);
  sim.library.status.vectorsBytes = 3 * 1024 ** 3;
  spec(cloud, { persistence: { size: '2Gi' } });
  sim.edit(to('cloud'));
  sim.settle(3);
  assert.match(sim.condition('MoveBlocked')?.message ?? '', /target-has-room: 6\.00 GiB.*hold 4\.00 GiB/);
});

for (const step of ['Probed', 'Building', 'Copying', 'Converging', 'Fenced', 'Verified'] as const) {
  test(`edited back at ${step}: the move is given up, the fence lifted, the target dropped`, () => {
    const { sim, cloud } = filled();
    sim.edit(to('cloud'));
    until(sim, step);
    sim.edit(to('main'));
    sim.settle(20);
    assert.equal(sim.library.status?.cluster, 'main');
    assert.equal(sim.library.status?.change, undefined);
    assert.deepEqual(accepting(sim), ['main']);
    assert.equal(cloud.collections.size, 0);
    assert.equal(cloud.aliases.size, 0);
    assert.equal(sim.jobs.length, 0);
    assert.deepEqual(
      sim.library.status?.generations?.map(({ number }) => number),
      [1],
    );
  });
}

test('a source out of reach after the switch: what may still lead to it is said until it is known', () => {
  const { sim } = filled();
  sim.edit(to('cloud'));
  until(sim, 'Switched');
  sim.main.blind = { kind: 'blind', reason: 'Unreachable', message: 'no peer answers' };
  sim.settle(10);
  assert.equal(sim.library.status?.cluster, 'cloud');
  assert.equal(sim.library.status?.change?.step, 'Switched');
  assert.match(sim.condition('MoveBlocked')?.message ?? '', /names may still lead to docs--g1 on main/);
  assert.ok(sim.write(5, 'on cloud'));
  sim.main.blind = undefined;
  sim.settle(20);
  assert.equal(sim.library.status?.change, undefined);
  assert.equal(sim.aliases.size, 0);
});

test('the job of a move that keeps failing is never given up: it says why, and goes on when the cause is gone', () => {
  const { sim } = filled();
  sim.edit(to('cloud'));
  until(sim, 'Copying');
  sim.work();
  for (let attempt = 0; attempt < 12; attempt += 1) {
    sim.failJob('StorageFull');
    sim.now += 1;
    sim.pass();
    assert.match(sim.condition('MoveBlocked')?.message ?? '', /StorageFull: gone/);
    assert.equal(sim.condition('Stalled'), undefined);
    sim.now += 700_000;
    sim.pass();
  }
  sim.settle(40);
  assert.equal(sim.library.status?.cluster, 'cloud');
});

test('what a worker meets and tries again is told at once, by a condition and one event, until it is over', () => {
  const { sim } = filled();
  sim.edit(to('cloud'));
  until(sim, 'Copying');
  sim.work();
  const { progress } = sim;
  assert.ok(progress !== undefined);
  sim.progress = { ...progress, phase: 'Copying', note: 'cloud-0: upsert: disk full' };
  const told = /the copy of generation 2 is tried again: cloud-0: upsert: disk full/;
  const events = [sim.pass(), sim.pass(), sim.pass()].flatMap((plan) => plan.events ?? []);
  assert.match(sim.condition('MoveBlocked')?.message ?? '', told);
  assert.deepEqual(
    events.map(({ type, reason, note }) => [type, reason, told.test(note)]),
    [['Warning', 'CopyHeldUp', true]],
  );
  assert.equal(sim.condition('Ready')?.status, 'True', 'the source serves');
  sim.settle(40);
  assert.equal(sim.library.status?.cluster, 'cloud');
  assert.equal(sim.condition('MoveBlocked'), undefined);
});

test("the target's key changed in the middle: no worker is begun with a key that is refused", () => {
  const { sim, cloud } = filled();
  sim.edit(to('cloud'));
  until(sim, 'Copying');
  sim.failJob('Unauthorized');
  const { cluster: object } = cloud;
  assert.ok(object !== undefined);
  const changed = { ...ready('True'), type: 'KeyChanged' };
  cloud.cluster = { ...object, status: { ...object.status, conditions: [ready('True'), changed] } };
  sim.settle(20);
  assert.match(sim.condition('Reconciling')?.message ?? '', /cloud don't accept the key/);
  cloud.cluster = object;
  sim.settle(60);
  assert.equal(sim.library.status?.cluster, 'cloud');
});

for (const deletionPolicy of ['Retain', 'Delete'] as const) {
  for (const step of ['Copying', 'Fenced', 'Verified', 'Switched'] as const) {
    test(`deleted at ${step} with ${deletionPolicy}: nothing half built stays, and one place at most has the name`, () => {
      const { sim, cloud } = filled({ deletionPolicy });
      sim.edit(to('cloud'));
      until(sim, step);
      const { metadata } = sim.library;
      sim.library = { ...sim.library, metadata: { ...metadata, deletionTimestamp: '2026-02-01T01:00:00Z' } };
      sim.settle(20);
      assert.ok(sim.deleted);
      const moved = step === 'Switched';
      if (deletionPolicy === 'Delete') {
        assert.deepEqual([sim.collections.size, cloud.collections.size], [0, 0]);
      } else {
        assert.deepEqual(accepting(sim), [moved ? 'cloud' : 'main']);
        assert.equal(cloud.collections.has('docs--g2'), moved);
      }
    });
  }
}
