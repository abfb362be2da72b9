import {
  type ClusterHistory,
  type Demand,
  type Demands,
  demanded,
  demands,
  emptyDemand,
  emptyHistory,
  type KeptHistory,
  remembered,
  type Tenant,
} from './observe/history.ts';
import { type ClusterLook, type Observation, observation } from './observe/look.ts';
import type { Prediction } from './outlook.ts';

/** Looks in a row after which a collection that is optimised counts as busy. */
const BUSY_LOOKS = 3;

export type Home = {
  readonly library: string;
  readonly cluster: string | undefined;
  readonly collection: string | undefined;
};

/** What a process remembers of a policy; load comes back from ConfigMaps after a restart. */
export class RebalanceMemory {
  /** When load was looked at last, in milliseconds since the epoch. */
  lookedAt: number | undefined;
  /** When the history was written last. */
  savedAt = 0;
  outlook: readonly Prediction[] | undefined;
  /** End of the last step that was looked ahead from. */
  outlookAt = 0;
  violations: { readonly generation: number | undefined; readonly found: readonly string[] } | undefined;
  readonly #looks = new Map<string, ClusterLook>();
  readonly #seen = new Map<string, Observation>();
  readonly #unknown = new Map<string, string>();
  readonly #histories = new Map<string, ClusterHistory>();
  readonly #demands = new Map<string, Demand>();
  readonly #busy = new Map<string, number>();

  /** The last look that told something; its load is what counts while a cluster is silent. */
  seen = (cluster: string): Observation | undefined => this.#seen.get(cluster);
  /** Why the present look tells nothing. */
  unknown = (cluster: string): string | undefined => this.#unknown.get(cluster);
  history = (cluster: string): ClusterHistory => this.#histories.get(cluster) ?? emptyHistory();
  demand = (library: string): Demand => this.#demands.get(library) ?? emptyDemand();
  isBusy = (library: string): boolean => (this.#busy.get(library) ?? 0) >= BUSY_LOOKS;

  /** Takes back what another process has kept of a cluster. */
  restore(cluster: string, { history, libraries }: KeptHistory): void {
    this.#histories.set(cluster, history);
    for (const [library, demand] of libraries) if (!this.#demands.has(library)) this.#demands.set(library, demand);
  }

  /**
   * Adds a look at all clusters.
   *
   * @param unreachable clusters that could not be asked at all, and why
   */
  observed(
    looks: ReadonlyMap<string, ClusterLook>,
    {
      unreachable,
      tenants,
      homes,
    }: {
      readonly unreachable: ReadonlyMap<string, string>;
      readonly tenants: readonly Tenant[];
      readonly homes: readonly Home[];
    },
  ): void {
    this.#unknown.clear();
    for (const [cluster, reason] of unreachable) this.#unknown.set(cluster, reason);
    const asking = new Map<string, Demands>();
    for (const [cluster, look] of looks) {
      const seen = observation(look, this.#looks.get(cluster));
      this.#looks.set(cluster, look);
      if (seen.unknown !== undefined) {
        this.#unknown.set(cluster, seen.unknown);
        continue;
      }
      this.#seen.set(cluster, seen);
      const asked = demands(seen, tenants);
      if (asked !== undefined) asking.set(cluster, asked);
      this.#histories.set(cluster, remembered(this.history(cluster), seen, asked));
    }
    for (const home of homes) this.#addLibrary(home, asking);
  }

  #addLibrary({ library, cluster = '', collection = '' }: Home, asking: ReadonlyMap<string, Demands>): void {
    const seen = this.#seen.get(cluster);
    // While it moves it is asked for at both ends.
    const parts = [...asking.values()].flatMap(({ libraries }) => libraries.get(library) ?? []);
    // Where somebody writes, Qdrant is optimising most of the time; what goes on without that is an index that is built.
    const written = parts.some(({ writes }) => writes > 0);
    const unsettled = seen?.stored.get(collection)?.unsettled === true && !written;
    this.#busy.set(library, unsettled ? (this.#busy.get(library) ?? 0) + 1 : 0);
    if (seen === undefined || !asking.has(cluster)) return;
    const sum = {
      requests: parts.reduce((total, { requests }) => total + requests, 0),
      busy: parts.reduce((total, { busy }) => total + busy, 0),
    };
    this.#demands.set(library, demanded(this.demand(library), seen.at, sum));
  }

  /** Forgets what no longer takes part. */
  keepOnly(clusters: ReadonlySet<string>, libraries: ReadonlySet<string>): void {
    for (const map of [this.#looks, this.#seen, this.#unknown, this.#histories])
      for (const name of map.keys()) if (!clusters.has(name)) map.delete(name);
    for (const map of [this.#demands, this.#busy])
      for (const name of map.keys()) if (!libraries.has(name)) map.delete(name);
  }
}
