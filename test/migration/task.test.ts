import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SCROLL_ENGINE } from '../../src/migration/copy.ts';
import type { Progress } from '../../src/migration/progress.ts';
import { parseProgress } from '../../src/migration/progress.ts';
import { type CopySettings, runCopy, Unreadable } from '../../src/migration/task.ts';
import type { Point } from '../../src/qdrant/types.ts';
import { silentLogger } from '../../src/telemetry/index.ts';
import { digestOf, formatDigest } from '../../src/vectors/index.ts';
import { COPY_SETTINGS, connect, FakeWorld, type Hook, Killed } from './world.ts';

const uuid = (n: number): string => `${n.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`;
const point = (id: Point['id'], text: string): Point => ({ id, vector: [1, 2, id === 3 ? -1 : 3], payload: { text } });

function filled(count = 12): FakeWorld {
  const world = new FakeWorld();
  for (let n = 1; n <= count; n += 1) world.source.put(point(n % 3 === 0 ? uuid(n << 26) : n * n * 7, `first ${n}`));
  return world;
}

/** What a peer that is away for a moment answers. */
class Flaky extends Error {}

let incarnations = 0;

/** One worker process, from start to end or death. */
function start(world: FakeWorld, hook?: Hook, pod?: string, change: Partial<CopySettings> = {}): Promise<void> {
  incarnations += 1;
  const name = pod ?? `pod-${incarnations}`;
  const dead = new AbortController();
  const killing: Hook = async (call, moment) => {
    if (dead.signal.aborted) throw new Killed();
    try {
      await hook?.(call, moment);
    } catch (error) {
      if (error instanceof Killed) dead.abort(error);
      throw error;
    }
  };
  return runCopy({
    change: 'uid/2',
    ...connect(world, killing),
    engine: SCROLL_ENGINE,
    identity: { id: `process-${incarnations}`, pod: name },
    settings: { ...COPY_SETTINGS, ...change },
    timing: world.time,
    log: silentLogger,
    signal: dead.signal,
    isTransient: (error) => error instanceof Flaky || error instanceof Unreadable,
  });
}

/** Does what the operator does: fence, switch on proof, lift what takes too long. */
async function operate(world: FakeWorld, until: () => boolean, freeze = 5000): Promise<void> {
  let fencedAt = 0;
  while (!until()) {
    await world.time.sleep(30);
    const progress = parseProgress(world.progress);
    if (world.alias !== world.source.name || progress === undefined) continue;
    if (world.source.fence === undefined) {
      if (progress.passes > 0 && progress.phase === 'Converging') {
        world.source.fence = `nonce-${world.time.now()}`;
        fencedAt = world.time.now();
      }
    } else if (progress.verified?.nonce === world.source.fence) {
      world.alias = world.target.name;
    } else if (world.time.now() - fencedAt > freeze) {
      world.source.fence = undefined;
    }
  }
}

const finished = (world: FakeWorld): Progress | undefined => {
  const progress = parseProgress(world.progress);
  return progress?.phase === 'Done' ? progress : undefined;
};

test('copies, proves, and ends when the switch was seen', async () => {
  const world = filled();
  const wanted = formatDigest(digestOf(world.source.sorted()));
  let done = false;
  const worker = start(world).finally(() => {
    done = true;
  });
  await operate(world, () => done);
  await worker;
  assert.equal(formatDigest(digestOf(world.target.sorted())), wanted);
  const progress = finished(world);
  assert.equal(progress?.verified?.source, wanted);
  assert.equal(progress?.verified?.target, wanted);
  assert.deepEqual(progress?.leak, { checked: true, found: 0, applied: 0, kept: 0 });
  assert.equal(progress?.holder.released, true);
});

test('an empty collection is copied and proved, too', async () => {
  const world = new FakeWorld();
  let done = false;
  const worker = start(world).finally(() => {
    done = true;
  });
  await operate(world, () => done);
  await worker;
  assert.equal(finished(world)?.verified?.sourceCount, 0);
});

/** Clients that write through the alias; `model` is what they were told is stored. */
class Clients {
  readonly model = new Map<string, Point>();
  readonly #world: FakeWorld;
  readonly #random: () => number;
  readonly #late: boolean;
  #written = 0;

  constructor(world: FakeWorld, random: () => number, late = false) {
    this.#world = world;
    this.#late = late;
    this.#random = random;
    for (const item of world.source.sorted()) this.model.set(String(item.id), item);
  }

  /** Says nothing from fence to proof when it keeps its writes for the time between proof and switch. */
  writeOnce(): void {
    if (this.#late && this.#world.source.fence !== undefined && !this.#world.progress?.includes('"verified"')) return;
    const n = Math.floor(this.#random() * 20) + 1;
    const id = this.#random() < 0.5 ? n * 5 : uuid(n << 25);
    const peer = Math.floor(this.#random() * 2);
    if (this.#random() < 0.3) {
      if (this.#world.write((collection) => collection.drop(id), peer)) this.model.delete(String(id));
      return;
    }
    this.#written += 1;
    const item = point(id, `write ${this.#written}`);
    if (this.#world.write((collection) => collection.put(item), peer)) this.model.set(String(id), item);
  }

  check(): void {
    const stored = this.#world.active.sorted();
    const wanted = [...this.model.values()];
    assert.deepEqual(stored.map(({ id }) => String(id)).toSorted(), wanted.map(({ id }) => String(id)).toSorted());
    assert.equal(formatDigest(digestOf(stored)), formatDigest(digestOf(wanted)));
  }
}

const seeded = (seed: number): (() => number) => {
  let state = seed | 1;
  return () => {
    state = Math.imul(state ^ (state >>> 15), state | 1);
    state ^= state + Math.imul(state ^ (state >>> 7), state | 61);
    return ((state ^ (state >>> 14)) >>> 0) / 4294967296;
  };
};

type Death = { readonly after: number; readonly moment: 'before' | 'after' };

/** Runs workers until one ends well; the nth dies at its nth death's call. */
async function runThrough(
  world: FakeWorld,
  clients: Clients,
  deaths: readonly Death[],
  samePod = false,
): Promise<number> {
  let calls = 0;
  let done = false;
  const operator = operate(world, () => done);
  try {
    for (const death of [...deaths, undefined]) {
      calls = 0;
      const hook: Hook = (_call, moment) => {
        if (moment === 'before') {
          calls += 1;
          clients.writeOnce();
        }
        if (death !== undefined && calls >= death.after && moment === death.moment) throw new Killed();
      };
      try {
        await start(world, hook, samePod ? 'pod' : undefined);
        break;
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
      }
    }
  } finally {
    done = true;
    await operator;
  }
  return calls;
}

test('killed at every call, before and after it took effect: no acknowledged write is lost, nothing appears', async () => {
  const world = filled(6);
  const calls = await runThrough(world, new Clients(world, seeded(1)), []);
  assert.ok(calls > 40);
  // Each third or so: which ones, changes with every change of the code.
  const every = Math.ceil(calls / 50);
  for (let after = 1 + (calls % every); after <= calls; after += every) {
    for (const moment of ['before', 'after'] as const) {
      const again = filled(6);
      const clients = new Clients(again, seeded(after));
      await runThrough(again, clients, [{ after, moment }], after % 2 === 0);
      assert.ok(finished(again) !== undefined, `killed ${moment} call ${after}`);
      assert.equal(again.alias, 'docs--g2');
      clients.check();
    }
  }
});

test('property: however often and wherever workers die while clients write, what was acknowledged is what is stored', async () => {
  const death = fc.record({ after: fc.integer({ min: 1, max: 120 }), moment: fc.constantFrom('before', 'after') });
  await fc.assert(
    fc.asyncProperty(
      fc.array(death, { maxLength: 5 }),
      fc.integer(),
      fc.integer({ min: 0, max: 30 }),
      fc.boolean(),
      async (deaths, seed, size, late) => {
        const world = filled(size);
        const clients = new Clients(world, seeded(seed), late);
        await runThrough(world, clients, deaths as Death[]);
        assert.equal(world.alias, 'docs--g2');
        clients.check();
        assert.equal(finished(world)?.leak?.found ?? 0, 0, 'nothing got past the fence');
      },
    ),
    { numRuns: 25 },
  );
});

test('writes the progress at most once in two seconds, but for changes of phase', async () => {
  const world = filled(40);
  let done = false;
  const worker = start(world, async (call) => {
    if (call.endsWith('.page')) await world.time.sleep(100);
  }).finally(() => {
    done = true;
  });
  await operate(world, () => done, 60_000);
  await worker;
  const gaps = world.writes.slice(1).map((at, index) => at - (world.writes[index] ?? 0));
  const phases = 8;
  assert.ok(gaps.filter((gap) => gap < 2000).length <= phases, gaps.join(' '));
});

test('does not begin while another worker may be alive, and then goes on from its progress', async () => {
  const world = filled();
  await assert.rejects(
    start(world, (call) => {
      if (call === 'target.upsert' && world.target.points.size > 0) throw new Killed();
    }),
    Killed,
  );
  const diedAt = world.time.now();
  let firstWrite: number | undefined;
  let done = false;
  const successor = start(world, (call) => {
    if (call === 'target.upsert') firstWrite ??= world.time.now();
  }).finally(() => {
    done = true;
  });
  await operate(world, () => done);
  await successor;
  assert.ok((firstWrite ?? 0) - diedAt >= COPY_SETTINGS.leaseMilliseconds);
});

test('a worker that was given up for dead writes nothing more once another has taken over', async () => {
  const world = filled();
  let writesOfFirst = 0;
  let paused: (() => void) | undefined;
  const first = start(world, (call, moment) => {
    if (call !== 'source.page' || moment !== 'after' || paused !== undefined) {
      if (call.startsWith('target.upsert') && moment === 'after') writesOfFirst += 1;
      return;
    }
    return new Promise<void>((resolve) => {
      paused = resolve;
    });
  });
  const ended = assert.rejects(first, /somebody else/);
  let done = false;
  const second = start(world).finally(() => {
    done = true;
  });
  await operate(world, () => done);
  await second;
  const before = writesOfFirst;
  paused?.();
  await ended;
  assert.equal(writesOfFirst, before);
  assert.equal(formatDigest(digestOf(world.target.sorted())), formatDigest(digestOf(world.source.sorted())));
});

test('a limiter that is full again, or a replica that comes back, after the fence was tight leads to no switch', async () => {
  for (const loosen of ['tokens', 'replica'] as const) {
    const world = filled();
    let gaveUp: Progress['gaveUp'];
    await complete(world, async (call) => {
      gaveUp ??= parseProgress(world.progress)?.gaveUp;
      if (gaveUp !== undefined) world.source.inactive = [];
      if (gaveUp !== undefined || world.source.fence === undefined || call !== 'target.lineage') return;
      if (loosen === 'tokens') world.source.tokens.set(1, 1);
      else world.source.inactive = ['shard 1 on 7 is Partial'];
      await world.time.sleep(100);
    });
    assert.equal(gaveUp?.reason, 'FenceLeaks');
    assert.notEqual(finished(world)?.verified?.nonce, gaveUp.nonce);
    assert.equal(world.alias, world.target.name, 'the next fence held');
  }
});

test('a fence that is lifted without a switch makes it converge again', async () => {
  const world = filled();
  let lifted = false;
  let done = false;
  const worker = start(world, () => {
    const progress = parseProgress(world.progress);
    if (progress?.verified === undefined || lifted) return;
    lifted = true;
    world.source.fence = undefined;
    world.source.put(point(999, 'after the fence was lifted'));
  }).finally(() => {
    done = true;
  });
  await operate(world, () => done);
  await worker;
  assert.ok(lifted);
  assert.ok(world.target.sorted().some(({ id }) => id === 999));
});

test('does not call a partly readable source proved', async () => {
  const world = filled();
  let proofs = 0;
  let done = false;
  const worker = start(world, (call) => {
    if (call === 'source.count' && world.source.fence !== undefined) {
      proofs += 1;
      // Readable again just before the states are looked at: the count gives it away.
      if (proofs === 1) world.source.readable = true;
    }
    if (call === 'source.page' && world.source.fence !== undefined && proofs === 0) world.source.readable = false;
  }).finally(() => {
    done = true;
  });
  await operate(world, () => done);
  await worker;
  assert.ok(proofs >= 2, 'the first proof was refused');
  assert.equal(formatDigest(digestOf(world.target.sorted())), formatDigest(digestOf(world.source.sorted())));
});

test('what reaches the old collection between proof and switch is brought over, later writes win', async () => {
  const world = filled();
  let leaked = false;
  let done = false;
  const worker = start(world, () => {
    if (leaked || world.alias !== world.target.name) return;
    leaked = true;
    world.source.put(point(7, 'late'));
    world.source.put(point(28, 'late, but'));
    world.target.put(point(28, 'written since'));
    world.source.put(point(4711, 'late and new'));
    world.source.drop(112);
    world.target.put(point(5000, 'new'));
  }).finally(() => {
    done = true;
  });
  await operate(world, () => done);
  await worker;
  const texts = Object.fromEntries(world.target.sorted().map(({ id, payload }) => [String(id), payload['text']]));
  assert.equal(texts['7'], 'late');
  assert.equal(texts['28'], 'written since');
  assert.equal(texts['4711'], 'late and new');
  assert.equal(texts['112'], undefined);
  assert.equal(texts['5000'], 'new');
  assert.deepEqual(finished(world)?.leak, { checked: true, found: 4, applied: 3, kept: 1 });
});

/** From begin to end, with an operator beside it. */
async function complete(world: FakeWorld, hook?: Hook, change?: Partial<CopySettings>): Promise<void> {
  let done = false;
  const worker = start(world, hook, undefined, change).finally(() => {
    done = true;
  });
  await Promise.all([worker, operate(world, () => done)]);
}

test('what fails for a moment is tried again, reads and writes alike', async () => {
  const world = filled();
  let calls = 0;
  await complete(world, (call, moment) => {
    calls += 1;
    if (!call.startsWith('store') && moment === 'before' && calls % 301 === 0) throw new Flaky('away');
  });
  assert.equal(formatDigest(digestOf(world.target.sorted())), formatDigest(digestOf(world.source.sorted())));
});

test('what keeps failing ends the worker, with the reason in the progress', async () => {
  const world = filled();
  await assert.rejects(
    start(world, (call) => {
      if (call === 'source.page') throw new Flaky('away for good');
    }),
    Flaky,
  );
  assert.deepEqual(parseProgress(world.progress)?.failure, { reason: 'Error', message: 'away for good' });
  assert.equal(parseProgress(world.progress)?.holder.released, true);
});

test('a source that can not be read in full is waited for, not copied in part', async () => {
  const world = filled();
  world.source.readable = false;
  let done = false;
  const worker = start(world).finally(() => {
    done = true;
  });
  await world.time.sleep(1000);
  assert.equal(world.target.points.size, 0);
  world.source.readable = true;
  await Promise.all([worker, operate(world, () => done)]);
  assert.equal(world.target.points.size, world.source.points.size);
});

test('never writes into a target that already bears a name: clients may have written there', async () => {
  const world = filled();
  world.alias = world.target.name;
  world.target.put(point(7, "a client's"));
  await assert.rejects(start(world), /alias docs leads to the target/);
  assert.deepEqual(world.target.sorted(), [point(7, "a client's")]);
});

test('without memory of the proof late writes are found and reported, not guessed at', async () => {
  const world = filled();
  let leaked = false;
  await complete(
    world,
    () => {
      if (leaked || world.alias !== world.target.name) return;
      leaked = true;
      world.source.put(point(7, 'late'));
    },
    { rememberPoints: 3 },
  );
  assert.deepEqual(finished(world)?.leak, { checked: true, found: 1, applied: 0, kept: 1 });
});

test('a freeze that takes too long is given up by the worker, too', async () => {
  const world = filled();
  let slow = true;
  await complete(
    world,
    async (call) => {
      if (slow && world.source.fence !== undefined && call === 'target.page') {
        await world.time.sleep(400);
        slow = parseProgress(world.progress)?.note === undefined;
      }
    },
    { maxFreezeMilliseconds: 600 },
  );
  assert.equal(world.alias, world.target.name);
});

test('while the progress can not be saved nothing is written to the target for longer than half the lease', async () => {
  const world = filled(30);
  let away = 0;
  let lastWrite = 0;
  const hook: Hook = async (call, moment) => {
    if (call === 'source.page' && away < 20) await world.time.sleep(1500);
    if (call === 'store.write' && moment === 'before' && world.target.points.size > 0 && away < 20) {
      away += 1;
      throw new Flaky('no API server');
    }
    if (call === 'target.upsert') lastWrite = away;
  };
  await complete(world, hook);
  assert.equal(away, 20);
  assert.ok(lastWrite === 20, 'it went on when the server was back');
});

test('a source that is gone when the switch is seen leaves nothing to look for', async () => {
  const world = filled();
  await complete(world, () => {
    if (world.alias === world.target.name) world.source.exists = false;
  });
  assert.equal(finished(world)?.leak?.checked, false);
});
