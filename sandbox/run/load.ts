import type { KubeClient } from '../../src/kube/index.ts';
import { followingAccess, type LoadClient } from '../load/following-access.ts';
import { type BindingKey, gatewayAccess } from '../load/library-access.ts';
import { LibraryLoad } from '../load/library-load.ts';
import { GATEWAY_URL } from '../sandbox.ts';
import { type Facts, seconds } from './facts.ts';
import type { Ledger } from './ledger.ts';

const BATCH = 4;

/** How an application reaches its library: it follows the binding Secret, or keeps its first key and asks the gateway. */
export type Way = 'binding' | 'gateway';

export type LoadOptions = {
  readonly way: Way;
  readonly dimensions: number;
  /** A million ids from here on are the load's. */
  readonly firstId: number;
};

/** Clients that write, update, delete and read in a library while something happens to it. */
export class StoryLoad {
  readonly #library: string;
  readonly #way: Way;
  readonly #load: LibraryLoad;

  private constructor(library: string, way: Way, load: LibraryLoad) {
    this.#library = library;
    this.#way = way;
    this.#load = load;
  }

  static async start(admin: KubeClient, binding: BindingKey, { way, ...points }: LoadOptions): Promise<StoryLoad> {
    const access: { readonly client: LoadClient; readonly collection: string } =
      way === 'gateway' ? await gatewayAccess(admin, binding, GATEWAY_URL) : await followingAccess(admin, binding);
    const pause = way === 'gateway' ? { pauseMilliseconds: 60, readPauseMilliseconds: 60 } : { pauseMilliseconds: 50 };
    const load = new LibraryLoad({ ...access, ...points, ...pause, batch: BATCH });
    return new StoryLoad(binding.library, way, load);
  }

  /** Ends it, and notes whether all is there that was acknowledged, nothing else, and how many requests failed. */
  async end({ facts, ledger }: { readonly facts: Facts; readonly ledger: Ledger }, during: string): Promise<void> {
    const report = await this.#load.stop();
    const verdict = await this.#load.verify();
    await this.#load.close();
    const { expected, lost, undeleted, phantoms } = verdict;
    ledger.add({ acknowledged: expected, lost: lost.length, phantoms: undeleted.length + phantoms.length });
    const through = this.#way === 'gateway' ? ', through the gateway' : '';
    facts.check(
      `${this.#library}: acknowledged points kept during ${during}${through}`,
      `${expected - lost.length} of ${expected}; ${report.updated} updates and ${report.deleted} deletes among them`,
      lost.length + undeleted.length + phantoms.length === 0,
    );
    const failures = [...report.failedWrites, ...report.failedReads];
    const requests = (report.written + report.updated) / BATCH + report.deleted / 2 + report.reads;
    facts.check(
      `${this.#library}: failed requests during ${during}`,
      failures.length === 0 ? `0 of ${requests}` : `${failures.length}: ${failures[0]}`,
      failures.length === 0,
    );
    const longest = `longest write ${seconds(report.longestWrite)}`;
    const postponed = report.postponed > 0 ? `${report.postponed} put off by the fence, ` : '';
    facts.note(`${this.#library}: writes during ${during}`, `${postponed}${longest}`);
  }

  /** Ends it, whatever it has done. */
  async abandon(): Promise<void> {
    await this.#load.stop().catch(() => undefined);
    await this.#load.close();
  }
}
