import { Informer, type KubeClient, PODS, type Pod } from '../../src/kube/index.ts';
import { isReady } from './operator.ts';

type Where = { readonly namespace: string; readonly cluster: string };

/** Follows the pods of a cluster, every change of them, and remembers how few were ever ready at once. */
export class ReadyPeers {
  readonly #stopping = new AbortController();
  readonly #pods: Informer<Pod>;
  readonly #running: Promise<void>;
  #fewest = Number.POSITIVE_INFINITY;

  static async follow(client: KubeClient, where: Where): Promise<ReadyPeers> {
    const peers = new ReadyPeers(client, where);
    await peers.#pods.whenSynced();
    peers.#count();
    return peers;
  }

  private constructor(client: KubeClient, { namespace, cluster }: Where) {
    const labelSelector = `qdrant-librarian.io/cluster=${cluster}`;
    this.#pods = new Informer<Pod>({ client, type: PODS, namespace, labelSelector });
    this.#pods.onChange(() => {
      if (this.#pods.hasSynced) this.#count();
    });
    this.#running = this.#pods.start(this.#stopping.signal);
  }

  #count(): void {
    this.#fewest = Math.min(this.#fewest, this.#pods.store.list().filter(isReady).length);
  }

  /** Ends, and tells the fewest. */
  async fewest(): Promise<number> {
    this.#stopping.abort();
    await this.#running;
    return this.#fewest;
  }
}
