import { reverseJobPrefix } from '../../src/library/reverse/names.ts';
import type { ReverseOrder } from '../../src/library/reverse/orders.ts';
import type { TaskJob } from '../../src/library/world.ts';
import type { ReverseProgress } from '../../src/migration/index.ts';
import { EMPTY_DIGEST, formatDigest } from '../../src/vectors/index.ts';
import type { Sim } from './sim.ts';

type Run = ReverseOrder & { readonly do: 'run' };

/** An abstract worker that compares what serves with what was left; a run takes one turn. */
export class SimReverse {
  jobs: TaskJob[] = [];
  progress: ReverseProgress[] = [];
  objects = false;
  /** Runs that were begun. */
  readonly runs: Run[] = [];
  /** Set while workers end before their work is done. */
  failing = false;

  obey(order: ReverseOrder, now: number): void {
    if (order.do === 'putAway') {
      if (this.jobs.some(({ alive }) => alive)) throw new Error('a worker that runs is put away');
      this.jobs = [];
      this.progress = [];
      this.objects = false;
      return;
    }
    const name = `${reverseJobPrefix('docs', order.run)}${order.attempt}`;
    this.objects = true;
    this.runs.push(order);
    if (this.failing)
      this.jobs = [{ name, attempt: order.attempt, task: 'reverse', state: 'failed', alive: false, endedAt: now }];
    else this.jobs = [{ name, attempt: order.attempt, task: 'reverse', state: 'running', alive: true }];
  }

  stop(jobs: readonly string[]): void {
    this.jobs = this.jobs.filter(({ name }) => !jobs.includes(name));
  }

  work(sim: Sim): void {
    const run = this.runs.at(-1);
    const [job] = this.jobs.filter(({ alive }) => alive);
    const serving = sim.active?.points;
    const at = sim.at(run?.cluster);
    const left = at.collections.get(run?.collection ?? '')?.points;
    if (job === undefined || run === undefined || serving === undefined || left === undefined) return;
    if ([...at.aliases.values()].includes(run.collection)) throw new Error('the worker would write to what serves');
    const held = left.size;
    const gone = [...left.keys()].filter((id) => !serving.has(id));
    const unlike = [...serving].filter(([id, text]) => left.get(id) !== text);
    const removing = run.write && gone.length * 100 <= held * run.removalPercent;
    if (run.write) for (const [id, text] of unlike) left.set(id, text);
    if (removing) for (const id of gone) left.delete(id);
    const result = {
      begunAt: sim.now,
      milliseconds: 100,
      points: serving.size,
      written: run.write ? unlike.length : 0,
      removed: removing ? gone.length : 0,
      lacking: removing ? 0 : gone.length,
      served: formatDigest({ ...EMPTY_DIGEST, count: serving.size }),
      left: formatDigest({ ...EMPTY_DIGEST, count: held }),
      equal: gone.length + unlike.length === 0,
    };
    const holder = { id: 'w', pod: 'w', beat: 1, released: true };
    const change = `${sim.library.metadata.uid}/${run.run}`;
    this.progress = [{ version: 1, change, phase: 'Done', holder, result }];
    this.jobs = [{ ...job, state: 'succeeded', alive: false, endedAt: sim.now }];
  }
}
