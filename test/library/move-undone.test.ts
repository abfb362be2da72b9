import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accepting, filled, to, until } from './moving.ts';
import { Crash, type Sim } from './sim.ts';

// A move that may have to be undone: at no time both places take writes.

test('suspended right after the name was made on the target: it goes before writes go on', () => {
  const { sim, cloud } = filled();
  sim.edit(to('cloud'));
  until(sim, 'Verified');
  sim.pass();
  assert.equal(cloud.aliases.get('docs'), 'docs--g2');
  sim.edit({ suspend: true });
  sim.settle(5, () => assert.ok(accepting(sim).length <= 1));
  assert.deepEqual(accepting(sim), ['main']);
  sim.edit({ suspend: false });
  sim.settle(80);
  assert.equal(sim.library.status?.cluster, 'cloud');
});

test('edited to a third cluster: given up and begun anew', () => {
  const { sim, cloud } = filled();
  const third = sim.add('third');
  sim.edit(to('cloud'));
  until(sim, 'Converging');
  sim.edit(to('third'));
  sim.settle(60);
  assert.equal(sim.library.status?.cluster, 'third');
  assert.equal(third.aliases.get('docs'), 'docs--g3');
  assert.equal(cloud.collections.size, 0);
});

test('the target out of reach under the fence: writes go on at once, and the move goes on when it is back', () => {
  const { sim, cloud } = filled();
  sim.edit(to('cloud'));
  until(sim, 'Fenced');
  cloud.blind = { kind: 'blind', reason: 'Unreachable', message: 'no peer answers' };
  sim.pass();
  assert.ok(sim.write(1, 'goes on'));
  assert.match(sim.condition('MoveBlocked')?.message ?? '', /target-ready: no peer answers/);
  sim.settle(10);
  assert.equal(sim.library.status?.cluster, 'main');
  cloud.blind = undefined;
  sim.settle(80);
  assert.equal(sim.library.status?.cluster, 'cloud');
  assert.equal(sim.active?.points.get(1), 'goes on');
});

const OUT_OF_REACH = { kind: 'blind', reason: 'Unreachable', message: 'no peer answers' } as const;

test('the target out of reach once it may bear the name: writes are held back until it is back', () => {
  const { sim, cloud } = filled();
  sim.edit(to('cloud'));
  until(sim, 'Verified');
  cloud.blind = OUT_OF_REACH;
  for (let second = 0; second < 10; second += 1) {
    sim.pass();
    assert.ok(!sim.write(1, 'too early'), `second ${second}`);
    sim.now += 1000;
  }
  assert.match(sim.condition('MoveBlocked')?.message ?? '', /target-ready: no peer answers/);
  cloud.aliases.set('docs', 'docs--g2');
  cloud.blind = undefined;
  sim.settle(80, () => assert.ok(accepting(sim).length <= 1));
  assert.equal(sim.library.status?.cluster, 'cloud');
});

test('the target out of reach for longer than writes may be held back: they go on', () => {
  const { sim, cloud } = filled();
  sim.edit(to('cloud'));
  until(sim, 'Verified');
  cloud.blind = OUT_OF_REACH;
  sim.now += 25_000;
  sim.pass();
  assert.ok(sim.write(1, 'goes on'));
  assert.ok(sim.events.includes('FenceLifted'));
  cloud.blind = undefined;
  sim.settle(80, () => assert.ok(accepting(sim).length <= 1));
  assert.equal(sim.library.status?.cluster, 'cloud');
  assert.equal(sim.active?.points.get(1), 'goes on');
});

for (const [what, end] of [
  [
    'the proof is too old',
    (sim: Sim) => {
      sim.now += 50_000;
    },
  ],
  ['it is to stay', (sim: Sim) => sim.edit(to('main'))],
  ['it is suspended', (sim: Sim) => sim.edit({ suspend: true })],
] as const) {
  test(`the name asked for without an answer, and then ${what}: it can't come once writes go on`, () => {
    const { sim, cloud } = filled();
    sim.edit(to('cloud'));
    until(sim, 'Verified');
    cloud.late = () => cloud.aliases.set('docs', 'docs--g2');
    end(sim);
    for (let round = 0; round < 20 && !accepting(sim).includes('main'); round += 1) sim.pass();
    cloud.catchUp();
    assert.deepEqual(accepting(sim), ['main']);
  });
}

test("the target's collection lost in the middle is built anew; its cluster gone ends the move", () => {
  const { sim, cloud } = filled();
  sim.edit(to('cloud'));
  until(sim, 'Converging');
  cloud.collections.clear();
  sim.settle(60);
  assert.equal(sim.aliases.size, 0);
  assert.equal(cloud.aliases.get('docs'), 'docs--g3');

  const other = filled();
  other.sim.edit(to('cloud'));
  until(other.sim, 'Fenced');
  other.cloud.cluster = undefined;
  other.sim.settle(10);
  assert.deepEqual(accepting(other.sim), ['main']);
  assert.equal(other.sim.library.status?.change, undefined);
  assert.match(other.sim.condition('MoveBlocked')?.message ?? '', /does not exist/);
});

test('the name made on the target and not yet told is taken back when the fence is too old, and made again later', () => {
  const { sim, cloud } = filled();
  sim.edit(to('cloud'));
  until(sim, 'Verified');
  // Killed right after the name was made.
  assert.throws(() =>
    sim.pass((where) => {
      if (where === 'before status') throw new Crash();
    }),
  );
  assert.equal(cloud.aliases.get('docs'), 'docs--g2');
  sim.now += 50_000;
  sim.pass();
  assert.equal(cloud.aliases.has('docs'), false);
  assert.ok(sim.events.includes('SwitchUndone'));
  sim.settle(80);
  assert.equal(sim.library.status?.cluster, 'cloud');
});
