import type { KubeClient } from '../../src/kube/index.ts';
import { followingAccess } from '../load/following-access.ts';
import type { BindingKey } from '../load/library-access.ts';
import { LibraryLoad } from '../load/library-load.ts';
import { type Facts, seconds } from './facts.ts';

const BATCH = 4;

/** Clients that write, read and delete in a library while something happens to it. */
export class StoryLoad {
  readonly #library: string;
  readonly #load: LibraryLoad;

  private constructor(library: string, load: LibraryLoad) {
    this.#library = library;
    this.#load = load;
  }

  /** @param points how many dimensions they have, and from which id on ids are the load's */
  static async start(
    admin: KubeClient,
    binding: BindingKey,
    points: { readonly dimensions: number; readonly firstId: number },
  ): Promise<StoryLoad> {
    const access = await followingAccess(admin, binding);
    const load = new LibraryLoad({ ...access, ...points, batch: BATCH, pauseMilliseconds: 50 });
    return new StoryLoad(binding.library, load);
  }

  /** Ends it, and notes whether every acknowledged point is there and how many requests failed. */
  async end(facts: Facts, during: string): Promise<void> {
    const report = await this.#load.stop();
    const { expected, lost, undeleted } = await this.#load.verify();
    await this.#load.close();
    facts.check(
      `${this.#library}: acknowledged points kept during ${during}`,
      `${expected - lost.length} of ${expected}`,
      lost.length === 0 && undeleted.length === 0,
    );
    const failures = [...report.failedWrites, ...report.failedReads];
    const requests = report.written / BATCH + report.reads;
    facts.check(
      `failed requests during ${during}`,
      failures.length === 0 ? `0 of ${requests}` : `${failures.length}: ${failures[0]}`,
      failures.length === 0,
    );
    if (report.postponed > 0) {
      const longest = seconds(report.longestWrite);
      facts.note(`writes put off by the fence during ${during}`, `${report.postponed}, longest ${longest}`);
    }
  }

  /** Ends it, whatever it has done. */
  async abandon(): Promise<void> {
    await this.#load.stop().catch(() => undefined);
  }
}
