import {
  ENDPOINT_SLICES,
  type EndpointSlice,
  Informer,
  type KubeClient,
  keyOf,
  keyText,
  SERVICES,
  type Service,
} from '../../src/kube/index.ts';
import type { Logger } from '../../src/telemetry/index.ts';
import { resolveClusterName } from './cluster-names.ts';
import { serveDns } from './dns-server.ts';
import { KeyedTasks } from './keyed-tasks.ts';
import type { Network } from './network.ts';
import { ServiceProxy } from './service-proxy.ts';

export type ClusterNetworkOptions = {
  readonly client: KubeClient;
  readonly network: Network;
  readonly podExists: (address: string) => boolean;
  readonly log: Logger;
  readonly signal: AbortSignal;
};

const SERVICE_LABEL = 'kubernetes.io/service-name';
const BY_SERVICE = 'service';

const serviceOf = (slice: EndpointSlice): string =>
  `${slice.metadata.namespace ?? ''}/${slice.metadata.labels?.[SERVICE_LABEL] ?? ''}`;

/** Names and service addresses of the cluster, kept up to date from Services and EndpointSlices. */
export class ClusterNetwork {
  readonly #services: Informer<Service>;
  readonly #slices: Informer<EndpointSlice>;
  readonly #proxy: ServiceProxy;
  readonly #updates: KeyedTasks;
  readonly #running: Promise<unknown>;

  constructor({ client, network, podExists, log, signal }: ClusterNetworkOptions) {
    this.#proxy = new ServiceProxy({ network, podExists, log });
    this.#services = new Informer({ client, type: SERVICES, log });
    const indexes = { [BY_SERVICE]: (slice: EndpointSlice) => [serviceOf(slice)] };
    this.#slices = new Informer({ client, type: ENDPOINT_SLICES, indexes, log });
    this.#updates = new KeyedTasks((key) => this.#update(key));
    this.#services.onChange(({ object }) => this.#updates.request(keyText(keyOf(object))));
    this.#slices.onChange(({ object }) => this.#updates.request(serviceOf(object)));
    serveDns(network.dnsSocket, (name) => this.resolve(name));
    this.#running = Promise.all([this.#services.start(signal), this.#slices.start(signal)]);
  }

  async whenSynced(): Promise<void> {
    await Promise.all([this.#services.whenSynced(), this.#slices.whenSynced()]);
  }

  /** The addresses of a cluster name; undefined when there is no such name. */
  resolve(name: string): readonly string[] | undefined {
    return resolveClusterName(name, {
      service: (namespace, service) => this.#services.store.get({ namespace, name: service }),
      slices: (namespace, service) => this.#slices.store.byIndex(BY_SERVICE, `${namespace}/${service}`),
      serviceAddress: (namespace, service) => this.#proxy.addressOf(namespace, service),
    });
  }

  /** A pod is gone: connections to it end. */
  podGone(namespace: string): void {
    for (const service of this.#services.store.list(namespace)) this.#updates.request(keyText(keyOf(service)));
  }

  async #update(key: string): Promise<void> {
    const [namespace = '', name = ''] = key.split('/');
    const service = this.#services.store.get({ namespace, name });
    if (service === undefined) await this.#proxy.remove(key);
    else await this.#proxy.update(service, this.#slices.store.byIndex(BY_SERVICE, key));
  }

  /** After its signal aborted: closes every port. */
  async close(): Promise<void> {
    await this.#running;
    await this.#updates.close();
    await this.#proxy.close();
  }
}
