import assert from 'node:assert/strict';
import { LibraryLoad, type LoadOptions, type LoadReport } from '../../sandbox/load/library-load.ts';

export type LoadPace = { readonly firstId?: number };
type Options = Pick<LoadOptions, 'client' | 'collection' | 'dimensions'> & LoadPace;

/** An application at work, and what must hold of it whatever was done to the cluster meanwhile. */
export class Load {
  readonly #load: LibraryLoad;
  #stopped = false;

  constructor(options: Options) {
    // Machines that play scenarios are small and busy: a pace that leaves them room.
    const pace = { firstId: 1, batch: 4, pauseMilliseconds: 60, readPauseMilliseconds: 60 };
    this.#load = new LibraryLoad({ ...pace, ...options });
  }

  get report(): LoadReport {
    return this.#load.report;
  }

  /** Stops, reads everything back: exactly what was acknowledged is there. */
  async nothingLost(): Promise<LoadReport> {
    this.#stopped = true;
    const report = await this.#load.stop();
    const { expected, lost, undeleted, phantoms } = await this.#load.verify();
    const wrong = { lost, undeleted, phantoms };
    assert.deepEqual(wrong, { lost: [], undeleted: [], phantoms: [] }, `of ${expected} acknowledged points`);
    assert.ok(expected > 0 && report.reads > 0, 'the load wrote and read something');
    return report;
  }

  /** The same, and no request failed on the way: after the client's own repeats, as an application has them. */
  async nothingLostAndNothingFailed(): Promise<LoadReport> {
    const report = await this.nothingLost();
    assert.deepEqual({ writes: report.failedWrites, reads: report.failedReads }, { writes: [], reads: [] });
    return report;
  }

  async close(): Promise<void> {
    if (!this.#stopped) await this.#load.stop().catch(() => undefined);
    await this.#load.close();
  }
}
